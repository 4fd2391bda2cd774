"""Runs the programs that are timed, and says what they cost."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.processes import Meter, Process, peak_mb

HERE = Path(__file__).resolve().parents[1]
"""The folder of the benchmarks."""
REPOSITORY = HERE.parent
"""The folder that has them."""

COMMAND_LIMIT = 1800.0
"""Seconds after which a command is taken for dead."""
LOOK_S = 0.02
"""How often the tree of a running command is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to be timed."""

    argv: Sequence[str]
    """The program and its arguments."""
    cwd: Path
    """The folder it runs in."""
    environment: Mapping[str, str]
    """Its whole environment."""
    log: Path
    """Where both its streams go."""
    answer: Path | None = None
    """Where standard output goes instead."""
    fine: frozenset[int] = frozenset({0})
    """The exit codes of a program that did what it should."""
    marker: str = ""
    """The text whose first appearance in the log is timed."""
    watch: Callable[[Sequence[Process]], None] | None = None
    """Shown the tree at every look."""
    limit: float = COMMAND_LIMIT
    """Seconds it may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a program cost."""

    seconds: float
    """Wall time."""
    cpu_seconds: float
    """User and system time of its whole tree, whoever waited for it."""
    own_peak_mb: float
    """The most resident memory of the program itself, without its children."""
    first_seconds: float | None = None
    """Wall time until the marker stood in the log."""


def tail(log: Path, lines: int = 25) -> str:
    """The end of a log file, for an error message."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def run(command: Command) -> Usage:
    """Run a program to its end and say what it cost.

    Raises:
        BenchmarkError: It is missing, failed, or did not end; or who watched it found fault.
    """
    with command.log.open("wb") as log, (command.answer or Path(os.devnull)).open("wb") as answer:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=answer if command.answer else log,
                stderr=log,
            )
        except OSError as error:
            raise BenchmarkError(f"cannot start {command.argv[0]}: {error}") from error
        looker = _Looker(process.pid, command, start)
        alarm = threading.Timer(command.limit, process.kill)
        alarm.start()
        looker.start()
        try:
            # Not Popen.wait(): only wait4 tells what the process used.
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            raise
        finally:
            seconds = time.perf_counter() - start
            alarm.cancel()
            looker.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
    if looker.fault is not None:
        raise looker.fault
    if process.returncode not in command.fine:
        raise BenchmarkError(_failure(command, process.returncode))
    return Usage(
        seconds=seconds,
        cpu_seconds=looker.meter.total(used.ru_utime + used.ru_stime),
        own_peak_mb=looker.own_peak_mb,
        first_seconds=looker.first_seconds,
    )


def run_all(commands: Sequence[Command], *, at_once: int) -> Usage:
    """Run programs, some at a time.

    Args:
        commands: The programs, in order.
        at_once: How many may run at the same time.

    Returns:
        Wall time from the first start to the last end, the sum of processor times, the highest of
        the peaks. With several commands, the first result is there when one of them has ended.
    """
    start = time.perf_counter()
    ended: list[float] = []

    def one(command: Command) -> Usage:
        usage = run(command)
        ended.append(time.perf_counter() - start)
        return usage

    with ThreadPoolExecutor(at_once) as pool:
        used = list(pool.map(one, commands))
    return Usage(
        seconds=time.perf_counter() - start,
        cpu_seconds=sum(each.cpu_seconds for each in used),
        own_peak_mb=max(each.own_peak_mb for each in used),
        first_seconds=ended[0] if len(used) > 1 else used[0].first_seconds,
    )


def _failure(command: Command, code: int) -> str:
    shown = " ".join(map(str, command.argv))
    ending = (
        f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    )
    return f"`{shown}` {ending}:\n{tail(command.log)}"


class _Looker(threading.Thread):
    """Looks at the tree of a command until it has ended."""

    def __init__(self, pid: int, command: Command, start: float) -> None:
        super().__init__(daemon=True)
        self.meter = Meter(pid)
        self.own_peak_mb = 0.0
        self.first_seconds: float | None = None
        self.fault: Exception | None = None
        self._pid = pid
        self._command = command
        self._start = start
        self._over = threading.Event()

    def run(self) -> None:
        """Look, until told that it is over; what goes wrong is raised again by who waits."""
        try:
            while not self._over.wait(LOOK_S):
                self._look()
            self._look_for_marker()
        except BenchmarkError as error:
            self.fault = error
        except Exception as error:  # noqa: BLE001 - else its numbers would just be too small
            self.fault = BenchmarkError(f"the command could not be looked at: {error!r}")

    def _look(self) -> None:
        tree = self.meter.look()
        self.own_peak_mb = max(self.own_peak_mb, peak_mb(self._pid))
        self._look_for_marker()
        if self._command.watch is not None:
            self._command.watch(tree)

    def stop(self) -> None:
        """The program has ended."""
        self._over.set()
        self.join()

    def _look_for_marker(self) -> None:
        marker = self._command.marker
        if marker and self.first_seconds is None:
            now = time.perf_counter()
            if marker.encode() in self._command.log.read_bytes():
                self.first_seconds = now - self._start
