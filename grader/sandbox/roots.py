"""The first process of a run, which the host started itself or had forked by a server."""

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from grader.errors import SandboxError

_SIGNALS = range(129, 193)
"""Exit statuses by which a shell, bubblewrap and our warden tell of a signal."""


class Root(Protocol):
    """A process to wait for and to kill, with its streams."""

    pid: int
    end: int
    """A pidfd: readable once the process has ended."""
    stdout: int
    stderr: int

    @property
    def code(self) -> int | None:
        """After the end: the exit code, negative for a signal; ``None`` when only it can tell."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for its end; tell whether it came."""
        ...

    def kill(self) -> None:
        """Send it ``SIGKILL``."""
        ...

    def close(self) -> None:
        """Give back what it held here."""
        ...


class Fresh:
    """A program started by the host.

    Args:
        command: What to start.
        environment: All of its environment.
        stdin: A descriptor.
        descriptors: Kept open in the new process, under the same numbers.
        output: Where both streams go, if not into pipes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        stdin: int,
        descriptors: Sequence[int],
        output: int = subprocess.PIPE,
    ) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the rung's own
                command,
                stdin=stdin,
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                pass_fds=descriptors,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"{command[0]} could not be started: {error}") from error
        self.pid = self._process.pid
        self.end = os.pidfd_open(self.pid)
        streams = (self._process.stdout, self._process.stderr)
        self.stdout, self.stderr = (-1 if each is None else each.fileno() for each in streams)

    @property
    def code(self) -> int | None:
        """The status; a signal told as 128 + n comes out as a signal."""
        code = self._process.wait()
        return 128 - code if code in _SIGNALS else code

    def wait(self, seconds: float) -> bool:
        """Wait for its end."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def kill(self) -> None:
        """Send it ``SIGKILL``."""
        self._process.kill()

    def close(self) -> None:
        """Wait for it, and close its streams."""
        os.close(self.end)
        with self._process:
            pass


class Forked:
    """A process forked by a server, which tells its own exit code on its control socket.

    Args:
        pid: Its process id.
        end: A pidfd.
        stdout: The host's end of a pipe.
        stderr: Another.
    """

    code = None

    def __init__(self, pid: int, end: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.end = end
        self.stdout = stdout
        self.stderr = stderr

    def wait(self, seconds: float) -> bool:
        """Wait for its end."""
        poll = select.poll()
        poll.register(self.end, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def kill(self) -> None:
        """Send it ``SIGKILL``."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.end, signal.SIGKILL)

    def close(self) -> None:
        """Close what is open."""
        for descriptor in (self.end, self.stdout, self.stderr):
            os.close(descriptor)
