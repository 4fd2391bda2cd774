"""The rounds of a validation: reference, handout and mutants through the engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.assignment import Assignment
from grader.authoring.brief import OF_ACCURACY, brief, open_part, small
from grader.authoring.mutants import Mutant
from grader.authoring.sameness import is_same
from grader.authoring.solution import REFERENCE, with_cells
from grader.authoring.watching import Ear, Watching
from grader.checks.session import ListedCheck
from grader.datasets.part import is_divisible
from grader.gather import Gatherer
from grader.intake.collect import collect
from grader.office import Office, Wishes
from grader.pipeline import grade
from grader.records import Report, Submission
from grader.trials import CheckTried, Fate, MutantTried, Trained

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
    left_out: int = 0
    """Further mutants of these kinds."""


@dataclass(slots=True)
class Trial:
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
    spared: set[str] = field(default_factory=set)
    """Mutants not trained in full: another one has shown that their kind gets full marks."""

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
        self._train_in_full(
            [
                (mutant.kind.name, made[mutant.name])
                for mutant in self.plan.mutants
                if not self._caught_briefly(mutant.name)
            ]
        )

    def _train_in_full(self, work: Sequence[tuple[str, Submission]]) -> None:
        """Train each mutant with its kind; of a kind declared harmless, until one shows that it is.

        A declaration is needed as soon as one mutant of its kind gets full marks.
        """
        assignment = self.plan.assignment
        harmless = assignment.settings.validate.harmless
        now = [each for kind, each in work if kind not in harmless]
        waiting = {kind: [each for its_kind, each in work if its_kind == kind] for kind in harmless}
        while now or any(waiting.values()):
            first = {kind: left.pop(0) for kind, left in waiting.items() if left}
            now += first.values()
            self.full |= self._grade(now, assignment)
            self.same |= self._same(now)
            for kind, each in first.items():
                if self._fate_of(each.student) == "survived" and each.student not in self.same:
                    self.spared |= {other.student for other in waiting[kind]}
                    waiting[kind].clear()
            now = []

    def _grade_briefly(self, work: Sequence[Submission]) -> dict[str, Report]:
        """Train for one epoch, and on a part of the data where the reference bears it."""
        assignment = brief(self.plan.assignment)
        if not self.wishes.cluster:
            divisible = is_divisible(self.office.desk.bench.dataset)
            less = small(assignment) if divisible else assignment
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

    @staticmethod
    def passed(report: Report) -> set[str]:
        """The names of the checks that a report passes."""
        return {check.name for check in report.checks if check.outcome == "passed"}

    def _able(self, report: Report) -> set[str]:
        """The checks that a brief training may be judged by, as far as it passes them."""
        passed = self.passed(report)
        return passed - {each.name for each in self.plan.checks if OF_ACCURACY & set(each.facts)}

    def _catchers(self, name: str) -> tuple[str, ...]:
        """The checks that a mutant fails and the reference passes, in full or briefly trained."""
        if name in self.full:
            report, able = self.full[name], self.passed(self.reference)
        elif name in self.brief:
            report, able = self.brief[name], self._able(self.brief[REFERENCE])
        else:
            return ()
        return tuple(
            check.name
            for check in report.checks
            if check.outcome == "failed" and check.name in able
        )

    def _is_caught_itself(self, mutant: Mutant) -> bool:
        """Whether a check that looks at where such a mistake is made has caught it."""
        aims, catchers = mutant.kind.shows_in, self._catchers(mutant.name)
        looked_at = {
            fact for each in self.plan.checks if each.name in catchers for fact in each.facts
        }
        return not aims or bool(aims & looked_at)

    def _caught_briefly(self, name: str) -> bool:
        report = self.brief.get(name)
        return report is not None and not report.needs_a_person and bool(self._catchers(name))

    def _fate_of(self, name: str) -> Fate:
        if name in self.spared:
            return "harmless"
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
            elif fate in ("survived", "harmless") and mutant.kind.name in harmless:
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
                    indirectly=fate == "caught" and not self._is_caught_itself(mutant),
                    trained=self._trained(mutant.name),
                    reason=reason,
                    seconds=sum(report.seconds["run"] for report in reports),
                )
            )
        return tuple(found)

    def _trained(self, name: str) -> Trained:
        if name in self.full:
            return "in full"
        return "briefly" if name in self.brief else "not at all"

    def checks(self) -> Iterator[CheckTried]:
        """What was seen of each check."""
        catchers = [self._catchers(mutant.name) for mutant in self.plan.mutants]
        handout = self.passed(self.handout) if self.handout else set()
        for check in self.plan.checks:
            yield CheckTried(
                name=check.name,
                title=check.title,
                points=check.points,
                hidden=check.hidden,
                passed_by_reference=check.name in self.passed(self.reference),
                failed_by_handout=self.handout is not None and check.name not in handout,
                failed_by=sum(check.name in names for names in catchers),
            )
