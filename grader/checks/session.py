"""Evidence → CheckResult…: one pytest session judges every submission of a batch.

The checks are collected once and run again for each submission, with fixtures that give facts:
no live objects, no student's file, no Keras.
"""

import contextlib
import inspect
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.checks.fixtures import Fixtures
from grader.checks.verdict import EVERY_WORD, BrokenFactError, Unmet
from grader.errors import AssignmentError
from grader.records import (
    AlignedLayer,
    CheckOutcome,
    CheckResult,
    CheckWord,
    Evidence,
)

UNWANTED_PLUGINS = (
    "cacheprovider",
    "debugging",
    "doctest",
    "faulthandler",
    "junitxml",
    "logging",
    "pastebin",
    "setuponly",
    "setupplan",
    "stepwise",
    "terminal",
    "threadexception",
    "unraisableexception",
    "warnings",
)
"""They cost time at every check, write files, or print."""
MARKERS = (
    "points(n): what the check is worth",
    "requires(name, ...): checks that must have passed, or this one is skipped",
)

NEEDED_TABLES: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "fits": ("model",),
    "history": ("model",),
    "held_out": ("data", "model"),
    "probes": ("probes",),
    "answers": ("probes",),
}
"""What a fixture stands on in ``assignment.toml``."""


OnVerdict = Callable[[Evidence, tuple[CheckResult, ...], float], None]
"""Told of one submission: its evidence, its results in the order of the checks, the seconds."""


def run_checks(
    evidence: Iterable[Evidence],
    assignment: Assignment,
    on_verdict: OnVerdict,
    *,
    hidden: bool = True,
) -> None:
    """Judge submissions by an assignment's checks, each as soon as its evidence is there.

    Args:
        evidence: What is known of each submission; may wait for the next one.
        assignment: Names the check files.
        on_verdict: Told of each submission.
        hidden: Whether hidden checks are run too.

    Raises:
        AssignmentError: A check file cannot be collected or a check is not well-formed.
        Exception: Whatever the evidence or ``on_verdict`` raised.
    """
    _session(evidence, assignment, on_verdict, hidden=hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCheck:
    """A check that has not been run."""

    name: str
    """The test function."""
    title: str
    """Its docstring's first line."""
    points: float
    """What it is worth."""
    hidden: bool
    """Not shown to students."""
    facts: tuple[str, ...] = ()
    """The fixtures it asks for, directly or not."""


def list_checks(assignment: Assignment) -> tuple[ListedCheck, ...]:
    """Collect and validate an assignment's checks without judging anyone.

    Raises:
        AssignmentError: A check file cannot be collected or a check is not well-formed.
    """
    judge = _session((), assignment, _tell_nobody, hidden=True)
    return tuple(
        ListedCheck(
            name=check.name,
            title=check.title,
            points=check.points,
            hidden=check.hidden,
            facts=tuple(getattr(check.item, "fixturenames", ())),
        )
        for check in judge.checks
    )


def _unseen(*_: object, **__: object) -> str:
    """Stand for a traceback, for which pytest would parse every source file in it, each time."""
    return ""


def _tell_nobody(*_: object) -> None:
    pass


def _session(
    evidence: Iterable[Evidence], assignment: Assignment, on_verdict: OnVerdict, *, hidden: bool
) -> "_Judge":
    files = [*assignment.visible, *(assignment.hidden if hidden else ())]
    judge = _Judge(evidence, files, assignment, on_verdict)
    # Python remembers modules by name: the same file, changed, or another assignment's file of the
    # same name must be read anew.
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "").name in {file.name for file in files}:
            del sys.modules[name]
    status = pytest.main(
        [
            *map(str, files),
            f"--rootdir={assignment.folder}",
            f"--confcutdir={assignment.folder}",
            "--config-file=/dev/null",
            "--import-mode=importlib",
            "--strict-markers",
            "--disable-plugin-autoload",
            "--capture=no",  # costs more than a check; see _run
            "--override-ini=addopts=",
            *(f"-pno:{name}" for name in UNWANTED_PLUGINS),
        ],
        plugins=[judge],
    )
    if judge.failure is not None:
        raise judge.failure
    if judge.complaints:
        raise AssignmentError("\n".join(judge.complaints))
    if not judge.is_done or not judge.checks:
        raise AssignmentError(
            f"{assignment.folder}: pytest could not run the checks (exit status {int(status)}).",
            remedy=f"Try: python -m pytest --collect-only {' '.join(map(str, files))}",
        )
    return judge


@dataclass(slots=True)
class _Verdict:
    outcome: CheckOutcome = "passed"
    expected: str = ""
    received: str = ""
    hint: str = ""
    alignment: tuple[AlignedLayer, ...] = ()
    tells: tuple[CheckWord, ...] = ()


@dataclass(frozen=True, slots=True)
class _Check:
    item: pytest.Item
    name: str
    title: str
    points: float
    requires: tuple[str, ...]
    hidden: bool


class _Judge(Fixtures):
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
        self.checks: list[_Check] = []
        self.complaints: list[str] = []
        self._evidence = evidence
        self._on_verdict = on_verdict
        self._files = files
        self._hidden = {path.resolve() for path in assignment.hidden}
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
        self.checks = self._checks(session.items)
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

    # -------------------------------------------------------------- collecting

    def _checks(self, items: Sequence[pytest.Item]) -> list[_Check]:
        checks: list[_Check] = []
        for item in items:
            check = self._check(item)
            if check.name in {known.name for known in checks}:
                self._complain(item, f"there is a second check called {check.name}")
            known_before = {known.name.partition("[")[0] for known in checks} | {
                known.name for known in checks
            }
            for name in check.requires:
                if name not in known_before:
                    self._complain(item, f"requires {name!r}, which is no check before it")
            checks.append(check)
        if not checks and not self.complaints:
            places = ", ".join(sorted(path.name for path in self._files))
            self.complaints.append(
                f"{places}: there are no checks: a check is a function called test_…."
            )
        return checks

    def _check(self, item: pytest.Item) -> _Check:
        function = getattr(item, "function", None)
        title = (inspect.getdoc(function) or "").partition("\n")[0].strip()
        marks = list(item.iter_markers("points"))
        points = marks[0].args[0] if marks and len(marks[0].args) == 1 else None
        if not title:
            self._complain(item, "has no docstring: its first line is the title that students read")
        if not isinstance(points, int | float) or isinstance(points, bool) or points < 0:
            self._complain(item, "has no points: write @pytest.mark.points(2) above it")
            points = 0
        for name in getattr(item, "fixturenames", ()):
            if missing := self._missing_tables(name):
                self._complain(
                    item,
                    f"asks for `{name}`, and assignment.toml has no {' and no '.join(missing)}",
                )
        parameters = item.name.partition("[")[2].removesuffix("]")
        return _Check(
            item=item,
            name=item.name,
            title=f"{title} [{parameters}]" if parameters else title,
            points=float(points),
            requires=tuple(
                str(name) for mark in item.iter_markers("requires") for name in mark.args
            ),
            hidden=item.path.resolve() in self._hidden,
        )

    def _missing_tables(self, fixture: str) -> list[str]:
        """The tables of ``assignment.toml`` that a fixture stands on and that are not there."""
        return [
            f"[{table}]"
            for table in NEEDED_TABLES.get(fixture, ())
            if not getattr(self._settings, table)
        ]

    def _complain(self, item: pytest.Item, what: str) -> None:
        path, line, _ = item.location
        place = f"{item.path.parent.name}/{Path(path).name}" + (
            f":{line + 1}" if line is not None else ""
        )
        self.complaints.append(f"{place}: {item.name}: {what}.")

    # -------------------------------------------------------------- judging

    def _judge_one(self, checks: Sequence[_Check]) -> list[CheckResult]:
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

    def _run(self, check: _Check, following: pytest.Item | None) -> None:
        self._verdict, self._compared, self._told.measured = _Verdict(), None, False
        with contextlib.redirect_stdout(io.StringIO()):  # what a check prints is nobody's report
            check.item.config.hook.pytest_runtest_protocol(item=check.item, nextitem=following)

    def _result(self, check: _Check) -> CheckResult:
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
