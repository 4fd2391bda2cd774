"""The one border to strangers' code: what goes in, what comes out, what ends it.

A :class:`Sandbox` runs one :class:`Job` at a time in a process tree of its own and gives back
an :class:`Outcome`. Everything in an outcome is hostile data: it was written by, or could have
been forged by, the code inside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Level = Literal["namespaces", "landlock", "uid", "none"]
"""The rungs of the ladder, strongest first."""

LEVELS: tuple[Level, ...] = ("namespaces", "landlock", "uid", "none")

Ending = Literal["finished", "timeout", "cpu", "memory", "output", "processes", "disk", "killed"]
"""How a process tree ended.

``finished`` means that the first process exited by itself, whatever its exit status;
``killed`` that it died from a signal which we did not send.
"""

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use up; passing any of them ends the whole tree."""

    wall_s: float = 600.0
    """Seconds from start to end."""
    cpu_s: float | None = None
    """Processor seconds of the whole tree, if they are limited at all."""
    memory: int = 10 * GIB
    """Bytes of resident memory of the whole tree, shared pages counted once."""
    kernel_alone: bool = False
    """Whether memory is left to the control group, if there is one, to see whether it holds."""
    output: int = MIB
    """Bytes kept of stdout and of stderr each; fifty times as much is a flood and ends the run."""
    messages: int = 64 * MIB
    """Bytes the worker may send on its message channel."""
    answer: int = 0
    """Bytes it may send there once something was handed in."""
    answer_s: float = 120.0
    """Seconds from then to the end; the time before does not count."""
    disk: int = 2 * GIB
    """Bytes in the work folder."""
    processes: int = 160
    """Processes and threads together."""
    artefact: int = 512 * MIB
    """Bytes of one collected file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of one of our programs in ``grader/worker/``."""

    program: str
    """The worker's module, e.g. ``"kernel"``; its ``main(task: dict[str, Any])`` is called."""
    task: Mapping[str, object]
    """Plain JSON data for the worker. Never a label, an expected value or a hidden check.

    The sandbox adds ``"work"`` (the writable folder, as the worker sees it) and ``"places"``
    (name → path as the worker sees it, for each of :attr:`readable`).
    """
    readable: Mapping[str, Path] = field(default_factory=dict)
    """Folders or files the worker may read, by name; ``task["places"]`` has their paths inside."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files to lay into the work folder before the start, by relative POSIX path."""
    collect: tuple[str, ...] = ()
    """Relative POSIX paths in the work folder to take out once the whole tree is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One file taken out of a work folder after its tree was dead."""

    name: str
    """The path asked for in :attr:`Job.collect`."""
    data: bytes | None
    """Its bytes, or ``None`` when there is no such file or it was refused."""
    problem: str = ""
    """Why there is no data: ``"missing"``, ``"not a plain file"``, ``"larger than … bytes"``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a job. All of it is data from the other side of the border."""

    ending: Ending
    """Which limit ended it, or that it ended by itself."""
    exit_code: int
    """Exit status of the first process, negative for a signal. Student-controlled: a hint only."""
    stdout: str
    """What was printed, decoded with replacement, cut in the middle to ``Limits.output``."""
    stderr: str
    """The same for the error stream."""
    artefacts: Mapping[str, Artefact]
    """One entry for each name in :attr:`Job.collect`."""
    wall_s: float
    """Seconds from start to the death of the last process."""
    cpu_s: float
    """Processor seconds of the tree: all of them where it had a control group, else as far as they
    could be seen."""
    peak_memory: int
    """Highest memory seen, in bytes."""
    setup_error: str = ""
    """Not empty when the sandbox failed before the worker's first line: our fault, no student's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """Which rung is active and what it means, for the terminal and for every report."""

    level: Level
    """The rung."""
    description: str
    """One honest sentence with versions and with what is *not* covered."""


Reply = Callable[[Mapping[str, Artefact]], bytes]
"""Given what was collected, says which bytes are handed in."""

OnMessage = Callable[[bytes], Reply | None]
"""Called with each chunk of the worker's message channel, in order, while the job runs.

It may give back a reply, once. That closes the books: what the run has written, printed and used up
by then is what comes out of it, and only then is anything handed in, for the worker to read on
:data:`grader.worker.channel.IN`. So whatever is handed in leaves no trace in the outcome.
"""


class Sandbox(Protocol):
    """Runs jobs; several may run at the same time from different threads."""

    @property
    def isolation(self) -> Isolation:
        """The rung and its sentence."""
        ...

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job to its end and give back what came out.

        Args:
            job: What to run.
            limits: What it may use up.
            on_message: Receives the worker's message channel chunk by chunk.

        Returns:
            The outcome; never raises for what the code inside did.

        Raises:
            SandboxError: The sandbox could not be set up at all.
        """
        ...
