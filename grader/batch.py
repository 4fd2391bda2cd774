"""Many submissions at once: a thread waits for each, and processes of their own do the work."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psutil

from grader.sandbox.interface import GIB

In = TypeVar("In")
Out = TypeVar("Out")


def for_each(items: Sequence[In], work: Callable[[In], Out], *, jobs: int) -> list[Out]:
    """Do the work for every item; results in the order of the items."""
    with ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="grader") as pool:
        return list(pool.map(work, items))


def sensible_jobs(memory_gib: float) -> int:
    """How many submissions fit this machine: one a core, and never more than memory allows.

    Args:
        memory_gib: What one submission may use.
    """
    cores = len(os.sched_getaffinity(0))
    fitting = int(psutil.virtual_memory().available / (memory_gib * GIB))
    return max(1, min(cores, fitting))
