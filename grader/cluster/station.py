"""On a worker of the cluster: a sandbox and data, opened once for a batch, work on its orders.

Runs in the process of a Dask worker. Student code does not: it runs in the same sandboxes as on
the instructor's machine, below this process.
"""

import asyncio
import logging
import platform
import threading
import time
import traceback
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import psutil
from distributed import Worker, WorkerPlugin

from grader.batch import Room
from grader.cluster.letters import Answer, read_order, write_answer
from grader.cluster.parcel import Parcel, unpack
from grader.cluster.passport import Passport
from grader.errors import GraderError
from grader.keys import circumstances
from grader.local import LocalHands, open_bench
from grader.sandbox import open_sandbox
from grader.sandbox.boxes import host_box
from grader.sandbox.interface import Level
from grader.workbench import Progress, Shortcuts

TELL_S = 0.5
"""How often one submission's progress is told."""
FORGOTTEN_S = 600.0
"""A station that nobody visited for so long belongs to a batch that was killed."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a batch needs on every worker."""

    level: Level
    """The rung."""
    shortcuts: Shortcuts
    """Which of them are taken."""
    memory: int
    """Bytes that one submission may use."""


# ------------------------------------------------------------------ called by the host


async def show_passport(level: Level | None, dask_worker: Worker) -> dict[str, Any]:
    """Say what this worker is; its isolation is proven by a self-test, here and now.

    Args:
        level: The rung that was asked for.
        dask_worker: This worker; Dask gives it.
    """
    try:
        return await asyncio.to_thread(_passport, level, dask_worker)
    except Exception as error:  # Dask brings home what is returned, and not all that is raised
        _logger.exception("This worker cannot say what it is.")
        problem = f"its grader fails ({type(error).__name__}: {error})"
        return asdict(Passport(worker=dask_worker.address, host=platform.node(), problem=problem))


async def furnish(batch: str, equipment: Equipment, parcel: Parcel, dask_worker: Worker) -> str:
    """Open a station for a batch.

    Args:
        batch: Its name.
        equipment: What it needs.
        parcel: Its data.
        dask_worker: This worker; Dask gives it.

    Returns:
        Why it could not be opened; empty when it is open.
    """
    if batch not in dask_worker.plugins:
        await dask_worker.plugin_add(plugin=_Closer(batch), name=batch)
    return await asyncio.to_thread(_furnish, batch, equipment, parcel, dask_worker)


async def clear(batch: str, dask_worker: Worker) -> None:
    """Close a batch's station, once nobody works there.

    Args:
        batch: Its name.
        dask_worker: This worker; Dask gives it.
    """
    if batch in dask_worker.plugins:
        await dask_worker.plugin_remove(name=batch)


def visit(batch: str, letter: bytes) -> Answer:
    """Work on an order; what goes wrong is said in the answer."""
    with _lock:
        station = _stations.get(batch)
        if station is None:
            return Answer(is_furnished=False)
        station.arrive()
    try:
        return write_answer(station.hands(read_order(letter)))
    except GraderError as error:
        return Answer(fault=f"{error.message} (on worker {station.name})")
    except Exception as error:  # our own mistake; the host names it in the report
        _logger.exception("An order could not be worked on.")
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Answer(
            fault=f"{type(error).__name__}: {error} "
            f"({where.filename}:{where.lineno} on worker {station.name})"
        )
    finally:
        station.depart()


# ------------------------------------------------------------------ in this process


class _Station:
    """One batch's sandbox and data; closed when it is no longer wanted and nobody is in it."""

    def __init__(self, name: str, hands: LocalHands, stack: ExitStack) -> None:
        self.name = name
        self.hands = hands
        self._stack = stack
        self._guests = 0
        self._wanted = True
        self._left = time.monotonic()
        self._lock = threading.Lock()

    def arrive(self) -> None:
        with self._lock:
            self._guests += 1

    def depart(self) -> None:
        with self._lock:
            self._guests -= 1
            self._left = time.monotonic()
        self._close_if_possible()

    @property
    def is_forgotten(self) -> bool:
        return not self._guests and time.monotonic() - self._left > FORGOTTEN_S

    def close(self) -> None:
        with self._lock:
            self._wanted = False
        self._close_if_possible()

    def _close_if_possible(self) -> None:
        with self._lock:
            if self._wanted or self._guests:
                return
            stack = self._stack.pop_all()
        stack.close()


_stations: dict[str, _Station] = {}
_lock = threading.Lock()
_rooms: list[Room] = []
"""One at most: the memory is shared by all batches."""


class _Closer(WorkerPlugin):  # type: ignore[misc] # Dask has no types for it
    """Closes a station when the batch is over or the worker ends, whichever is first."""

    def __init__(self, batch: str) -> None:
        self._batch = batch

    async def teardown(self, worker: Worker) -> None:
        """Close it, without holding up the worker's other talk."""
        del worker
        await asyncio.to_thread(_close, self._batch)


class _Teller:
    """Tells the host of progress, not oftener than anybody could read."""

    def __init__(self, batch: str, worker: Worker) -> None:
        self._batch = batch
        self._worker = worker
        self._told: dict[str, tuple[float, str, bool]] = {}

    def __call__(self, step: Progress) -> None:
        now, news = time.monotonic(), (step.stage, bool(step.detail))
        at, *told = self._told.get(step.student, (0.0, "", False))
        if tuple(told) == news and now - at < TELL_S:
            return
        self._told[step.student] = (now, *news)
        self._worker.log_event(self._batch, asdict(step))


def _passport(level: Level | None, worker: Worker) -> dict[str, Any]:
    proven, description, problem = None, "", ""
    try:
        isolation = open_sandbox(level).isolation
        proven, description = isolation.level, isolation.description
    except GraderError as error:
        problem = error.message
    return asdict(
        Passport(
            worker=worker.address,
            host=platform.node(),
            grader=version("keras-grader"),
            circumstances=dict(circumstances()),
            level=proven,
            description=description,
            problem=problem,
            threads=worker.state.nthreads,
            memory=_memory(worker),
        )
    )


def _memory(worker: Worker) -> int:
    limit = worker.memory_manager.memory_limit
    available = int(psutil.virtual_memory().available)
    return min(available, int(limit)) if limit else available


def _furnish(batch: str, equipment: Equipment, parcel: Parcel, worker: Worker) -> str:
    with _lock:
        for name in [name for name, station in _stations.items() if station.is_forgotten]:
            _stations.pop(name).close()
        if batch in _stations:
            return ""
        if not _rooms:
            _rooms.append(Room(_memory(worker)))
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(host_box(None))
            bench = stack.enter_context(
                open_bench(
                    open_sandbox(equipment.level),
                    unpack(parcel, folder),
                    equipment.shortcuts,
                    _Teller(batch, worker),
                )
            )
        except GraderError as error:
            return str(error)
        except Exception as error:  # here, any failure means that nothing can be done
            _logger.exception("A sandbox or its data could not be opened.")
            return f"{type(error).__name__}: {error}"
        hands = LocalHands(bench=bench, memory=equipment.memory, room=_rooms[0])
        with _lock:
            _stations[batch] = _Station(worker.address, hands, stack.pop_all())
    return ""


def _close(batch: str) -> None:
    with _lock:
        station = _stations.pop(batch, None)
    if station is not None:
        station.close()
