"""ExecutionRecord → ModelCard, predictions: a second sandbox opens the saved model.

It has the held-out inputs and no labels, no student code and no network; what it answers is
bounded, validated, and compared with the labels on the host.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from grader.archive import RefusedError, custom_classes, inspect_archive
from grader.assignment import Assignment
from grader.bounds import is_bounded
from grader.errors import RunLostError, WorkerError
from grader.forms import Form, candidate_forms
from grader.normal_form import RawModel, normal_form, shape_of
from grader.records import ArrayFacts, CompileFacts, ExecutionRecord, ModelCard, Predictions
from grader.sandbox.interface import GIB, MIB, Job, Limits
from grader.workbench import Workbench

LONGEST_HEAD = 8 * MIB
WIDEST = 1024
"""Numbers a sample; more is no classifier of a course."""
JUDGE_SECONDS = 120.0
JUDGE_MEMORY = 4 * GIB
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the judge said of a saved model, before anyone made sense of it."""

    raw: RawModel | None = None
    """Its layers as Keras has them; ``None`` when it was not opened."""
    predictions: tuple[Predictions, ...] = ()
    """Its answers, one entry for each form that was tried."""
    judge_problem: str = ""
    """Why there are no answers."""
    refusal: str = ""
    """Why the model is not judged at all, in words for the student."""
    needs_a_person: bool = False
    """The refusal may be the tool's shortcoming."""


def examine(
    execution: ExecutionRecord, archive: bytes, assignment: Assignment, bench: Workbench
) -> tuple[Judgement, dict[str, bytes]]:
    """Have the judge describe the model and answer the held-out inputs.

    Args:
        execution: Tells what the model was trained on.
        archive: The model, as the student's process saved it.
        assignment: Names the input forms and the seed.
        bench: Sandbox and data.

    Returns:
        What the judge said, and its answers by their SHA-256.

    Raises:
        WorkerError: Our own program failed.
        RunLostError: The judge died with what it stood on.
    """
    known = assignment.own_layers.names if assignment.own_layers else ()
    try:
        inspect_archive(archive, known)
    except RefusedError as error:
        if own := custom_classes(archive, known):
            names = ", ".join(own)
            return Judgement(
                refusal=f"The model uses classes of its own ({names}), "
                "which only its code can open.",
                needs_a_person=True,
            ), {}
        return Judgement(refusal=f"The model is refused: {error}."), {}
    forms = forms_for(execution, assignment, bench)
    samples = bench.dataset.samples
    answer = _ask(archive, forms, samples, assignment, bench)
    if isinstance(answer, Judgement):
        return answer, {}
    head, body = answer
    if head.card is None:
        return Judgement(
            refusal="The saved model cannot be opened by Keras again.", needs_a_person=True
        ), {}
    predictions, rows = _predictions(head, body, samples)
    return Judgement(
        raw=head.card,
        predictions=predictions,
        judge_problem="" if head.forms or not forms else _no_form(head, forms),
    ), rows


def card_of(judgement: Judgement, compiled: CompileFacts | None) -> ModelCard | None:
    """Give the model in normal form; ``None`` when it was not opened."""
    raw = judgement.raw
    if raw is None:
        return None
    return ModelCard(
        layers=normal_form(raw.layers),
        input_shape=shape_of(raw.input_shape),
        output_shape=shape_of(raw.output_shape),
        trainable_params=raw.trainable_params,
        non_trainable_params=raw.non_trainable_params,
        compiled=compiled,
        predictions=judgement.predictions,
        judge_problem=judgement.judge_problem,
    )


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
    """Read the held-out inputs, to be laid into the judge's folder: no other process has them."""
    return {f"inputs/{file.name}": file.read_bytes() for file in sorted(folder.iterdir())}


def _ask(
    archive: bytes,
    forms: list[Form],
    samples: int,
    assignment: Assignment,
    bench: Workbench,
) -> tuple[_Head, bytes] | Judgement:
    """Run the judge; give back its first line, validated, and the bytes behind it."""
    cap = LONGEST_HEAD + len(forms) * samples * WIDEST * FLOAT
    said = bytearray()
    outcome = bench.sandbox.run(
        Job(
            program="judge",
            task={
                "forms": [form.task() for form in forms],
                "layers": assignment.own_layers.source if assignment.own_layers else "",
                "seed": assignment.settings.seed,
            },
            files={"model.keras": archive, **held_out_files(bench.dataset.held_out)},
        ),
        Limits(wall_s=JUDGE_SECONDS, memory=JUDGE_MEMORY, messages=min(cap, GIB)),
        said.extend,
    )
    if outcome.ending == "killed":  # by whom, nobody knows: perhaps it works another time
        raise RunLostError("The judge was killed.")
    if outcome.setup_error:
        raise WorkerError(f"The judge's sandbox could not be set up: {outcome.setup_error}")
    if outcome.ending != "finished":
        words = {"timeout": "too slow", "memory": "too large"}.get(outcome.ending)
        if words:
            return Judgement(refusal=f"The model is {words} to be judged.")
        raise WorkerError(f"The judge was ended: {outcome.ending}.")
    line, _, body = bytes(said).partition(b"\n")
    if len(line) > LONGEST_HEAD:
        raise WorkerError("The judge said too much.")
    try:
        head = _HEAD.validate_json(line)
    except ValidationError as error:
        raise WorkerError(
            f"The judge's answer cannot be read: {str(error)[:1000]}\n{outcome.stderr[-1000:]}"
        ) from None
    names = [form.name for form in head.forms]
    if not is_bounded(head) or len(set(names)) < len(names):
        raise WorkerError("The judge's answer is not one that an honest judge gives.")
    if not set(names) <= {form.name for form in forms}:
        raise WorkerError("The judge answered a question that it was not asked.")
    return head, body


def _predictions(
    head: _Head, body: bytes, samples: int
) -> tuple[tuple[Predictions, ...], dict[str, bytes]]:
    """Cut the answers apart; their size must be exactly what was announced and what was asked."""
    sizes = [form.rows * form.width * FLOAT for form in head.forms]
    if sum(sizes) != len(body) or any(form.rows != samples for form in head.forms):
        raise WorkerError("The judge gave another number of answers than it was asked questions.")
    found, kept, start = [], {}, 0
    for form, size in zip(head.forms, sizes, strict=True):
        rows = body[start : start + size]
        start += size
        digest = hashlib.sha256(rows).hexdigest()
        kept[digest] = rows
        found.append(Predictions(form=form.name, shape=(form.rows, form.width), sha256=digest))
    return tuple(found), kept


def _no_form(head: _Head, forms: list[Form]) -> str:
    takes: Any = head.card.input_shape if head.card else None
    offered = ", ".join(sorted({str((None, *form.shape)) for form in forms}))
    return f"The model takes inputs of shape {shape_of(takes)}; offered were {offered}."
