"""Run by the tests: imports the kernel once, then runs each task from stdin in a fork of it."""

import contextlib
import json
import os
import sys
from pathlib import Path

from tensorflow.python.eager import context

from grader.worker import kernel


def main():
    for line in sys.stdin:
        order = json.loads(line)
        if "prepare" in order:
            before = sorted(os.environ.items())
            kernel.prepare(order["prepare"])
            answer = {
                "threads": len(list(Path("/proc/self/task").iterdir())),
                "tensorflow_started": context.context()._initialized,
                "home": Path(os.environ["KERAS_HOME"], "datasets").exists(),
                "same_environment": sorted(os.environ.items()) == before,
            }
        else:
            answer = [os.waitpid(pid, 0)[1] for pid in [in_a_fork(**run) for run in order["runs"]]]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def in_a_fork(task, messages, home):
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            os.dup2(os.open(messages, os.O_WRONLY | os.O_CREAT, 0o600), 3)
            os.chdir(task["work"])
            os.environ["KERAS_HOME"] = home
            Path(home).mkdir(exist_ok=True)
            kernel.main(task)
        os._exit(70)
    return pid


main()
