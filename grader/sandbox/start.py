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
    """The ways to talk with a run: messages come out, and what is handed in goes in, once; control
    goes both ways until student code runs.

    The first two are pipes, over which nothing goes but bytes.
    """

    def __init__(self) -> None:
        self.messages, messages_inside = os.pipe()
        handed_in_inside, self.handed_in = os.pipe()
        self._pipes_inside: tuple[int, ...] = (messages_inside, handed_in_inside)
        self.control, self._control_inside = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )

    @property
    def inside(self) -> tuple[int, ...]:
        """The run's own ends: control, messages, what is handed in."""
        return (self._control_inside.fileno(), *self._pipes_inside)

    def close_inside(self) -> None:
        """Forget the run's ends, once it has them."""
        self._control_inside.close()
        for descriptor in self._pipes_inside:
            os.close(descriptor)
        self._pipes_inside = ()

    def hand_in_no_more(self) -> None:
        """Let whoever reads what is handed in come to its end."""
        if self.handed_in >= 0:
            os.close(self.handed_in)
            self.handed_in = -1

    def close(self) -> None:
        """Close what is still open."""
        self.close_inside()
        self.hand_in_no_more()
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
