"""Holds a tree by a warden, where there is no pid namespace to hold it by."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from grader.errors import SandboxError
from grader.sandbox import interior
from grader.sandbox.processes import Process, descendants, read
from grader.sandbox.roots import Root

_PATIENCE_S = 60.0

KeepSignals = Literal["always", "if possible", "never"]
"""Whether a run and its warden enter a Landlock domain that no signal leaves."""


class Wardened:
    """A grip on a tree whose first process is ``worker/warden.py``."""

    def __init__(self) -> None:
        self._lifeline_inside, self._lifeline = os.pipe()
        self._seen: dict[int, int] = {}

    def command(self, command: Sequence[str], *, keep_signals: KeepSignals) -> list[str]:
        """Give the command that runs another one below a warden."""
        warden = [sys.executable, "-I", "-S", "-B", str(interior.WARDEN)]
        return [*warden, str(self._lifeline_inside), keep_signals, "--", *command]

    @property
    def descriptor(self) -> int:
        """What the warden must find open."""
        return self._lifeline_inside

    def close(self) -> None:
        """Close what is still open."""
        for name in ("_lifeline", "_lifeline_inside"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def hold(self, root: int) -> None:
        """Nothing to do: the warden holds it already."""

    def tree(self, root: int, *, fresh: bool = False) -> Sequence[Process]:
        """List what is below the warden."""
        found = descendants(root, fresh=fresh)
        self._seen |= {process.pid: process.started for process in found}
        return found

    def kill(self, root: Root) -> None:
        """Have the warden end the tree, and see to it ourselves if it cannot."""
        self.close()
        if not root.wait(_PATIENCE_S):
            for process in descendants(root.pid, fresh=True):
                _kill(process.pid, process.started)
            root.kill()
            raise SandboxError(f"The processes below {root.pid} do not die.")
        for pid, started in self._seen.items():  # if somebody killed the warden
            _kill(pid, started)


def _kill(pid: int, started: int) -> None:
    """Kill a process if it is still the same."""
    now = read(pid)
    if now is not None and now.started == started:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
