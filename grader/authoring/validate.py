"""Tests an assignment before students do: assignment + reference → :class:`Validation`.

The reference, the untouched handout and every mutant go through the real engine. Mutants are first
trained for one epoch, on a part of the data where the reference bears it (a solution may know how
many rows there are), and only a check that looks at no accuracy may catch them there; those that
nobody caught so, and those that only an accuracy can show, are trained in full; of a kind declared
harmless, until one has full marks. All of it is kept in the evidence store: a second call, or one
with changed checks, runs nothing.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.assignment import Assignment
from grader.authoring.findings import complaints, notes
from grader.authoring.mutants import KINDS, Kind, Mutant, mutants_of
from grader.authoring.solution import (
    names_in_checks,
    names_in_text,
    read_solution,
)
from grader.authoring.structure import look_at
from grader.authoring.trial import Plan, Trial
from grader.authoring.watching import Ear, Watching, unwatched
from grader.checks.session import list_checks
from grader.errors import UsageError
from grader.office import Wishes, open_office
from grader.trials import Validation


def plan_of(
    assignment: Assignment, solution: Path, only: Sequence[str] = (), *, each: int = 0
) -> Plan:
    """Read the assignment and make its mutants; nothing runs.

    Args:
        assignment: What is to be tried.
        solution: The reference's file.
        only: Names of kinds, when not all are wanted.
        each: The most mutants of one kind, spread over the whole solution; 0 for all.

    Raises:
        AssignmentError: A check or the reference cannot be read.
        UsageError: There is no such kind.
    """
    checks = list_checks(assignment)
    reference = read_solution(solution)
    every = mutants_of(
        reference.cells,
        names_in_text(reference, assignment),
        names_in_checks(assignment),
        kinds=_kinds(only),
    )
    chosen = _spread(every, each) if each else every
    return Plan(
        assignment=assignment,
        solution=solution,
        reference=reference,
        checks=checks,
        mutants=chosen,
        only=tuple(only),
        left_out=len(every) - len(chosen),
    )


def _spread(every: Sequence[Mutant], each: int) -> tuple[Mutant, ...]:
    """Take so many of a kind: in a solution of five networks, some of each network."""
    kinds: dict[str, list[Mutant]] = {}
    for mutant in every:
        kinds.setdefault(mutant.kind.name, []).append(mutant)
    return tuple(
        same[place * len(same) // min(each, len(same))]
        for same in kinds.values()
        for place in range(min(each, len(same)))
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
        trial = Trial(plan, office, wishes or Wishes(), ear, watching)
        trial.run()
        data = office.desk.bench.dataset.description
    return Validation(
        assignment=plan.assignment.name,
        solution=str(plan.solution),
        complaints=(*seen, *complaints(trial)),
        notes=tuple(notes(trial)),
        checks=tuple(trial.checks()),
        mutants=trial.mutants(),
        points={
            "reference": trial.reference.points,
            "handout": trial.handout.points if trial.handout else 0.0,
            "out_of": trial.reference.out_of,
        },
        data=data,
        only=plan.only,
        left_out=plan.left_out,
        seconds=time.perf_counter() - began,
    )
