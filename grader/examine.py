"""ExecutionRecord → ModelCard, predictions: a second sandbox opens the saved model.

It has the held-out inputs and no labels, no student code and no network; what it answers is
bounded, validated, and compared with the labels on the host.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from grader.archive import RefusedError, custom_classes, inspect_archive
from grader.assignment import Assignment
from grader.errors import WorkerError
from grader.forms import Form, candidate_forms
from grader.normal_form import RawModel, normal_form, shape_of
from grader.records import ArrayFacts, ExecutionRecord, ModelCard, Predictions
from grader.sandbox.interface import GIB, MIB, Job, Limits
from grader.workbench import Workbench

LONGEST_HEAD = 8 * MIB
WIDEST = 1024
"""Numbers a sample; more is no classifier of a course."""
JUDGE_SECONDS = 120.0
FLOAT = 4
"""Bytes of a float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnsweredForm:
    name: Annotated[str, Field(max_length=200)]
    rows: Annotated[int, Field(ge=0, le=10**8)]
    width: Annotated[int, Field(ge=0, le=WIDEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    forms: Annotated[tuple[_AnsweredForm, ...], Field(max_length=64)]
    card: RawModel | None = None
    problem: Annotated[str, Field(max_length=200)] = ""


_HEAD = TypeAdapter(_Head)


class NotJudgedError(Exception):
    """The model cannot be judged; why, in words for the student."""

    def __init__(self, reason: str, *, needs_a_person: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.needs_a_person = needs_a_person


def examine(
    execution: ExecutionRecord, assignment: Assignment, bench: Workbench, student: str
) -> ModelCard:
    """Describe the model and have it answer the held-out inputs.

    Raises:
        NotJudgedError: There is no model, or it was refused.
        WorkerError: Our own program failed.
    """
    found = execution.found
    if found is None or execution.model is None:
        raise NotJudgedError(execution.problem or "there is no model")
    data = execution.model.read_bytes()
    try:
        inspect_archive(data)
    except RefusedError as error:
        if own := custom_classes(data):
            names = ", ".join(own)
            raise NotJudgedError(
                f"The model uses classes of its own ({names}), which only its code can open.",
                needs_a_person=True,
            ) from None
        raise NotJudgedError(f"The model is refused: {error}.") from None
    trained_on = _trained_on(execution)
    forms = candidate_forms(assignment.settings.model.inputs, bench.dataset, trained_on)
    samples = len(bench.dataset.labels())
    head, body = _ask(data, forms, samples, assignment, bench)
    if head.card is None:
        raise NotJudgedError(
            "The saved model cannot be opened by Keras again.", needs_a_person=True
        )
    return ModelCard(
        layers=normal_form(head.card.layers),
        input_shape=shape_of(head.card.input_shape),
        output_shape=shape_of(head.card.output_shape),
        trainable_params=head.card.trainable_params,
        non_trainable_params=head.card.non_trainable_params,
        compiled=found.compiled,
        predictions=_predictions(head, body, samples, bench.folder(student)),
        judge_problem="" if head.forms else _no_form(head, forms),
    )


def _trained_on(execution: ExecutionRecord) -> ArrayFacts | None:
    own = [fit.x for fit in execution.fits if fit.model == execution.chosen and fit.x is not None]
    return own[-1] if own else None


def _ask(
    data: bytes,
    forms: list[Form],
    samples: int,
    assignment: Assignment,
    bench: Workbench,
) -> tuple[_Head, bytes]:
    """Run the judge; give back its first line, validated, and the bytes behind it."""
    cap = LONGEST_HEAD + len(forms) * samples * WIDEST * FLOAT
    said = bytearray()
    outcome = bench.sandbox.run(
        Job(
            program="judge",
            task={
                "forms": [form.task() for form in forms],
                "seed": assignment.settings.seed,
            },
            readable={"inputs": bench.dataset.held_out},
            files={"model.keras": data},
        ),
        Limits(wall_s=JUDGE_SECONDS, memory=4 * GIB, messages=min(cap, GIB)),
        said.extend,
    )
    if outcome.setup_error:
        raise WorkerError(f"The judge's sandbox could not be set up: {outcome.setup_error}")
    if outcome.ending != "finished":
        words = {"timeout": "too slow", "memory": "too large"}.get(outcome.ending)
        if words:
            raise NotJudgedError(f"The model is {words} to be judged.")
        raise WorkerError(f"The judge was ended: {outcome.ending}.")
    line, _, body = bytes(said).partition(b"\n")
    if len(line) > LONGEST_HEAD:
        raise WorkerError("The judge said too much.")
    try:
        return _HEAD.validate_python(json.loads(line)), body
    except (ValidationError, ValueError) as error:
        raise WorkerError(
            f"The judge's answer cannot be read: {error}\n{outcome.stderr[-1000:]}"
        ) from None


def _predictions(head: _Head, body: bytes, samples: int, folder: Path) -> tuple[Predictions, ...]:
    """Cut the answers apart; their size must be exactly what was announced and what was asked."""
    sizes = [form.rows * form.width * FLOAT for form in head.forms]
    if sum(sizes) != len(body) or any(form.rows != samples for form in head.forms):
        raise WorkerError("The judge gave another number of answers than it was asked questions.")
    found, start = [], 0
    for place, (form, size) in enumerate(zip(head.forms, sizes, strict=True)):
        rows = body[start : start + size]
        start += size
        path = folder / ("predictions.f32" if place == 0 else f"predictions-{place + 1}.f32")
        path.write_bytes(rows)
        found.append(
            Predictions(
                form=form.name,
                path=path,
                shape=(form.rows, form.width),
                sha256=hashlib.sha256(rows).hexdigest(),
            )
        )
    return tuple(found)


def _no_form(head: _Head, forms: list[Form]) -> str:
    takes: Any = head.card.input_shape if head.card else None
    offered = ", ".join(sorted({str((None, *form.shape)) for form in forms}))
    return f"The model takes inputs of shape {shape_of(takes)}; offered were {offered}."
