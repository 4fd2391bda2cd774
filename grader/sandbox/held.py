"""What the rungs without namespaces share: a warden holds each tree, a folder of the host is its
box.
"""

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from pathlib import Path

from grader.sandbox import interior, plan
from grader.sandbox.boxes import HostDisk, host_box
from grader.sandbox.groups import Groups
from grader.sandbox.interface import Isolation, Job, Level, Limits, OnMessage, Outcome
from grader.sandbox.roots import Fresh, Root
from grader.sandbox.server import Server
from grader.sandbox.start import Channels, Grip, Meter, Start
from grader.sandbox.supervise import supervise
from grader.sandbox.users import own_user, tasks_allowed
from grader.sandbox.wardened import KeepSignals, Wardened


class HeldSandbox(ABC):
    """Runs jobs below wardens.

    Args:
        description: The sentence for reports.
        workers: The folder of our programs.
        groups: Where runs can have control groups, if they are to have some.
    """

    level: Level

    def __init__(
        self,
        description: str = "",
        workers: Path = interior.WORKERS,
        groups: Groups | None = None,
    ) -> None:
        self.groups = groups
        self._isolation = Isolation(level=self.level, description=description)
        self._workers = workers.resolve()

    @property
    def isolation(self) -> Isolation:
        """The rung and its sentence."""
        return self._isolation

    @abstractmethod
    def _lock(self, doors: plan.Doors) -> plan.Doors:
        """Add the rung's own locks to the doors of a run."""

    def _reachable(
        self,
        readable: Mapping[str, Path],
        user: int | None,  # noqa: ARG002 - for rungs that must know
    ) -> AbstractContextManager[Mapping[str, Path]]:
        """Say where a run finds what it may read, for as long as it lasts."""
        return nullcontext(readable)

    def _meter(
        self,
        box: Path,
        user: int | None,  # noqa: ARG002 - as above
    ) -> Meter:
        """Say how to measure what a run has written."""
        return HostDisk(box)

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job to its end; see :class:`grader.sandbox.interface.Sandbox`."""
        return self._run(None, job, limits, on_message)

    def fork(self, server: Server, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job in a fork of a server; see :class:`grader.sandbox.server.Rung`."""
        return self._run(server, job, limits, on_message)

    @contextmanager
    def serve(
        self, serving: plan.Serving, control: int, output: int
    ) -> Iterator[tuple[Root, Grip]]:
        """Start a server; see :class:`grader.sandbox.server.Rung`.

        Started by root, it stays root, as a warden does: each fork becomes a user of its own.
        """
        with (
            host_box(None) as box,
            closing(Wardened()) as grip,
            _closed(
                plan.write_server(serving, self._doors(serving.readable, box), control)
            ) as file,
        ):
            root = _begin(grip, box, "never", file, (control,), output)
            yield root, grip

    def _run(
        self, server: Server | None, job: Job, limits: Limits, on_message: OnMessage
    ) -> Outcome:
        with ExitStack() as stack:
            user = stack.enter_context(own_user())
            readable = stack.enter_context(self._reachable(job.readable, user))
            box = stack.enter_context(host_box(user))
            channels = stack.enter_context(closing(Channels()))
            grip = stack.enter_context(closing(Wardened()))
            tasks = tasks_allowed(limits, user)
            doors = self._lock(self._doors(readable, box, tasks=tasks, user=user))
            inside = () if server else channels.inside
            file = stack.enter_context(_closed(plan.write(job, limits, doors, inside)))

            def begin() -> Root:
                if server:
                    return server.fork(file, channels, grip.descriptor)
                return _begin(grip, box, doors.keep_signals, file, channels.inside)

            start = Start(begin=begin, grip=grip, meter=self._meter(box, user), groups=self.groups)
            return supervise(start, channels, job, limits, on_message)

    def _doors(
        self,
        readable: Mapping[str, Path],
        box: Path,
        *,
        tasks: int = 0,
        user: int | None = None,
    ) -> plan.Doors:
        places = {name: str(path.resolve()) for name, path in readable.items()}
        return plan.Doors(
            box=str(box),
            workers=str(self._workers),
            places=places,
            tasks=tasks,
            user=user,
            reach=interior.needed(box, self._workers, places.values()),
        )


@contextmanager
def _closed(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _begin(
    grip: Wardened,
    box: Path,
    keep_signals: KeepSignals,
    file: int,
    descriptors: Sequence[int],
    output: int = subprocess.PIPE,
) -> Fresh:
    command = interior.command(str(interior.LAUNCH))
    return Fresh(
        grip.command(command, keep_signals=keep_signals),
        interior.environment(str(box)),
        file,
        (grip.descriptor, *descriptors),
        output,
    )
