"""What a rung hands over to have a run supervised: start, hold on its tree, measure of disk."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.sandbox.groups import Groups
from grader.sandbox.processes import Process
from grader.sandbox.roots import Root


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """What lies in a run's writable folders."""

    size: int
    """Bytes."""
    files: int
    """Files and folders."""
    memory: int = 0
    """Bytes of it that lie in memory and on no disk."""


class Grip(Protocol):
    """How a rung holds a process tree."""

    def hold(self, root: int) -> None:
        """Take hold of the tree, before any student code runs."""
        ...

    def tree(self, root: int, *, fresh: bool = False) -> Sequence[Process]:
        """List the processes that count; unless ``fresh``, as they were a moment ago."""
        ...

    def kill(self, root: Root) -> None:
        """End all of it; when this returns, none is left."""
        ...


Meter = Callable[[Sequence[int], Sequence[Process]], DiskUse]
"""Measures writable folders, given their open descriptors and the processes of the run."""


class Channels:
    """The two ways to talk with a run: messages come out; control goes both ways until student code
    runs.
    """

    def __init__(self) -> None:
        self.messages, self.messages_inside = os.pipe()
        self.control, self._control_inside = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )

    @property
    def inside(self) -> tuple[int, int]:
        """The run's own ends: control, messages."""
        return self._control_inside.fileno(), self.messages_inside

    def close_inside(self) -> None:
        """Forget the run's ends, once it has them."""
        self._control_inside.close()
        if self.messages_inside >= 0:
            os.close(self.messages_inside)
            self.messages_inside = -1

    def close(self) -> None:
        """Close what is still open."""
        self.close_inside()
        self.control.close()
        os.close(self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a rung starts its first process, and holds what comes of it."""

    begin: Callable[[], Root]
    """Starts the first process."""
    grip: Grip
    meter: Meter
    groups: Groups | None = None
    """Where its control group can be made, if it is to have one."""
