"""What the kernel says while it runs a submission: read line by line, believed by nobody.

The lines come from the process that runs the student's code, so each is capped, parsed strictly
and dropped when it does not fit; a forged line can only tell lies about the forger.
"""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from grader.normal_form import RawModel
from grader.records import (
    ArrayFacts,
    CellOutcome,
    ErrorFacts,
    EvaluationRecord,
    FigureRecord,
    FitRecord,
    FoundModel,
    ProbeAnswer,
)
from grader.safe.bounds import is_bounded

LONGEST_LINE = 16 << 20
DEEPEST = 10
"""How deep a value of the student's may lie in lists and dictionaries."""
MOST_NUMBERS = 100_000
"""Of one answer to a probe."""
MOST_TEXT = 2_000_000
"""Characters of one, keys and names included."""
Name = Annotated[str, Field(max_length=500)]
Number = Annotated[int, Field(ge=0, le=10**12)]
Text = Annotated[str, Field(max_length=4000)]
NoNumber = Annotated[
    dict[Literal["__float__"], Literal["nan", "inf", "-inf"]], Field(min_length=1, max_length=1)
]
"""A number that JSON has not: told apart from a text that says the same."""
Scalar = bool | Annotated[int, Field(ge=-(10**18), le=10**18)] | float | Text | None | NoNumber
Scalars = (
    Scalar
    | Annotated[list[Scalar], Field(max_length=200)]
    | Annotated[dict[Name, Scalar], Field(max_length=200)]
)
Value = (
    Scalars
    | Annotated[list[Scalars], Field(max_length=200)]
    | Annotated[dict[Name, Scalars], Field(max_length=200)]
)
"""What is kept of a student's small values: JSON data, two levels deep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Versions, seed, threads."""

    event: Literal["environment"]
    values: Annotated[dict[Name, Name], Field(max_length=50)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted:
    """A cell begins."""

    event: Literal["cell_started"]
    number: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEnded:
    """A cell is over."""

    event: Literal["cell"]
    number: Number
    outcome: CellOutcome
    seconds: float
    error: ErrorFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A cell shows something."""

    event: Literal["output"]
    output: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearOutput:
    """A cell takes back what it showed."""

    event: Literal["clear_output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitStarted:
    """A training begins."""

    event: Literal["fit_started"]
    model: Number
    cell: Number
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """An epoch is over."""

    event: Literal["epoch"]
    epoch: Number
    logs: dict[Name, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitEnded:
    """A training is over."""

    event: Literal["fit"]
    fit: FitRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationEnded:
    """An evaluation is over."""

    event: Literal["evaluation"]
    evaluation: EvaluationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsFound:
    """Every model, at the end of the run."""

    event: Literal["models"]
    models: Annotated[tuple[FoundModel, ...], Field(max_length=200)]
    patched: Annotated[tuple[Name, ...], Field(max_length=20)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VariablesFound:
    """Facts of named arrays, at the end of the run."""

    event: Literal["variables"]
    variables: Annotated[dict[Name, ArrayFacts], Field(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSeen:
    """A figure is shown, or another than it was."""

    event: Literal["figure"]
    number: Number
    figure: FigureRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesFound:
    """Named numbers, texts and small collections, at the end of the run."""

    event: Literal["values"]
    values: Annotated[dict[Name, Value], Field(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last cell is over, and what came of the run has been told."""

    event: Literal["done"]


def _of_bounded_size(answer: ProbeAnswer) -> ProbeAnswer:
    """Refuse more than an honest worker tells.

    Raises:
        ValueError: It is more.
    """
    waiting = [(step.value, 0) for step in answer.steps]
    count = numbers = characters = 0
    while waiting:
        value, depth = waiting.pop()
        count, numbers = count + 1, numbers + len(value.numbers or ())
        characters += sum(
            map(len, (value.text, value.type, value.dtype, *value.keys, *value.layers))
        )
        if depth > DEEPEST or characters > MOST_TEXT or max(count, numbers) > MOST_NUMBERS:
            raise ValueError("there is too much of it")
        if min(value.shape or (), default=0) < 0:
            raise ValueError("no axis is shorter than 0")
        if value.numbers is not None and math.prod(value.shape or ()) != len(value.numbers):
            raise ValueError("these are not the numbers of an array of this shape")
        if value.keys and len(value.keys) != len(value.items):
            raise ValueError("there must be an item for each key")
        waiting += [(item, depth + 1) for item in value.items]
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswered:
    """What came of a probe; after :class:`Done`."""

    event: Literal["probe"]
    name: Name
    answer: Annotated[ProbeAnswer, AfterValidator(_of_bounded_size)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedModel:
    """What a model is, by the process that made it."""

    card: RawModel | None
    """Its layers; ``None`` when they cannot be read off it."""
    keeps_state: bool
    """Whether it carries something from one sample to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsDescribed:
    """What the models are; after :class:`Done`, where one of them may be asked."""

    event: Literal["described"]
    models: Annotated[tuple[DescribedModel, ...], Field(max_length=20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyToAnswer:
    """All has been told, and held-out inputs may be handed in: what follows is no message."""

    event: Literal["ready"]


Message = (
    Environment
    | CellStarted
    | CellEnded
    | Output
    | ClearOutput
    | FitStarted
    | Epoch
    | FitEnded
    | EvaluationEnded
    | ModelsFound
    | VariablesFound
    | ValuesFound
    | FigureSeen
    | Done
    | ProbeAnswered
    | ModelsDescribed
    | ReadyToAnswer
)

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="event")])


class Reader:
    """Turns chunks of bytes into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self.dropped = 0
        """Lines that were no message."""

    def feed(self, chunk: bytes) -> list[Message]:
        """Take a chunk; give back the messages that are complete now."""
        found = []
        # Only the chunk is looked through: a long line may come byte by byte.
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._rest += end
            message = self._parse(bytes(self._rest))
            self._rest.clear()
            if message is not None:
                found.append(message)
        self._rest += rest
        if len(self._rest) > LONGEST_LINE:
            self._rest.clear()
            self.dropped += 1
        return found

    def _parse(self, line: bytes) -> Message | None:
        if len(line) <= LONGEST_LINE:
            try:
                message = _MESSAGE.validate_json(line)
            except ValidationError:
                pass
            else:
                # What a cell shows is bounded where it is kept.
                if isinstance(message, Output) or is_bounded(message):
                    return message
        self.dropped += 1
        return None
