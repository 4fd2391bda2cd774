"""What the rounds of a validation showed: complaints, and notes that are no fault."""

from collections.abc import Iterator, Sequence

from grader.assignment import FILE
from grader.authoring.leaks import in_a_report
from grader.authoring.mutants import KINDS
from grader.authoring.mutants.source import Program
from grader.authoring.pack import leaks
from grader.authoring.trial import Trial
from grader.records import CheckResult, Report
from grader.trials import Complaint, Fate, MutantTried


def complaints(trial: Trial) -> Iterator[Complaint]:
    """What the runs showed."""
    yield from _of_reference(trial)
    yield from _of_handout(trial)
    yield from leaks(trial.plan.assignment, trial.plan.checks)
    every = [*trial.full.values(), *trial.brief.values()]
    told = [each for report in every for each in in_a_report(report, _whose(report))]
    yield from told[:1]
    yield from _of_checks(trial, every)
    yield from _of_mutants(trial)
    if not trial.plan.only and not trial.plan.left_out:
        yield from _of_harmless(trial)


def _of_reference(trial: Trial) -> Iterator[Complaint]:
    report, file = trial.reference, trial.plan.solution.name
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


def _of_handout(trial: Trial) -> Iterator[Complaint]:
    if trial.handout is not None and trial.handout.points > 0:
        passed = ", ".join(sorted(trial.passed(trial.handout)))
        yield Complaint(
            about="handout",
            what=f"handout.ipynb: gets {trial.handout.points:g} points untouched: {passed}.",
            remedy="Ask in these checks for something that the handout does not have.",
        )


def _of_checks(trial: Trial, reports: Sequence[Report]) -> Iterator[Complaint]:
    for check in trial.checks():
        failed = check.failed_by or check.failed_by_handout
        if not failed and not trial.plan.only:
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


def _of_mutants(trial: Trial) -> Iterator[Complaint]:
    survivors: dict[str, list[MutantTried]] = {}
    for mutant in trial.mutants():
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


def _of_harmless(trial: Trial) -> Iterator[Complaint]:
    fates: dict[str, set[Fate]] = {}
    for mutant in trial.mutants():
        fates.setdefault(mutant.kind, set()).add(mutant.fate)
    known = {kind.name for kind in KINDS}
    for name in trial.plan.assignment.settings.validate.harmless:
        if name in known and "harmless" not in fates.get(name, ()):
            why = "every one is caught" if name in fates else "there is none"
            yield Complaint(
                about="settings",
                what=f"{FILE}: validate.harmless: {name!r} is not needed: {why}.",
                remedy="Take it out, so that it hides nothing later.",
            )


def notes(trial: Trial) -> Iterator[str]:
    """What is worth knowing and no fault."""
    if trial.spared:
        yield (
            f"{len(trial.spared)} of the mutants declared harmless were not trained in full: "
            "others of their kinds have full marks."
        )
    yield from _of_consequences(trial)
    if unread := Program(trial.plan.reference.cells).unread:
        cells = ", ".join(map(str, unread))
        yield f"Code cells that are no Python have no mutants: {cells}."
    for check in trial.checks():
        if not check.failed_by and check.failed_by_handout and not trial.plan.only:
            yield f"{check.name}: only the untouched handout fails it, no mutant does."


def _of_consequences(trial: Trial) -> Iterator[str]:
    """Name the mistakes whose students are told what follows, and not what is wrong."""
    catchers: dict[str, dict[str, None]] = {}
    for mutant in trial.mutants():
        if mutant.indirectly:
            catchers.setdefault(mutant.kind, {}).update(dict.fromkeys(mutant.caught_by))
    if catchers:
        told = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in catchers.items())
        yield (
            "Caught only by what follows, so that a student is not told what is wrong; a check of "
            f"the mistake itself would: {told}."
        )


def _words(check: CheckResult) -> str:
    told = f"expected {check.expected}, received {check.received}." if check.expected else ""
    return f"{told} {check.hint}".strip() or check.outcome


def _whose(report: Report) -> str:
    return str(report.submission["student"])
