"""The pytest plugin that judges: facts to the checks, verdicts from what they raise."""

import contextlib
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.checks.collected import MARKERS, Check, Reader
from grader.checks.fixtures import Fixtures
from grader.checks.verdict import EVERY_WORD, BrokenFactError, Unmet
from grader.records import (
    AlignedLayer,
    CheckOutcome,
    CheckResult,
    CheckWord,
    Evidence,
)

OnVerdict = Callable[[Evidence, tuple[CheckResult, ...], float], None]
"""Told of one submission: its evidence, its results in the order of the checks, the seconds."""


def _unseen(*_: object, **__: object) -> str:
    """Stand for a traceback, for which pytest would parse every source file in it, each time."""
    return ""


@dataclass(slots=True)
class _Verdict:
    outcome: CheckOutcome = "passed"
    expected: str = ""
    received: str = ""
    hint: str = ""
    alignment: tuple[AlignedLayer, ...] = ()
    tells: tuple[CheckWord, ...] = ()


class Judge(Fixtures):
    """The pytest plugin: fixtures of facts, one loop over submissions, verdicts from reports."""

    def __init__(
        self,
        evidence: Iterable[Evidence],
        files: Sequence[Path],
        assignment: Assignment,
        on_verdict: OnVerdict,
    ) -> None:
        super().__init__(assignment.settings)
        self.is_done = False
        self.failure: BaseException | None = None
        self.checks: list[Check] = []
        self._evidence = evidence
        self._on_verdict = on_verdict
        self._files = files
        self._reader = Reader(assignment.settings, {path.resolve() for path in assignment.hidden})
        self.complaints = self._reader.complaints
        self._verdict = _Verdict()
        self._compared: tuple[str, str] | None = None

    # -------------------------------------------------------------- pytest's hooks

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make our marks known."""
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what is wrong with a check file."""
        if report.failed:
            self.complaints.append(f"{report.nodeid}: cannot be collected:\n{report.longreprtext}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every check for every submission."""
        self.checks = self._reader.read(session.items)
        if not self.checks and not self.complaints:
            places = ", ".join(sorted(path.name for path in self._files))
            self.complaints.append(
                f"{places}: there are no checks: a check is a function called test_…."
            )
        if not self.complaints:
            try:
                self._judge_all()
            except BaseException as error:  # noqa: BLE001 - pytest would make a report of it
                self.failure = error
        return True

    def _judge_all(self) -> None:
        for check in self.checks:
            vars(check.item).update(repr_failure=_unseen, _repr_failure_py=_unseen)
        for evidence in self._evidence:
            self._now = evidence
            began = time.perf_counter()
            results = tuple(self._judge_one(self.checks))
            self._on_verdict(evidence, results, time.perf_counter() - began)
        self.is_done = True

    def pytest_keyboard_interrupt(self) -> None:
        """Pass on what pytest would turn into an exit status."""
        self.failure = KeyboardInterrupt()

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Remember both sides of a plain ``assert a == b``."""
        self._compared = (f"{op} {right!r}" if op != "==" else repr(right), repr(left))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Turn an exception into a verdict."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if error is not None and self._verdict.outcome == "passed":
            self._verdict = self._judge_error(error, call.excinfo)
            if self._told.measured:
                own = error.tells if isinstance(error, Unmet) else ()
                self._verdict.tells = own or EVERY_WORD
        return report

    # -------------------------------------------------------------- judging

    def _judge_one(self, checks: Sequence[Check]) -> list[CheckResult]:
        results: list[CheckResult] = []
        outcomes: dict[str, list[tuple[str, CheckOutcome]]] = {}
        for place, check in enumerate(checks):
            unmet = [
                title
                for name in check.requires
                for title, outcome in outcomes.get(name, ())
                if outcome != "passed"
            ]
            if unmet:
                self._verdict = _Verdict(
                    "skipped", hint=f"Not judged, because this is not met: {unmet[0]}"
                )
            else:
                self._run(check, checks[place + 1].item if place + 1 < len(checks) else None)
            results.append(self._result(check))
            for name in {check.name, check.name.partition("[")[0]}:
                outcomes.setdefault(name, []).append((check.title, results[-1].outcome))
        return results

    def _run(self, check: Check, following: pytest.Item | None) -> None:
        self._verdict, self._compared, self._told.measured = _Verdict(), None, False
        with contextlib.redirect_stdout(io.StringIO()):  # what a check prints is nobody's report
            check.item.config.hook.pytest_runtest_protocol(item=check.item, nextitem=following)

    def _result(self, check: Check) -> CheckResult:
        verdict = self._verdict
        return CheckResult(
            name=check.name,
            title=check.title,
            outcome=verdict.outcome,
            points=check.points if verdict.outcome == "passed" else 0.0,
            out_of=check.points,
            hidden=check.hidden,
            expected=verdict.expected,
            received=verdict.received,
            hint=verdict.hint,
            alignment=verdict.alignment,
            tells=verdict.tells,
        )

    def _hint(self, words: str) -> str:
        """The author's words after the comma, which pytest puts before what it says itself."""
        own = "" if words.startswith("assert ") else words.partition("\nassert ")[0]
        if own or self._compared:
            return own.partition("\n")[0]
        return words.partition("\n")[0].removeprefix("assert ")

    def _judge_error(
        self, error: BaseException, raised: pytest.ExceptionInfo[BaseException] | None
    ) -> _Verdict:
        match error:
            case Unmet():
                return _Verdict(
                    "failed", error.expected, error.received, error.hint, error.alignment
                )
            case BrokenFactError():
                return _Verdict("broken", hint=str(error))
            case AssertionError():
                expected, received = self._compared or ("", "")
                return _Verdict("failed", expected, received, self._hint(str(error)))
            case pytest.skip.Exception():
                return _Verdict("skipped", hint=str(error))
            case pytest.fail.Exception():
                return _Verdict("failed", hint=str(error))
            case _:
                what = f"{type(error).__name__}: {error}".partition("\n")[0]
                # Only here: to write it, pytest parses the whole file.
                place = str(raised.traceback[-1]) if raised else ""
                return _Verdict(
                    "broken", hint=f"The check itself failed at {place.strip()}: {what}"
                )
