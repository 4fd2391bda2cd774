"""Runs that are forks: Keras and TensorFlow are imported once, by a server inside a sandbox.

Each fork locks itself in as a fresh process would. Where a server cannot be had, or a job needs
what it has not, a fresh sandboxed process runs the job: slower, never less isolated.
"""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.errors import SandboxError
from grader.sandbox.groups import Groups
from grader.sandbox.interface import Isolation, Job, Limits, OnMessage, Outcome, Sandbox
from grader.sandbox.plan import Serving
from grader.sandbox.selftest import PROGRAM_NAMES, PROGRAMS, Proof, prove
from grader.sandbox.server import ForkRefusedError, Rung, Server, ServerDeadError

_MOST_DEATHS = 3
_AHEAD = 4
"""So many runs before a server is due, the next one is started."""


class ZygoteSandbox:
    """Runs jobs in forks of a server wherever it can.

    Args:
        cold: Runs what cannot be forked.
        programs: The workers to import ahead.
        readable: What a forked job may read, as in :attr:`Job.readable`. Never held-out data.
        prepare: What the workers' ``prepare`` gets besides ``work`` and ``places``.
        late: Modules that the workers import, and which may wait until the server has time.
        runs: After so many a new server takes over.
    """

    def __init__(
        self,
        cold: Sandbox,
        *,
        programs: Sequence[str],
        readable: Mapping[str, Path] | None = None,
        prepare: Mapping[str, object] | None = None,
        late: Sequence[str] = (),
        runs: int = 200,
    ) -> None:
        self._cold = cold
        self._serving = Serving(
            programs=tuple(programs),
            readable=dict(readable or {}),
            prepare=dict(prepare or {}),
            late=tuple(late),
        )
        self._most_runs = runs
        self._changed = threading.Condition()
        self._servers: list[Server] = []
        """The one in use, then perhaps the next one, then those whose last runs go on."""
        self._current: Server | None = None
        self._next: Server | None = None
        self._deaths = 0
        self._is_proven = False
        self._refusal = ""
        self._is_closed = False

    @property
    def isolation(self) -> Isolation:
        """The rung and its sentence: the same for a fork as for a fresh process."""
        return self._cold.isolation

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the terminal."""
        with self._changed:
            if not self._refusal:
                return ()
            slower = "Keras is imported anew for every run, which is slower and no less isolated"
            return (f"{slower}: {self._refusal}.",)

    def __enter__(self) -> Self:
        """Nothing is started before it is needed, or :meth:`start` called."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the servers."""
        self.close()

    def start(self) -> None:
        """Begin to start a server in the background, if there is none."""
        with self._changed:
            self._start()

    def close(self) -> None:
        """End the servers, and what still runs on them."""
        with self._changed:
            self._is_closed = True
            servers, self._servers = self._servers, []
            self._current = self._next = None
            self._changed.notify_all()
        for server in servers:
            server.close()

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job to its end; see :class:`grader.sandbox.interface.Sandbox`.

        Raises:
            RunLostError: The server died under the run, which may be begun anew.
        """
        while self._fits(job) and (server := self._take()):
            try:
                outcome = server.run(job, limits, on_message)
            except ServerDeadError:
                server.end()
                self._lose(server)
                continue
            except ForkRefusedError as error:
                self._refuse(f"a fork was refused: {_last_line(error.message)}")
                break
            finally:
                self._give_back(server)
            if not outcome.setup_error or outcome.ending != "finished":
                return outcome
            self._refuse(f"a fork could not be set up: {_last_line(outcome.setup_error)}")
        return self._cold.run(job, limits, on_message)

    def _fits(self, job: Job) -> bool:
        return job.program in self._serving.programs and all(
            self._serving.readable.get(name) == path for name, path in job.readable.items()
        )

    def _refuse(self, reason: str) -> None:
        with self._changed:
            self._refusal = self._refusal or reason
            self._changed.notify_all()

    # ------------------------------------------------------------------ servers, under the lock

    def _take(self) -> Server | None:
        """Wait for a server that is ready; ``None`` when there will be none."""
        with self._changed:
            while True:
                self._start()
                server = self._current
                if self._refusal or server is None:
                    return None
                if server.is_ready:
                    server.taken += 1
                    server.running += 1
                    self._look_ahead(server)
                    return server
                self._changed.wait()

    def _give_back(self, server: Server) -> None:
        with self._changed:
            server.running -= 1
            if server is not self._current and not server.running:
                server.end()

    def _look_ahead(self, server: Server) -> None:
        if self._next is None and server.taken >= self._most_runs - _AHEAD:
            self._next = self._new()
        if server.taken >= self._most_runs:
            self._current, self._next = self._next, None

    def _start(self) -> None:
        if self._current is None and not self._refusal and not self._is_closed:
            self._current, self._next = self._next or self._new(), None

    def _new(self) -> Server | None:
        if not isinstance(self._cold, Rung):
            self._refusal = "this sandbox cannot fork"
            return None
        for over in [each for each in self._servers if each.is_over and not each.running]:
            self._servers.remove(over)
            over.close()
        prove = functools.partial(self._prove, self._cold)
        server = Server(self._cold, self._serving, prove, self._hear)
        self._servers.append(server)
        return server

    # ------------------------------------------------------------------ from a server's thread

    def _prove(self, cold: Rung) -> None:
        """Find out whether forks keep the promise of this rung."""
        if self._is_proven or self.isolation.level == "none":
            return
        proof = prove_forks(type(cold), cold.groups)
        if not proof.holds:
            raise SandboxError(proof.reason)

    def _hear(self, server: Server) -> None:
        """Take note that a server is ready or has ended."""
        with self._changed:
            if server.gave_a_reason and not server.is_ready and not self._is_closed:
                self._refusal = self._refusal or _last_line(server.failure or "")
        if server.failure is not None:
            self._lose(server)
        with self._changed:
            self._changed.notify_all()

    def _lose(self, server: Server) -> None:
        with self._changed:
            if server is self._next:
                self._next = None
            if server is not self._current:
                return
            self._current = None
            self._deaths += 1
            if self._deaths > _MOST_DEATHS:
                self._refusal = self._refusal or f"the server died {self._deaths} times"


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1].rstrip(".") if text.strip() else "it said nothing"


@functools.cache
def prove_forks(
    rung: Callable[[str, Path, Groups | None], Sandbox], groups: Groups | None = None
) -> Proof:
    """Run the self-test of a rung in a fork.

    Args:
        rung: Makes its sandbox.
        groups: Where its runs have control groups, if they have some.
    """
    with ZygoteSandbox(rung("", PROGRAMS, groups), programs=PROGRAM_NAMES) as sandbox:
        sandbox._is_proven = True  # noqa: SLF001 - it is being proven
        proof = prove(sandbox, groups)
        return replace(proof, failure=proof.failure or sandbox._refusal)  # noqa: SLF001 - as above
