"""What travels for one submission: an order to a worker, and its answer back.

An order carries what runs, and nothing to judge it by. An answer is JSON and bytes, validated where
it arrives like everything that comes from near a student's code.
"""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from grader.errors import WorkerError
from grader.find_out import Findings, Order
from grader.judging.judgement import FLOAT, Judgement
from grader.records import ExecutionRecord
from grader.safe.plain import plain_json
from grader.settings import Hidden, Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a worker says of one order: facts, or why there are none."""

    facts: bytes = b""
    """Execution, judgement and seconds as JSON."""
    blobs: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Models and predictions by their SHA-256."""
    fault: str = ""
    """What went wrong on the worker; for a person."""
    is_furnished: bool = True
    """Whether the worker knew of the batch at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    execution: ExecutionRecord
    judgement: Judgement | None
    seconds: Mapping[str, float]
    own: Judgement | None = None


_FACTS = TypeAdapter(_Facts)


def write_order(order: Order) -> bytes:
    """Pack an order without what only this machine may know: checks, thresholds, their names."""
    settings = replace(
        order.assignment.settings, thresholds=Thresholds(), extra=None, hidden=Hidden(), about=""
    )
    bare = replace(order.assignment, folder=Path(), settings=settings, visible=(), hidden=())
    work = replace(order.submission, notebook={}, origin="", notes=())
    return pickle.dumps(replace(order, assignment=bare, submission=work))


def read_order(letter: bytes) -> Order:
    """Unpack an order; on a worker, which does what the instructor's machine says anyway."""
    order = pickle.loads(letter)  # noqa: S301 - see above
    if not isinstance(order, Order):
        raise WorkerError("What came is no order.")
    return order


def write_answer(findings: Findings) -> Answer:
    """Pack findings."""
    facts = _Facts(
        execution=findings.execution,
        judgement=findings.judgement,
        seconds=findings.seconds,
        own=findings.own,
    )
    return Answer(facts=plain_json(facts), blobs=dict(findings.blobs))


def read_answer(answer: Answer) -> Findings:
    """Validate an answer.

    Raises:
        WorkerError: It is not what an honest worker sends, or says that the worker failed.
    """
    if answer.fault:
        raise WorkerError(answer.fault)
    try:
        facts = _FACTS.validate_json(answer.facts)
    except ValidationError as error:
        raise WorkerError(f"The worker's answer cannot be read: {str(error)[:1000]}") from None
    if problem := _contradiction(facts, answer.blobs):
        raise WorkerError(f"The worker's answer cannot be right: {problem}.")
    for digest, data in answer.blobs.items():
        if hashlib.sha256(data).hexdigest() != digest:
            raise WorkerError("A file of the worker's answer was damaged on its way.")
    return Findings(
        execution=facts.execution,
        judgement=facts.judgement,
        own=facts.own,
        blobs=answer.blobs,
        seconds=facts.seconds,
    )


def _contradiction(facts: _Facts, blobs: Mapping[str, bytes]) -> str:
    """Say where an answer contradicts itself; later stages take its parts to fit together."""
    models = facts.execution.models
    if [model.number for model in models] != list(range(len(models))):
        return "its models are not numbered one by one"
    if facts.execution.chosen is not None and not 0 <= facts.execution.chosen < len(models):
        return "it chose a model that is not there"
    said = [each for each in (facts.judgement, facts.own) if each]
    for each in (predictions for one in said for predictions in one.predictions):
        rows, width = each.shape
        if min(rows, width) < 0 or len(blobs.get(each.sha256, b"")) != rows * width * FLOAT:
            return "its predictions are not as many as it says"
    return ""
