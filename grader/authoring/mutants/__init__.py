"""Mutants of a reference solution: each has one mistake that a teacher would call one.

Mutation testing (DeMillo, Lipton and Sayward 1978) asks of a test suite whether it notices small
faults planted in a program. Here the suite is an assignment's checks, and the faults are those that
students make. One module holds one family of them; :data:`KINDS` has all.
"""

import re
from collections import Counter
from collections.abc import Sequence

from grader.authoring.mutants import (
    data,
    functions,
    layers,
    objectives,
    products,
    regularisation,
    series,
    training,
)
from grader.authoring.mutants.kind import Kind, Mutant
from grader.authoring.mutants.source import Program, diff

__all__ = ["KINDS", "Kind", "Mutant", "mutants_of"]

_FAMILIES = (layers, regularisation, objectives, training, data, products, functions, series)
KINDS: tuple[Kind, ...] = tuple(kind for family in _FAMILIES for kind in family.KINDS)
"""Every kind, in the order in which they are shown."""


def mutants_of(
    cells: Sequence[str],
    names: Sequence[str] = (),
    checked: Sequence[str] = (),
    *,
    kinds: Sequence[Kind] = KINDS,
) -> tuple[Mutant, ...]:
    """Make every mutant of a solution.

    Args:
        cells: The source of each code cell.
        names: Variables that the assignment's text asks for by name.
        checked: Variables that a check looks at.
        kinds: Which kinds.

    Returns:
        The mutants, each once, in the order of the kinds; all differ from the solution.
    """
    program = Program(cells, names, checked)
    seen = {program.cells}
    numbers: Counter[str] = Counter()
    found = []
    for kind in kinds:
        for change in kind.changes(program):
            changed = program.changed(change.edits)
            if changed in seen or not _is_read(changed, program):
                continue
            seen.add(changed)
            numbers[kind.name] += 1
            found.append(
                Mutant(
                    name=f"{re.sub(r'[^a-z0-9]+', '_', kind.name.lower())}-{numbers[kind.name]}",
                    kind=kind,
                    what=change.what,
                    where=program.where(change.edits),
                    cells=changed,
                    diff=diff(program.cells, changed),
                )
            )
    return tuple(found)


def _is_read(cells: tuple[str, ...], program: Program) -> bool:
    """Whether every cell that could be read before still can: a mistake is no misprint."""
    return Program(cells).unread == program.unread
