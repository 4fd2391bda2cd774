"""The rung ``landlock``: Landlock and a seccomp filter, for places that forbid namespaces.

Other people's containers and many CI runners are such places. There is no network at all, because
Landlock sees only part of it: a run gets no socket but pairs of connected ones. Root becomes a user
of its own for each run; an ordinary user shares its id with the run, so that Landlock must keep
signals inside, and the filter answers for what belongs to a user id and not to a file.
"""

import platform
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from grader.sandbox import interior, plan, seccomp
from grader.sandbox.held import HeldSandbox

_KERNEL_FILES = ("/proc", "/sys/devices/system/cpu", "/sys/devices/system/node")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SIGNALS_KEPT_INSIDE = 6
_ANY = 1


class LandlockSandbox(HeldSandbox):
    """Runs jobs in the host's own namespaces, each locked into its folder."""

    level = "landlock"

    def _lock(self, doors: plan.Doors) -> plan.Doors:
        ours = [doors.workers, str(interior.LAUNCH)]
        whole, listed = interior.grants()
        return replace(
            doors,
            landlock=plan.Grants(
                read=[*_strings(whole), *ours, *doors.places.values(), *_KERNEL_FILES],
                listed=_strings(listed),
                write=[doors.box],
                devices=_DEVICES,
                network=False,
                least=_ANY if doors.user else _SIGNALS_KEPT_INSIDE,
            ),
            filter=seccomp.build(platform.machine(), families=(), shared_user=doors.user is None),
            keep_signals="if possible" if doors.user else "always",
        )


def _strings(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
