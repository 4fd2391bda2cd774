"""Many submissions at once: a thread waits for each, and processes of their own do the work."""

import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import psutil

In = TypeVar("In")
Out = TypeVar("Out")
THREADS = "grader-job"
"""How the threads are called that wait for a submission."""
LOOK_S = 0.5
"""How often the machine's memory is looked at while somebody waits for it."""


def as_they_finish(
    items: Iterable[In], work: Callable[[In], Out], *, jobs: int
) -> Generator[tuple[In, Out], None, None]:
    """Do the work for every item and give each result as soon as it is there.

    Items are begun in their order. When the caller stops listening, nothing more is begun; what
    runs is left to itself.

    Args:
        items: What to work on.
        work: Called in threads.
        jobs: How many at a time.
    """
    waiting = iter(items)
    window = 2 * max(1, jobs)  # nobody is idle while the caller looks at a result
    running: dict[Future[Out], In] = {}
    pool = ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix=THREADS)
    try:
        while True:
            running |= {
                pool.submit(work, item): item for item in islice(waiting, window - len(running))
            }
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            # A failure ends everything: what succeeded beside it is given first.
            for future in sorted(finished, key=lambda done: done.exception() is not None):
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Room:
    """The machine's memory, of which each run takes its limit before it begins.

    Args:
        size: Bytes to be had; by default what is available now.
    """

    def __init__(self, size: int | None = None) -> None:
        self._free = psutil.virtual_memory().available if size is None else size
        self._guests = 0
        self._change = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Wait until so many bytes are free, here and on the machine; alone, one may always run."""
        with self._change:
            while self._guests and (size > self._free or size > psutil.virtual_memory().available):
                self._change.wait(LOOK_S)
            self._free -= size
            self._guests += 1
        try:
            yield
        finally:
            with self._change:
                self._free += size
                self._guests -= 1
                self._change.notify_all()


def sensible_jobs(memory: int) -> int:
    """How many submissions fit this machine: one a core, and never more than memory allows.

    Args:
        memory: Bytes that one submission may use.
    """
    cores = len(os.sched_getaffinity(0))
    fitting = int(psutil.virtual_memory().available / memory)
    return max(1, min(cores, fitting))
