"""The reference solution as a submission, and the names that its assignment asks for."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.errors import AssignmentError, UsageError
from grader.intake.collect import collect
from grader.records import Submission

REFERENCE = "reference"
"""What the reference is called among the submissions."""
_NAME = re.compile(r"`([A-Za-z_]\w*)`")


def find_solution(assignment: Assignment, given: Path | None = None) -> Path:
    """Find an assignment's reference solution.

    Args:
        assignment: Whose; ``solutions/<name>.py`` is looked for beside ``assignments/``.
        given: Use this file instead.

    Raises:
        UsageError: It is not there.
    """
    usual = assignment.folder.parent.parent / "solutions" / f"{assignment.name}.py"
    file = given or usual
    if not file.is_file():
        raise UsageError(
            f"{file}: there is no such file; {assignment.name} needs its reference solution.",
            remedy="Name it: --solution FILE",
        )
    return file


def read_solution(file: Path) -> Submission:
    """Read the reference as a student's notebook.

    Raises:
        AssignmentError: It cannot be read.
    """
    (found,) = collect([file])
    if found.problem:
        raise AssignmentError(f"{file}: {found.problem}.")
    return replace(found, student=REFERENCE, kind="notebook", files={})


def with_cells(reference: Submission, student: str, cells: Sequence[str]) -> Submission:
    """Hand in the reference with other code cells, under another name."""
    sources = iter(cells)
    changed: list[Mapping[str, Any]] = [
        {**cell, "source": next(sources)} if cell["cell_type"] == "code" else cell
        for cell in reference.notebook["cells"]
    ]
    return replace(
        reference,
        student=student,
        origin=f"{reference.origin} ({student})",
        cells=tuple(cells),
        notebook={**reference.notebook, "cells": changed},
    )


def names_in_text(reference: Submission, assignment: Assignment) -> tuple[str, ...]:
    """Names in backticks in the text that students read, the model's own left out."""
    text = "\n".join(
        cell["source"] for cell in reference.notebook["cells"] if cell["cell_type"] != "code"
    )
    found = dict.fromkeys(_NAME.findall(text))
    settings = assignment.settings
    models = [*settings.models.values(), *([settings.model] if settings.model else [])]
    own = {model.variable for model in models}
    return tuple(name for name in found if name not in own)


def names_in_checks(assignment: Assignment) -> tuple[str, ...]:
    """Names that stand as text in a check: ``variables["x_train"]``."""
    found: dict[str, None] = {}
    for file in (*assignment.visible, *assignment.hidden):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and value.isidentifier():
                found[value] = None
    return tuple(found)
