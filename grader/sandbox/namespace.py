"""Holds a tree by its pid namespace, and measures the folders in memory that are its own."""

import os
import select
import signal
from collections.abc import Sequence
from contextlib import suppress

from grader.errors import SandboxError
from grader.sandbox.processes import Process, descendants, read
from grader.sandbox.roots import Root
from grader.sandbox.start import DiskUse

_PATIENCE_S = 60.0


class Namespace:
    """Holds a tree by the first process of its pid namespace: when that dies, all of it has
    died.
    """

    def __init__(self) -> None:
        self._init: int | None = None
        self._init_pid = 0

    def hold(self, root: int) -> None:
        """Take hold of the namespace's first process, the only child of bubblewrap's outer one."""
        (init,) = (process for process in descendants(root, fresh=True) if process.parent == root)
        self._init = os.pidfd_open(init.pid)
        self._init_pid = init.pid
        now = read(init.pid)
        if now is None or now.parent != root:
            raise SandboxError("The sandbox ended while it was being set up.")

    def tree(self, root: int, *, fresh: bool = False) -> Sequence[Process]:
        """List what is in the namespace, but for bubblewrap's own process."""
        return [process for process in descendants(root, fresh=fresh) if process.parent != root]

    def kill(self, root: Root) -> None:
        """End the first process; the kernel lets it go only when all others are gone."""
        if self._init is None:
            for process in descendants(root.pid, fresh=True):
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            root.kill()
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._init, signal.SIGKILL)
        poll = select.poll()
        poll.register(self._init, select.POLLIN)
        died = poll.poll(_PATIENCE_S * 1000)
        os.close(self._init)
        self._init = None
        if died:
            root.wait(_PATIENCE_S)
        root.kill()
        if not died:
            raise SandboxError(f"Process {self._init_pid} does not die; the kernel holds it.")


class FirstProcess:
    """Holds a tree whose root is itself the first process of its pid namespace."""

    def hold(self, root: int) -> None:
        """Nothing to do: the root is what to hold."""

    def tree(self, root: int, *, fresh: bool = False) -> Sequence[Process]:
        """List what is in the namespace, but for the first process, which is ours."""
        return descendants(root, fresh=fresh)

    def kill(self, root: Root) -> None:
        """End the first process; the kernel lets it go only when all others are gone."""
        root.kill()
        if not root.wait(_PATIENCE_S):
            raise SandboxError(f"Process {root.pid} does not die; the kernel holds it.")


def tmpfs_use(folders: Sequence[int], _: Sequence[Process]) -> DiskUse:
    """Measure folders in memory of their own, which holds the files deleted but open, too."""
    size = files = 0
    for folder in folders:
        facts = os.fstatvfs(folder)
        size += (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        files += facts.f_files - facts.f_ffree
    return DiskUse(size=size, files=files, memory=size)
