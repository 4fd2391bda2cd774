"""Who is there and who is free: workers come and go while many threads ask for one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader.errors import ClusterError

PATIENCE_S = 60.0
"""How long a batch waits for a first worker, or for another when the last was lost."""
_LOOK_S = 1.0


class Crew:
    """The workers that fit, each with so many places.

    Args:
        why_nobody: Explains, when there is none.
        patience: Seconds to wait for one.
    """

    def __init__(self, why_nobody: Callable[[], str], patience: float = PATIENCE_S) -> None:
        self._why_nobody = why_nobody
        self._patience = patience
        self._free: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._change = threading.Condition()
        self._empty_since = time.monotonic()
        self._over = ""

    def join(self, worker: str, places: int) -> None:
        """Take a worker in."""
        with self._change:
            self._free[worker] = self._places[worker] = places
            self._change.notify_all()

    def leave(self, worker: str) -> None:
        """Strike a worker off; what it works on is lost."""
        with self._change:
            if self._places.pop(worker, None) is not None and not self._places:
                self._empty_since = time.monotonic()
            self._free.pop(worker, None)
            self._change.notify_all()

    def dismiss(self, reason: str) -> None:
        """Give out no place from now on."""
        with self._change:
            self._over = self._over or reason
            self._change.notify_all()

    def members(self) -> list[str]:
        """List the workers that are there."""
        with self._change:
            return list(self._places)

    @property
    def places(self) -> int:
        """How many submissions may be worked on at a time."""
        with self._change:
            return sum(self._places.values())

    @contextmanager
    def place(self) -> Iterator[str]:
        """Wait for a free place and hold it; gives the worker's address.

        Raises:
            ClusterError: No worker is left, and none came.
        """
        with self._change:
            worker = self._wait_for_one()
            self._free[worker] -= 1
        try:
            yield worker
        finally:
            with self._change:
                if worker in self._free:  # it may be another one under the same address by now
                    self._free[worker] = min(self._free[worker] + 1, self._places[worker])
                self._change.notify_all()

    def _wait_for_one(self) -> str:
        while True:
            if self._over:
                raise ClusterError(self._over)
            worker = max(self._free, key=self._free.__getitem__, default="")
            if worker and self._free[worker] > 0:
                return worker
            if not self._places and time.monotonic() > self._empty_since + self._patience:
                # Everybody else need not wait as long again to hear the same.
                self._over = self._why_nobody()
                self._change.notify_all()
                continue
            self._change.wait(_LOOK_S)
