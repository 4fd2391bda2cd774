"""The rung ``uid``: a user of its own for each run and a seccomp filter, where Landlock is missing.

For root on old kernels and in containers that have neither namespaces nor Landlock to give. Who a
run is decides what it can reach: what is private to somebody else is closed to it, other processes
are nobody it may signal or look into, and the filter leaves it no socket. What every user of the
machine may read, a run may read too, and the rung says so.
"""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import interior, plan, seccomp
from grader.sandbox.boxes import HostDisk
from grader.sandbox.held import HeldSandbox
from grader.sandbox.leftovers import cleared, open_folders, strewn
from grader.sandbox.lending import closed_part, lent
from grader.sandbox.start import Meter

NEEDS_ROOT = "only root can give each run a user of its own, and the grader does not run as root"


class UidSandbox(HeldSandbox):
    """Runs jobs in the host's own namespaces, each as a user that owns its folder and no more."""

    level = "uid"

    def _lock(self, doors: plan.Doors) -> plan.Doors:
        # No Landlock and no domain for signals, even where there are some: what is proven here
        # shall hold where there are none.
        return replace(
            doors, past_modes=False, filter=seccomp.build(platform.machine(), families=())
        )

    @contextmanager
    def _reachable(
        self, readable: Mapping[str, Path], user: int | None
    ) -> Iterator[Mapping[str, Path]]:
        if user is None:
            raise SandboxError(NEEDS_ROOT)
        with cleared(user), lent(readable, user) as places:
            yield places

    def _meter(self, box: Path, user: int | None) -> Meter:
        if user is None:
            raise SandboxError(NEEDS_ROOT)
        return HostDisk(box, open_folders(), partial(strewn, user, box))


def closed_to_runs(workers: Path = interior.WORKERS) -> Path | None:
    """Find what keeps other users from the interpreter and our programs, if something does.

    Args:
        workers: The folder of our programs.
    """
    for path in map(Path, interior.needed(workers, workers, ())):
        if (closed := closed_part(path)) is not None:
            return closed
    return None
