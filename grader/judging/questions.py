"""What a model is asked: the held-out inputs, and the forms in which they are offered."""

import functools
from collections.abc import Mapping
from pathlib import Path

from grader.assignment import Assignment
from grader.judging.forms import Form, candidate_forms
from grader.records import ArrayFacts, ExecutionRecord
from grader.workbench import Workbench


def forms_for(execution: ExecutionRecord, assignment: Assignment, bench: Workbench) -> list[Form]:
    """List the ways in which the held-out inputs will be offered to the model."""
    model, data = assignment.settings.model, assignment.settings.data
    if model is None or data is None:
        return []
    return candidate_forms(model.inputs, bench.dataset, _trained_on(execution))


def _trained_on(execution: ExecutionRecord) -> ArrayFacts | None:
    own = [fit.x for fit in execution.fits if fit.model == execution.chosen and fit.x is not None]
    return own[-1] if own else None


@functools.lru_cache(maxsize=4)
def held_out_files(folder: Path) -> Mapping[str, bytes]:
    """Read the held-out inputs by name, to be given to who is asked: no other process has them."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
