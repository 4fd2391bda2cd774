#: row = 44
#: says = "ignores every signal, stops itself, and then sleeps"
#: why = "it is about a clear outcome"
#: ending = ["timeout"]
import os
import signal
import time

for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(60)
