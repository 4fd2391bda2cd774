"""The rung ``landlock``: Landlock and a seccomp filter, for places that forbid namespaces.

Other people's containers and many CI runners are such places. There is no network at all, because
Landlock sees only part of it: a run gets no socket but pairs of connected ones. Root becomes a user
of its own for each run; an ordinary user shares its id with the run, so that Landlock must keep
signals inside, and the filter answers for what belongs to a user id and not to a file.
"""

import os
import platform
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from grader.sandbox import interior, plan, seccomp
from grader.sandbox.boxes import HostDisk, host_box
from grader.sandbox.interface import Isolation, Job, Limits, OnMessage, Outcome
from grader.sandbox.start import Channels, Start
from grader.sandbox.supervise import supervise
from grader.sandbox.users import own_user, tasks_allowed
from grader.sandbox.wardened import Wardened

_KERNEL_FILES = ("/proc", "/sys/devices/system/cpu", "/sys/devices/system/node")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SIGNALS_KEPT_INSIDE = 6
_ANY = 1


class LandlockSandbox:
    """Runs jobs in the host's own namespaces, each locked into its folder.

    Args:
        description: The sentence for reports.
        workers: The folder of our programs.
    """

    def __init__(self, description: str = "", workers: Path = interior.WORKERS) -> None:
        self._isolation = Isolation(level="landlock", description=description)
        self._workers = workers.resolve()

    @property
    def isolation(self) -> Isolation:
        """The rung and its sentence."""
        return self._isolation

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job to its end; see :class:`grader.sandbox.interface.Sandbox`."""
        with ExitStack() as stack:
            user = stack.enter_context(own_user())
            box = stack.enter_context(host_box(user))
            channels = stack.enter_context(closing(Channels()))
            grip = stack.enter_context(closing(Wardened()))
            control, messages = channels.inside
            stdin = plan.write(job, limits, self._doors(job, limits, user, box), control, messages)
            stack.callback(os.close, stdin)
            start = Start(
                command=grip.command(
                    interior.command(str(interior.LAUNCH)),
                    keep_signals="if possible" if user else "always",
                ),
                environment=interior.environment(str(box)),
                stdin=stdin,
                descriptors=(grip.descriptor, control, messages),
                grip=grip,
                meter=HostDisk(box),
            )
            return supervise(start, channels, job, limits, on_message)

    def _doors(self, job: Job, limits: Limits, user: int | None, box: Path) -> plan.Doors:
        places = {name: str(path.resolve()) for name, path in job.readable.items()}
        ours = [str(self._workers), str(interior.LAUNCH)]
        whole, listed = interior.grants()
        return plan.Doors(
            box=str(box),
            workers=str(self._workers),
            places=places,
            tasks=tasks_allowed(limits, user),
            user=user,
            reach=interior.needed(box, self._workers, places.values()),
            landlock=plan.Grants(
                read=[*_strings(whole), *ours, *places.values(), *_KERNEL_FILES],
                listed=_strings(listed),
                write=[str(box)],
                devices=_DEVICES,
                network=False,
                least=_ANY if user else _SIGNALS_KEPT_INSIDE,
            ),
            filter=seccomp.build(platform.machine(), families=(), shared_user=user is None),
        )


def _strings(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
