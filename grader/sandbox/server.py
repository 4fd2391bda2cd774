"""One server that forks runs, from its start in a sandbox to its end.

The thread that starts it stays with it: the kernel ends what was told to die with its parent when
the thread that started it ends.
"""

import json
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Protocol, runtime_checkable

from grader.errors import GraderError, RunLostError, SandboxError
from grader.sandbox import plan
from grader.sandbox.groups import Groups
from grader.sandbox.interface import Job, Limits, OnMessage, Outcome, Sandbox
from grader.sandbox.plan import Serving
from grader.sandbox.processes import read
from grader.sandbox.roots import Forked, Root
from grader.sandbox.start import Channels, Grip

_START_S = 120.0
_FORK_S = 60.0
_CHUNK = 1 << 16
_MOST_ERROR = 4000
_CREDENTIALS = struct.Struct("=iII")
_GENERATIONS = 8
_ATTEMPTS = 50


class ForkRefusedError(SandboxError):
    """A fork could not be made, and a fresh process may do better."""


class ServerDeadError(RunLostError):
    """The server died before it had forked: nothing of the run has happened."""


@runtime_checkable
class Rung(Sandbox, Protocol):
    """A sandbox that can have its runs forked."""

    groups: Groups | None
    """Where its runs have control groups, if they have some."""

    def serve(
        self, serving: Serving, control: int, output: int
    ) -> AbstractContextManager[tuple[Root, Grip]]:
        """Start a server, with no student's byte near it.

        Args:
            serving: What it makes ready.
            control: The descriptor on which it hears requests.
            output: Where its streams go.
        """
        ...

    def fork(self, server: "Server", job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job in a fork of a server; otherwise like :meth:`Sandbox.run`."""
        ...


class Server:
    """A server, starting from now on.

    Args:
        rung: Where it lives.
        serving: What it makes ready.
        prove: Called before it is used; raises :class:`GraderError` if it must not be.
        tell: Called when it is ready and when it has ended. Both are called from its own thread.
    """

    def __init__(
        self,
        rung: Rung,
        serving: Serving,
        prove: Callable[[], None],
        tell: Callable[["Server"], None],
    ) -> None:
        self.pid = 0
        """Its process id, once it is ready."""
        self.is_ready = False
        self.failure: str | None = None
        """Why it ended; not ``None`` from then on."""
        self.gave_a_reason = False
        """Whether it ended by a decision, its own or ours: another one would end the same way."""
        self.taken = 0
        """Runs it was asked for."""
        self.running = 0
        self._rung = rung
        self._serving = serving
        self._prove = prove
        self._tell = tell
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._requests, self._inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # set before anything is said: the kernel notes who speaks only for those who ask
        self._requests.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._end = -1
        self._thread = threading.Thread(target=self._live, daemon=True, name="server of forks")
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and nothing of it runs here."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Have it ended soon."""
        os.eventfd_write(self._stop, 1)

    def close(self) -> None:
        """End it and give back what it held here."""
        self.end()
        self._thread.join()
        os.close(self._stop)
        self._requests.close()
        if self._end >= 0:
            os.close(self._end)

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job in a fork."""
        return self._rung.fork(self, job, limits, on_message)

    def fork(self, plan_file: int, channels: Channels, *lifeline: int) -> Forked:
        """Ask for a fork, and take hold of it before it does anything.

        Args:
            plan_file: Its plan.
            channels: Its channels; those inside are closed here.
            lifeline: For its warden, if it is to have one.

        Raises:
            ForkRefusedError: The server could not fork.
            ServerDeadError: The server is dead.
        """
        with ExitStack() as stack:
            stdout, stdout_inside = os.pipe()
            stderr, stderr_inside = os.pipe()
            hopes = stack.enter_context(ExitStack())
            for mine in (stdout, stderr):
                hopes.callback(os.close, mine)
            with ExitStack() as inside:
                for its in (stdout_inside, stderr_inside):
                    inside.callback(os.close, its)
                channels.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                request = [plan_file, *channels.inside, stdout_inside, stderr_inside, *lifeline]
                try:
                    socket.send_fds(self._requests, [b"run"], request)
                except OSError as error:
                    raise ServerDeadError("The server is dead that was to fork a run.") from error
            channels.close_inside()
            pid, end = self._hear_began(channels.control)
            hopes.pop_all()
        return Forked(pid, end, stdout, stderr)

    def _hear_began(self, control: socket.socket) -> tuple[int, int]:
        """Learn from the kernel who the fork is, and let it go on once we hold it."""
        poll = select.poll()
        poll.register(control, select.POLLIN)
        poll.register(self._end, select.POLLIN)
        heard = dict(poll.poll(_FORK_S * 1000))
        if not heard:
            self.end()  # it hangs: nobody else shall wait for it
        if control.fileno() not in heard:
            raise ServerDeadError("The server died before it had forked a run.")
        data, ancillary, _, _ = control.recvmsg(_CHUNK, socket.CMSG_SPACE(_CREDENTIALS.size))
        if not data:
            raise ServerDeadError("The server's fork died at once.")
        message = json.loads(data)
        if "error" in message:
            raise ForkRefusedError(message["error"])
        control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        pid = _CREDENTIALS.unpack(ancillary[0][2])[0]
        try:
            end = os.pidfd_open(pid)
        except ProcessLookupError as error:
            raise ServerDeadError("The server's fork died at once.") from error
        if not self._is_mine(pid):
            os.close(end)
            raise ServerDeadError("The server's fork died at once.")
        with suppress(BrokenPipeError):
            control.send(b"held")
        return pid, end

    def _is_mine(self, pid: int) -> bool:
        """Whether a process is below the server. Those between them may end while we look."""
        for _ in range(_ATTEMPTS):
            above = pid
            for _ in range(_GENERATIONS):
                process = read(above)
                if process is None:
                    break
                above = process.parent
                if above == self.pid:
                    return True
            time.sleep(0.001)
        return False

    # ------------------------------------------------------------------ its thread

    def _live(self) -> None:
        output = plan.in_memory()
        try:
            with self._inside:
                serving = self._rung.serve(self._serving, self._inside.fileno(), output)
                with serving as (root, grip):
                    try:
                        self._inside.close()
                        self._prove()  # it makes itself ready meanwhile
                        self._wait(root)
                    finally:
                        grip.kill(root)
                        root.close()
            told = os.pread(output, 1 << 20, 0).decode("utf-8", "replace").strip()
            failure = told[-_MOST_ERROR:] or "it ended"
        except GraderError as error:
            failure, self.gave_a_reason = error.message, True
        except Exception as error:  # noqa: BLE001 - whatever it was, runs must go on without forks
            failure, self.gave_a_reason = f"{type(error).__name__}: {error}", True
        finally:
            os.close(output)
        self._requests.shutdown(socket.SHUT_RDWR)
        self.failure = failure
        self._tell(self)

    def _wait(self, root: Root) -> None:
        poll = select.poll()
        for descriptor in (root.end, self._stop, self._requests.fileno()):
            poll.register(descriptor, select.POLLIN)
        heard = dict(poll.poll(_START_S * 1000))
        if self._requests.fileno() not in heard:
            if not heard:
                raise SandboxError(f"it was not ready after {_START_S:.0f} s")
            return
        data, ancillary, _, _ = self._requests.recvmsg(_CHUNK, socket.CMSG_SPACE(_CREDENTIALS.size))
        message = json.loads(data or b"{}")
        if "error" in message:
            raise SandboxError(message["error"].strip().splitlines()[-1])
        if not data:
            return
        self.pid = _CREDENTIALS.unpack(ancillary[0][2])[0]
        self._end = os.pidfd_open(self.pid)
        self.is_ready = True
        self._tell(self)
        poll = select.poll()
        for descriptor in (root.end, self._end, self._stop):
            poll.register(descriptor, select.POLLIN)
        poll.poll()
