"""A worker that starts a thread while it is imported: its server must not fork."""

import threading
import time

threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def main(task):
    raise AssertionError(task)
