"""Tests an assignment before students do: assignment + reference → :class:`Validation`.

The reference, the untouched handout and every mutant go through the real engine. Mutants are first
trained for one epoch, on a part of the data where the reference bears it (a solution may know how
many rows there are), and only a check that looks at no accuracy may catch them there; those that
nobody caught so, and those that only an accuracy can show, are trained in full. All of it is kept
in the evidence store: a second call, or one with changed checks, runs nothing.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.assignment import FILE, Assignment
from grader.authoring.brief import OF_ACCURACY, brief, open_part, small
from grader.authoring.leaks import in_a_report
from grader.authoring.mutants import KINDS, Kind, Mutant, mutants_of
from grader.authoring.mutants.source import Program
from grader.authoring.pack import leaks
from grader.authoring.sameness import is_same
from grader.authoring.solution import (
    REFERENCE,
    names_in_checks,
    names_in_text,
    read_solution,
    with_cells,
)
from grader.authoring.structure import look_at
from grader.authoring.watching import Ear, Watching, unwatched
from grader.checks.session import ListedCheck, list_checks
from grader.collect import collect
from grader.errors import UsageError
from grader.gather import Gatherer
from grader.office import Office, Wishes, open_office
from grader.pipeline import grade
from grader.records import CheckResult, Report, Submission
from grader.trials import CheckTried, Complaint, Fate, MutantTried, Validation

HANDOUT = "handout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be tried."""

    assignment: Assignment
    """The assignment."""
    solution: Path
    """The reference's file."""
    reference: Submission
    """The reference as a student's notebook."""
    checks: tuple[ListedCheck, ...]
    """All checks, collected."""
    mutants: tuple[Mutant, ...]
    """All mutants."""
    only: tuple[str, ...] = ()
    """The kinds asked for; none for all."""


def plan_of(assignment: Assignment, solution: Path, only: Sequence[str] = ()) -> Plan:
    """Read the assignment and make its mutants; nothing runs.

    Args:
        assignment: What is to be tried.
        solution: The reference's file.
        only: Names of kinds, when not all are wanted.

    Raises:
        AssignmentError: A check or the reference cannot be read.
        UsageError: There is no such kind.
    """
    checks = list_checks(assignment)
    reference = read_solution(solution)
    return Plan(
        assignment=assignment,
        solution=solution,
        reference=reference,
        checks=checks,
        mutants=mutants_of(
            reference.cells,
            names_in_text(reference, assignment),
            names_in_checks(assignment),
            kinds=_kinds(only),
        ),
        only=tuple(only),
    )


def _kinds(only: Sequence[str]) -> tuple[Kind, ...]:
    names = {kind.name: kind for kind in KINDS}
    for name in only:
        if name not in names:
            raise UsageError(
                f"--only {name!r}: there is no such kind of mutant.",
                remedy=f"Known: {', '.join(names)}.",
            )
    return tuple(names[name] for name in only) or KINDS


def validate(
    plan: Plan,
    wishes: Wishes | None = None,
    *,
    watching: Watching = unwatched,
    say: Callable[[str], None] = lambda _: None,
) -> Validation:
    """Try out an assignment.

    Args:
        plan: What is tried.
        wishes: Isolation, data, evidence store.
        watching: Shows the progress of each round.
        say: Told what is being prepared.

    Raises:
        GraderError: The engine cannot work here.
    """
    began = time.perf_counter()
    seen = tuple(look_at(plan.assignment, plan.checks, plan.solution))
    ear = Ear()
    with (
        tempfile.TemporaryDirectory(prefix="grader-") as folder,
        open_office(plan.assignment, Path(folder), wishes, on_progress=ear.hear, say=say) as office,
    ):
        trial = _Trial(plan, office, wishes or Wishes(), ear, watching)
        trial.run()
        data = office.desk.bench.dataset.description
    return Validation(
        assignment=plan.assignment.name,
        solution=str(plan.solution),
        complaints=(*seen, *trial.complaints()),
        notes=tuple(trial.notes()),
        checks=tuple(trial.checks()),
        mutants=trial.mutants(),
        points={
            "reference": trial.reference.points,
            "handout": trial.handout.points if trial.handout else 0.0,
            "out_of": trial.reference.out_of,
        },
        data=data,
        only=plan.only,
        seconds=time.perf_counter() - began,
    )


@dataclass(slots=True)
class _Trial:
    """The rounds of one validation, and what they showed."""

    plan: Plan
    office: Office
    wishes: Wishes
    ear: Ear
    watching: Watching
    full: dict[str, Report] = field(default_factory=dict)
    """Reports of full trainings, by name."""
    brief: dict[str, Report] = field(default_factory=dict)
    """Reports of one epoch."""
    same: set[str] = field(default_factory=set)
    """Mutants whose evidence is the reference's."""

    # -------------------------------------------------------------- running

    def run(self) -> None:
        """Grade the reference and the handout, the mutants briefly, the rest in full."""
        assignment, reference = self.plan.assignment, self.plan.reference
        handout = assignment.folder / "handout.ipynb"
        given = collect([handout]) if handout.is_file() else []
        given = [replace(each, student=HANDOUT) for each in given]
        self.full = self._grade([reference, *given], assignment)
        made = {
            mutant.name: with_cells(reference, mutant.name, mutant.cells)
            for mutant in self.plan.mutants
        }
        quick = [made[each.name] for each in self.plan.mutants if not each.kind.by_accuracy]
        if quick:
            self.brief = self._grade_briefly([reference, *quick])
        rest = [work for name, work in made.items() if not self._caught_briefly(name)]
        self.full |= self._grade(rest, assignment)
        self.same = self._same(rest)

    def _grade_briefly(self, work: Sequence[Submission]) -> dict[str, Report]:
        """Train for one epoch, and on a part of the data where the reference bears it."""
        assignment = brief(self.plan.assignment)
        if not self.wishes.cluster:
            less = small(assignment)
            with open_part(less, self.office, self.wishes, self.ear.hear) as part:
                reports = self._grade(work[:1], less, part)
                missing = self._able(self.reference) - self._able(reports[REFERENCE])
                if missing:  # for want of rows, or of epochs?
                    whole = self._grade(work[:1], assignment)
                    missing &= self._able(whole[REFERENCE])
                if not missing:
                    return reports | self._grade(work[1:], less, part)
        return self._grade(work, assignment)

    def _grade(
        self, work: Sequence[Submission], assignment: Assignment, office: Office | None = None
    ) -> dict[str, Report]:
        if not work:
            return {}
        office = office or self.office
        with self.watching(len(work)) as self.ear.on_progress:
            reports = grade(work, assignment, office.desk, office.hands, jobs=office.jobs)
        return {report.submission["student"]: report for report in reports}

    def _same(self, work: Sequence[Submission]) -> set[str]:
        """Those whose evidence is the reference's; it is all in the store by now."""
        gatherer = Gatherer(self.plan.assignment, self.office.desk, self.office.hands)
        original = None
        found = set()
        for submission in work:
            if self._fate_of(submission.student) == "survived":
                original = original or gatherer.gather(self.plan.reference)
                if is_same(original, gatherer.gather(submission)):
                    found.add(submission.student)
        return found

    # -------------------------------------------------------------- judging

    @property
    def reference(self) -> Report:
        """The reference's report."""
        return self.full[REFERENCE]

    @property
    def handout(self) -> Report | None:
        """The untouched handout's report."""
        return self.full.get(HANDOUT)

    def _passed(self, report: Report) -> set[str]:
        return {check.name for check in report.checks if check.outcome == "passed"}

    def _able(self, report: Report) -> set[str]:
        """The checks that a brief training may be judged by, as far as it passes them."""
        passed = self._passed(report)
        return passed - {each.name for each in self.plan.checks if OF_ACCURACY & set(each.facts)}

    def _catchers(self, name: str) -> tuple[str, ...]:
        """The checks that a mutant fails and the reference passes, in full or briefly trained."""
        if name in self.full:
            report, able = self.full[name], self._passed(self.reference)
        elif name in self.brief:
            report, able = self.brief[name], self._able(self.brief[REFERENCE])
        else:
            return ()
        return tuple(
            check.name
            for check in report.checks
            if check.outcome == "failed" and check.name in able
        )

    def _caught_briefly(self, name: str) -> bool:
        report = self.brief.get(name)
        return report is not None and not report.needs_a_person and bool(self._catchers(name))

    def _fate_of(self, name: str) -> Fate:
        if self._catchers(name):
            return "caught"
        return "person" if self.full[name].needs_a_person else "survived"

    def mutants(self) -> tuple[MutantTried, ...]:
        """What became of each."""
        harmless = self.plan.assignment.settings.validate.harmless
        found = []
        for mutant in self.plan.mutants:
            fate, reason = self._fate_of(mutant.name), ""
            if mutant.name in self.same:
                fate = "equivalent"
            elif fate == "survived" and mutant.kind.name in harmless:
                fate, reason = "harmless", harmless[mutant.kind.name]
            elif fate == "person":
                reason = next(iter(self.full[mutant.name].notes), "")
            reports = [each[mutant.name] for each in (self.brief, self.full) if mutant.name in each]
            found.append(
                MutantTried(
                    name=mutant.name,
                    kind=mutant.kind.name,
                    what=mutant.what,
                    where=mutant.where,
                    diff=mutant.diff,
                    fate=fate,
                    caught_by=self._catchers(mutant.name),
                    trained="in full" if mutant.name in self.full else "briefly",
                    reason=reason,
                    seconds=sum(report.seconds["run"] for report in reports),
                )
            )
        return tuple(found)

    def checks(self) -> Iterator[CheckTried]:
        """What was seen of each check."""
        catchers = [self._catchers(mutant.name) for mutant in self.plan.mutants]
        handout = self._passed(self.handout) if self.handout else set()
        for check in self.plan.checks:
            yield CheckTried(
                name=check.name,
                title=check.title,
                points=check.points,
                hidden=check.hidden,
                passed_by_reference=check.name in self._passed(self.reference),
                failed_by_handout=self.handout is not None and check.name not in handout,
                failed_by=sum(check.name in names for names in catchers),
            )

    # -------------------------------------------------------------- saying so

    def complaints(self) -> Iterator[Complaint]:
        """What the runs showed."""
        yield from self._reference_complaints()
        yield from self._handout_complaints()
        yield from leaks(self.plan.assignment, self.plan.checks)
        every = [*self.full.values(), *self.brief.values()]
        told = [each for report in every for each in in_a_report(report, _whose(report))]
        yield from told[:1]
        yield from self._check_complaints(every)
        yield from self._mutant_complaints()
        if not self.plan.only:
            yield from self._harmless_complaints()

    def _reference_complaints(self) -> Iterator[Complaint]:
        report, file = self.reference, self.plan.solution.name
        for check in report.checks:
            if check.outcome != "passed":
                yield Complaint(
                    about="solution",
                    what=f"{file}: does not pass {check.name} ({check.out_of:g} points): "
                    f"{_words(check)}",
                    remedy="Correct the solution or the check.",
                )
        for cell in report.cells:
            if cell["error"]:
                yield Complaint(
                    about="solution",
                    what=f"{file}: cell {cell['number']} raised {cell['error']['kind']}: "
                    f"{cell['error']['message']}",
                )
        if report.needs_a_person:
            yield Complaint(
                about="solution",
                what=f"{file}: a person is called: {next(iter(report.notes), 'see its report')}",
            )

    def _handout_complaints(self) -> Iterator[Complaint]:
        if self.handout is not None and self.handout.points > 0:
            passed = ", ".join(sorted(self._passed(self.handout)))
            yield Complaint(
                about="handout",
                what=f"handout.ipynb: gets {self.handout.points:g} points untouched: {passed}.",
                remedy="Ask in these checks for something that the handout does not have.",
            )

    def _check_complaints(self, reports: Sequence[Report]) -> Iterator[Complaint]:
        for check in self.checks():
            failed = check.failed_by or check.failed_by_handout
            if not failed and not self.plan.only:
                yield Complaint(
                    about="checks",
                    what=f"{check.name}: neither a mutant nor the untouched handout fails it.",
                    remedy="Does it ask for anything? Try it on a submission that should fail.",
                )
        mute: dict[str, str] = {}
        for report in reports:
            for each in report.checks:
                if each.outcome == "failed" and not each.hint and each.name not in mute:
                    mute[each.name] = (
                        f"{each.name}: fails {_whose(report)} without a hint: {_words(each)}"
                    )
        for what in mute.values():
            yield Complaint(
                about="checks",
                what=what,
                remedy='Say what to try: assert …, "Look at …", or an expectation of the grader.',
            )

    def _mutant_complaints(self) -> Iterator[Complaint]:
        survivors: dict[str, list[MutantTried]] = {}
        for mutant in self.mutants():
            if mutant.fate == "survived":
                survivors.setdefault(mutant.kind, []).append(mutant)
        for kind, same in survivors.items():
            names = "; ".join(f"{mutant.name}: {mutant.what}" for mutant in same)
            yield Complaint(
                about="mutants",
                what=f"{kind} gets full marks ({names}).",
                remedy="Add or tighten a check, or say why it may: below [validate.harmless] in "
                f'{FILE} write "{kind}" = "any ... is allowed".',
            )

    def _harmless_complaints(self) -> Iterator[Complaint]:
        fates: dict[str, set[Fate]] = {}
        for mutant in self.mutants():
            fates.setdefault(mutant.kind, set()).add(mutant.fate)
        known = {kind.name for kind in KINDS}
        for name in self.plan.assignment.settings.validate.harmless:
            if name in known and "harmless" not in fates.get(name, ()):
                why = "every one is caught" if name in fates else "there is none"
                yield Complaint(
                    about="settings",
                    what=f"{FILE}: validate.harmless: {name!r} is not needed: {why}.",
                    remedy="Take it out, so that it hides nothing later.",
                )

    def notes(self) -> Iterator[str]:
        """What is worth knowing and no fault."""
        if unread := Program(self.plan.reference.cells).unread:
            cells = ", ".join(map(str, unread))
            yield f"Code cells that are no Python have no mutants: {cells}."
        for check in self.checks():
            if not check.failed_by and check.failed_by_handout and not self.plan.only:
                yield f"{check.name}: only the untouched handout fails it, no mutant does."


def _words(check: CheckResult) -> str:
    told = f"expected {check.expected}, received {check.received}." if check.expected else ""
    return f"{told} {check.hint}".strip() or check.outcome


def _whose(report: Report) -> str:
    return str(report.submission["student"])
