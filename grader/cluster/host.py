"""On the instructor's machine: connects to a cluster, checks its workers, and gives them orders.

Dask carries what travels and notices who is gone. Who gets which order is decided here, because a
worker must be checked before it gets one, and because it must be known under whom a worker died.
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NoReturn, Self

from distributed import Client, Future
from pydantic import TypeAdapter, ValidationError

from grader.cluster import station
from grader.cluster.crew import PATIENCE_S, Crew
from grader.cluster.letters import Answer, read_answer, write_order
from grader.cluster.parcel import pack
from grader.cluster.passport import Passport, common_level, complaints, remedy
from grader.datasets import Dataset
from grader.errors import ClusterError, WorkerError
from grader.find_out import MOST_LOSSES, Findings, Order
from grader.sandbox.interface import Isolation, Job, Level, Limits, OnMessage, Outcome
from grader.workbench import OnProgress, Progress, Shortcuts, Workbench

LOOK_S = 1.0
"""How often it is looked who came and who is gone."""
LEAVE_S = 5.0
"""How long a look that was begun may hold up the end."""
MOST_WAITING = 64
"""Submissions that wait for a worker, so that those that come later find work at once."""
_PASSPORT = TypeAdapter(Passport)


class LostError(Exception):
    """A worker is gone, or its answer is."""


class _Elsewhere:
    """Stands for the sandboxes of the workers: says how they isolate, and runs nothing here."""

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Never called: orders go to the workers."""
        raise NotImplementedError


class Cluster:
    """The hands of a batch, on other machines.

    Args:
        client: The connection.
        address: What was asked for, for messages.
        dataset: What is served and what is held out.
        level: The rung that was asked for.
        shortcuts: Which of them are taken.
        memory: Bytes that one submission may use.
        on_progress: Told of every step.
        say: Told what is being prepared, and of workers that do not fit.
    """

    bench: Workbench
    """What the workers have: their isolation, the data, the shortcuts."""

    def __init__(  # noqa: PLR0913 - see open_cluster
        self,
        client: Client,
        address: str,
        dataset: Dataset,
        *,
        level: Level | None,
        shortcuts: Shortcuts,
        memory: int,
        on_progress: OnProgress,
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._address = address
        self._dataset = dataset
        self._level = level
        self._shortcuts = shortcuts
        self._memory = memory
        self._on_progress = on_progress
        self._say = say
        self._batch = f"grader-{uuid.uuid4().hex}"
        self._crew = Crew(self._why_nobody)
        self._unfit: dict[str, str] = {}
        self._furnished: set[str] = set()
        self._furnishing = threading.Lock()
        self._at_work: set[str] = set()
        self._over = threading.Event()
        self._watch = threading.Thread(
            target=self._keep_looking, name="grader-cluster", daemon=True
        )

    # -------------------------------------------------------------- opening, closing

    def __enter__(self) -> Self:
        """Check every worker that is there."""
        self._say(f"Waiting for workers of {self._address} ...")
        workers = self._first_workers()
        self._say(f"Checking {len(workers)} workers of {self._address} ...")
        passports = self._passports(workers)
        self._level = common_level(passports, self._level)
        lines = [
            f"  {each.name}: {'; '.join(found)}"
            for each in passports
            if (found := complaints(each, self._level))
        ]
        if lines:
            count = f"{len(lines)} of {len(passports)}"
            raise ClusterError(
                "\n".join([f"{count} workers of {self._address} do not fit:", *lines]),
                remedy=remedy(passports, self._level),
            )
        for each in passports:
            self._take_in(each)
        isolation = Isolation(
            level=passports[0].level or "none",
            description=" ".join(dict.fromkeys(each.description for each in passports)),
        )
        self.bench = Workbench(
            sandbox=_Elsewhere(isolation),
            dataset=self._dataset,
            shortcuts=self._shortcuts,
            on_progress=self._on_progress,
        )
        self._client.subscribe_topic(self._batch, self._hear)
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Have the workers close what was opened for this batch."""
        self._crew.dismiss("The batch is over.")
        self._over.set()
        self._watch.join(LEAVE_S)
        workers = sorted(self._furnished & set(self._crew.members()))
        if workers and self._client.status == "running":
            with suppress(Exception):  # who is gone has closed it already
                self._client.run(station.clear, self._batch, workers=workers, on_error="ignore")

    # -------------------------------------------------------------- working

    @property
    def jobs(self) -> int:
        """How many submissions may be begun at a time; more than there are places today."""
        return max(MOST_WAITING, 2 * self._crew.places)

    def get_ready(self) -> None:
        """Nothing to begin: a worker is furnished with its first order."""

    def __call__(self, order: Order) -> Findings:
        """Have a worker find out what is asked; a lost worker's order goes to another.

        Raises:
            WorkerError: It failed there, or several workers in a row were lost over it.
            ClusterError: No worker is left.
        """
        letter = write_order(order)
        losses: list[str] = []
        while len(losses) < MOST_LOSSES:
            with self._crew.place() as worker:
                try:
                    self._furnish(worker)
                    return read_answer(self._ask(worker, letter, order.submission.student))
                except LostError as error:
                    if self._is_connected():
                        losses.append(f"{worker}: {error}")
        raise WorkerError(
            f"{MOST_LOSSES} workers in a row were lost while they worked on it "
            f"({'; '.join(losses)})"
        )

    def _is_connected(self) -> bool:
        """Whether the scheduler was there all the time; if not, wait until it is again.

        Raises:
            ClusterError: It does not come back.
        """
        if self._client.status == "running":
            return True
        while self._client.status == "connecting":
            time.sleep(LOOK_S)
        if self._client.status != "running":
            self._lost("it does not answer")
        return False

    def _ask(self, worker: str, letter: bytes, student: str) -> Answer:
        """Send an order and wait for the answer, or until the worker is gone."""
        self._at_work.add(student)
        try:
            future = self._client.submit(
                station.visit,
                self._batch,
                letter,
                key=f"{self._batch}-{uuid.uuid4().hex}",
                workers=[worker],
                allow_other_workers=False,
                pure=False,
            )
            try:
                answer = self._await(future, worker)
            finally:
                future.release()
        except LostError:
            raise
        except Exception as error:  # noqa: BLE001 - faults come as answers: this is Dask's
            raise LostError(f"{type(error).__name__}: {error}") from None
        finally:
            self._at_work.discard(student)
        if not isinstance(answer, Answer):
            raise LostError("it gave no answer")
        if not answer.is_furnished:  # the process was replaced by another at the same address
            self._furnished.discard(worker)
            raise LostError("it was started anew")
        return answer

    def _await(self, future: Future, worker: str) -> object:
        """Wait for an answer while its worker is there."""
        while True:
            try:
                return future.result(timeout=LOOK_S)
            except TimeoutError:
                if worker not in self._crew.members():
                    raise LostError("it is gone") from None

    def _furnish(self, worker: str) -> None:
        """Have the data and a sandbox there; the first order brings them to all workers at once."""
        if worker in self._furnished:
            return
        with self._furnishing:
            if worker in self._furnished:
                return
            bare = sorted({worker, *self._crew.members()} - self._furnished)
            equipment = station.Equipment(
                level=self.bench.sandbox.isolation.level,
                shortcuts=self._shortcuts,
                memory=self._memory,
            )
            said = self._run(bare, station.furnish, self._batch, equipment, pack(self._dataset))
            for each in bare:
                problem = said.get(each, "it is gone")
                if not problem:
                    self._furnished.add(each)
                elif isinstance(problem, str):
                    self._refuse(each, problem)
        if worker not in self._furnished:
            raise LostError(str(said.get(worker)) or "it is gone")

    def _hear(self, event: tuple[float, dict[str, str]]) -> None:
        """Pass on what a worker tells of an order that is still with it."""
        _, told = event
        student, stage, detail = (str(told.get(key)) for key in ("student", "stage", "detail"))
        if student in self._at_work:
            self._on_progress(Progress(student=student, stage=stage, detail=detail))

    # -------------------------------------------------------------- who is there

    def _first_workers(self) -> list[str]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                workers = list(self._client.nthreads())
            except Exception as error:  # noqa: BLE001 - whatever Dask says when it is gone
                self._lost(error)
            if workers:
                return workers
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"The scheduler {self._address} has no workers, "
                    f"and none came in {PATIENCE_S:.0f} seconds.",
                    remedy="Start some: dask worker ADDRESS --nthreads 4",
                )
            time.sleep(LOOK_S)

    def _keep_looking(self) -> None:
        while not self._over.wait(LOOK_S):
            try:
                there = set(self._client.nthreads())
                if self._client.status == "running":
                    self._compare(there)
            except Exception:  # noqa: BLE001 - it may be back at the next look
                there = set()
            if self._client.status == "closed":
                self._crew.dismiss(self._lost_words("it does not answer"))
                for worker in self._crew.members():
                    self._crew.leave(worker)
                return

    def _compare(self, there: set[str]) -> None:
        """Strike off who is gone, check who came."""
        for worker in set(self._crew.members()) - there:
            self._furnished.discard(worker)
            self._crew.leave(worker)
        known = {*self._crew.members(), *self._unfit}
        for each in self._passports(sorted(there - known)):
            found = complaints(each, self._level)
            if found:
                self._refuse(each.worker, "; ".join(found))
            else:
                self._take_in(each)

    def _passports(self, workers: Sequence[str]) -> list[Passport]:
        """Ask workers who they are; who cannot say it has a passport with a problem."""
        said = self._run(workers, station.show_passport, self._level)
        found = []
        for worker in workers:
            try:
                found.append(_PASSPORT.validate_python(said.get(worker)))
            except ValidationError:
                answer = said.get(worker)
                problem = (
                    f"no usable grader there ({type(answer).__name__}: {answer})"
                    if isinstance(answer, Exception)
                    else "it does not answer"
                )
                found.append(Passport(worker=worker, problem=problem))
        return found

    def _take_in(self, passport: Passport) -> None:
        fitting = passport.memory // self._memory
        self._crew.join(passport.worker, max(1, min(passport.threads, fitting)))

    def _refuse(self, worker: str, problem: str) -> None:
        self._unfit[worker] = problem
        self._crew.leave(worker)
        self._say(f"Worker {worker} gets no work: {problem}")

    def _run(
        self, workers: Sequence[str], function: Callable[..., Any], *args: object
    ) -> dict[str, Any]:
        """Call a function on workers; an error of one is its answer."""
        if not workers:
            return {}
        said = self._client.run(function, *args, workers=list(workers), on_error="return")
        return dict(said)

    def _why_nobody(self) -> str:
        unfit = "".join(f" {worker}: {problem}." for worker, problem in self._unfit.items())
        return f"No worker of {self._address} is left, and none came in {PATIENCE_S:.0f} s.{unfit}"

    def _lost_words(self, reason: object) -> str:
        return f"The scheduler {self._address} is lost: {reason}."

    def _lost(self, reason: object) -> NoReturn:
        raise ClusterError(
            self._lost_words(reason),
            remedy="What was graded is kept: the same command goes on from there.",
        ) from None
