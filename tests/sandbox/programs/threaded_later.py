"""A worker that has a thread a while after it was imported: its server must not fork any more."""

import signal
import threading
import time


def _start(*_):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


signal.signal(signal.SIGALRM, _start)
signal.setitimer(signal.ITIMER_REAL, 0.4)


def main(task):
    raise AssertionError(task)
