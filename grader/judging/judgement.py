"""What is said of a model by whoever was asked, and how it is read: size first, then strictly."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from grader.errors import WorkerError
from grader.judging.forms import Form
from grader.normal_form import RawModel, normal_form, shape_of
from grader.records import CompileFacts, ModelCard, Predictions, Where
from grader.safe.bounds import is_bounded
from grader.sandbox.interface import GIB, MIB

LONGEST_HEAD = 8 * MIB
WIDEST = 1024
"""Numbers a sample; more is no classifier of a course."""
FLOAT = 4
"""Bytes of a float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredForm:
    """What is announced of the answers in one form."""

    name: Annotated[str, Field(max_length=200)]
    """The form's."""
    rows: Annotated[int, Field(ge=0, le=10**8)]
    """Samples."""
    width: Annotated[int, Field(ge=0, le=WIDEST)]
    """Numbers a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The line before the answers."""

    forms: Annotated[tuple[AnsweredForm, ...], Field(max_length=64)]
    """Those that worked."""
    card: RawModel | None = None
    """The model."""
    problem: Annotated[str, Field(max_length=200)] = ""
    """Why there is none."""


_HEAD = TypeAdapter(Head)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was said of a model, before anyone made sense of it."""

    raw: RawModel | None = None
    """Its layers as Keras has them; ``None`` when they could not be read."""
    predictions: tuple[Predictions, ...] = ()
    """Its answers, one entry for each form that was tried."""
    judge_problem: str = ""
    """Why there are no answers."""
    refusal: str = ""
    """Why the model is not judged at all, in words for the student."""
    needs_a_person: bool = False
    """The refusal may be the tool's shortcoming."""
    where: Where = "judge"
    """Who said it."""


def longest(forms: int, samples: int) -> int:
    """Give the most bytes that an answer may have."""
    return min(LONGEST_HEAD + forms * samples * WIDEST * FLOAT, GIB)


def read_head(said: bytes, forms: Sequence[Form]) -> tuple[Head, bytes]:
    """Read the first line of an answer.

    Args:
        said: All of the answer.
        forms: What was asked.

    Returns:
        The line, validated, and the bytes behind it.

    Raises:
        WorkerError: It is none that an honest worker says.
    """
    line, _, body = said.partition(b"\n")
    if len(line) > LONGEST_HEAD:
        raise WorkerError("The judge said too much.")
    try:
        head = _HEAD.validate_json(line)
    except ValidationError as error:
        raise WorkerError(f"The judge's answer cannot be read: {str(error)[:1000]}") from None
    names = [form.name for form in head.forms]
    if not is_bounded(head) or len(set(names)) < len(names):
        raise WorkerError("The judge's answer is not one that an honest judge gives.")
    if not set(names) <= {form.name for form in forms}:
        raise WorkerError("The judge answered a question that it was not asked.")
    return head, body


def read_rows(
    head: Head, body: bytes, samples: int, order: NDArray[np.int64] | None = None
) -> tuple[tuple[Predictions, ...], dict[str, bytes]]:
    """Cut the answers apart; their size must be exactly what was announced and what was asked.

    Args:
        head: What was announced.
        body: The answers.
        samples: How many were asked.
        order: Which sample each row answers; in their own order when left out.

    Returns:
        The predictions, and their bytes by their SHA-256.

    Raises:
        WorkerError: The size is another one.
    """
    sizes = [form.rows * form.width * FLOAT for form in head.forms]
    if sum(sizes) != len(body) or any(form.rows != samples for form in head.forms):
        raise WorkerError("The judge gave another number of answers than it was asked questions.")
    found, kept, start = [], {}, 0
    for form, size in zip(head.forms, sizes, strict=True):
        rows = body[start : start + size]
        start += size
        if order is not None:
            mixed = np.frombuffer(rows, "<f4").reshape(form.rows, form.width)
            in_order = np.empty_like(mixed)
            in_order[order] = mixed
            rows = in_order.tobytes()
        digest = hashlib.sha256(rows).hexdigest()
        kept[digest] = rows
        found.append(Predictions(form=form.name, shape=(form.rows, form.width), sha256=digest))
    return tuple(found), kept


def card_of(judgement: Judgement, compiled: CompileFacts | None) -> ModelCard | None:
    """Give the model in normal form; ``None`` when its layers could not be read."""
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
        where=judgement.where,
    )


def answers_alone(judgement: Judgement, compiled: CompileFacts | None) -> ModelCard:
    """Give what can be measured of a model, and nothing of its network."""
    return ModelCard(
        layers=(),
        input_shape=(),
        output_shape=(),
        trainable_params=0,
        non_trainable_params=0,
        compiled=compiled,
        predictions=judgement.predictions,
        judge_problem=judgement.judge_problem,
        where=judgement.where,
    )
