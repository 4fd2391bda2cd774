"""An assignment's folder → :class:`Assignment`; every complaint names file, line and key.

::

    assignments/mnist_softmax/
    ├── assignment.toml          what is described here
    ├── handout.ipynb            what students start from (generated from the solution)
    ├── test_mnist_softmax.py    checks that students see
    └── hidden_mnist_softmax.py  checks that they do not
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from grader.errors import AssignmentError, UsageError
from grader.probes import Probe, complaints
from grader.records import Metric, Task

FILE = "assignment.toml"
LONGEST_LOOK = 50_000_000
FRACTION = Annotated[float, Field(ge=0, le=1)]
POSITIVE = Annotated[float, Field(gt=0)]
Layout = Literal["vector", "image", "as_is", "multi_hot", "padded"]
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """``[data]``: what is served and what is held out."""

    __pydantic_config__ = _STRICT

    set: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] | None = None
    """The data set's name, as in ``keras.datasets``;"""
    file: Annotated[str, Field(pattern=r"^\w[\w\-.]*\.npz$")] | None = None
    """or else the name of the assignment's own file."""

    def __post_init__(self) -> None:
        """Take one of the two.

        Raises:
            ValueError: Both are given, or neither.
        """
        if (self.set is None) == (self.file is None):
            raise ValueError(
                'either set = "mnist", a data set of Keras\', or file = "mine.npz", one of your own'
            )

    @property
    def name(self) -> str:
        """What people call it."""
        return self.set or self.file or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWanted:
    """``[model]``: which model is judged, and how."""

    __pydantic_config__ = _STRICT

    task: Task
    """What its output means."""
    inputs: Annotated[tuple[Layout, ...], Field(min_length=1)]
    """The input forms it may take."""
    variable: str = "model"
    """The name that decides when several models were trained."""
    classes: Annotated[int, Field(ge=1)] = 1
    """How many numbers the output has."""
    only_by_name: bool | None = None
    """Whether a model of another name is not judged in its place; if not said, only where there
    are several (``[models.NAME]``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsWanted:
    """``[limits]``: what one submission may use up."""

    __pydantic_config__ = _STRICT

    wall_s: POSITIVE = 600.0
    """Seconds for the whole run."""
    memory_gib: POSITIVE = 4.0
    """Resident memory of the whole process tree."""
    disk_gib: POSITIVE = 2.0
    """The work folder."""
    output_mib: POSITIVE = 1.0
    """Kept of each output stream."""
    processes: Annotated[int, Field(ge=32)] = 160
    """Processes and threads together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """``[training]``: the budget of ``fit``; what was learnt when it ends is what is judged."""

    __pydantic_config__ = _STRICT

    epochs: Annotated[int, Field(ge=1)] | None = None
    """The most epochs of one model, over all its trainings."""
    seconds: POSITIVE | None = None
    """The most seconds of all trainings of a submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyWanted:
    """``[thresholds.accuracy]``: a floor, never an equality."""

    __pydantic_config__ = _STRICT

    at_least: FRACTION
    """The share of held-out samples to be answered right."""
    margin: FRACTION = 0.01
    """How near the floor counts as close, in either direction."""
    retries: Annotated[int, Field(ge=0, le=20)] = 0
    """How many more seeds a close accuracy is tried with."""
    rule: Literal["median", "best"] = "median"
    """Which of the runs counts; of an even number of runs, ``median`` takes the better middle."""

    def is_close(self, value: float) -> bool:
        """Whether another seed could fall on the other side."""
        return abs(value - self.at_least) <= self.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorWanted:
    """``[thresholds.error]``: a ceiling of the mean squared error, for regression."""

    __pydantic_config__ = _STRICT

    at_most: POSITIVE
    """What the mean of the squared errors on held-out samples may be."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """How near the ceiling counts as close, in either direction."""
    retries: Annotated[int, Field(ge=0, le=20)] = 0
    """How many more seeds a close error is tried with."""
    rule: Literal["median", "best"] = "median"
    """Which of the runs counts; of an even number of runs, ``median`` takes the better middle."""

    def is_close(self, value: float) -> bool:
        """Whether another seed could fall on the other side."""
        return abs(value - self.at_most) <= self.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """``[thresholds]``."""

    __pydantic_config__ = _STRICT

    accuracy: AccuracyWanted | None = None
    """Held-out accuracy."""
    error: ErrorWanted | None = None
    """Held-out mean squared error."""

    def of(self, metric: Metric) -> AccuracyWanted | ErrorWanted | None:
        """Give the threshold of what was measured."""
        return self.accuracy if metric == "accuracy" else self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """``[hidden]``: what a student's copy says of the checks it does not carry."""

    __pydantic_config__ = _STRICT

    checks: Annotated[int, Field(ge=0)] = 0
    """How many there are."""
    points: Annotated[float, Field(ge=0)] = 0.0
    """What they are worth together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate:
    """``[validate]``: what ``grader validate`` need not complain about."""

    __pydantic_config__ = _STRICT

    harmless: dict[str, Annotated[str, Field(min_length=1)]] = field(default_factory=dict)
    """Kind of mutant → why work with this mistake may have full marks here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of ``assignment.toml``."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """The folder's name."""
    title: Annotated[str, Field(min_length=1)]
    """What students read."""
    version: Annotated[str, Field(min_length=1)]
    """Changes when a grade could."""
    data: Data | None = None
    model: ModelWanted | None = None
    about: str = ""
    """A paragraph for the instructor."""
    limits: LimitsWanted = field(default_factory=LimitsWanted)
    training: Training = field(default_factory=Training)
    models: Mapping[str, ModelWanted] = field(default_factory=dict)
    """``[models.NAME]``: what else is judged, each by its own variable."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    hidden: Hidden = field(default_factory=Hidden)
    validate: Validate = field(default_factory=Validate)
    probes: Mapping[Annotated[str, Field(pattern=r"^[a-z]\w*$")], Probe] = field(
        default_factory=dict
    )
    """Calls of the student's own functions."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """For every random generator of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One assignment, ready to be graded."""

    folder: Path
    """Where it lies."""
    settings: Settings
    """``assignment.toml``."""
    visible: tuple[Path, ...]
    """Check files that students have."""
    hidden: tuple[Path, ...]
    """Check files that they do not."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.settings.name

    @property
    def judged_first(self) -> ModelWanted | None:
        """The model that a single accuracy is about; ``None`` when no model is judged."""
        return self._told_apart(self.settings.model) if self.settings.model else None

    def of_model(self, name: str) -> Self:
        """Give the same assignment as if this one of ``[models]`` were the only model."""
        model = self._told_apart(self.settings.models[name])
        return replace(self, settings=replace(self.settings, model=model, models={}))

    def _told_apart(self, wanted: ModelWanted) -> ModelWanted:
        if wanted.only_by_name is not None:
            return wanted
        return replace(wanted, only_by_name=bool(self.settings.models))


_SETTINGS = TypeAdapter(Settings)


def find_assignment(given: str) -> Path:
    """Find an assignment by path or by name.

    Args:
        given: A folder, or a name looked up in ``./assignments`` and among those that came with
            the grader.

    Raises:
        UsageError: There is none.
    """
    places = [
        Path(given),
        Path("assignments") / given,
        *(root / given for root in _shipped()),
    ]
    for place in places:
        if (place / FILE).is_file():
            return place
    names = sorted({folder.parent.name for root in _shipped() for folder in root.glob(f"*/{FILE}")})
    raise UsageError(
        f"There is no assignment {given!r}: neither a folder with an {FILE}, nor a name in "
        f"./assignments, nor one that came with the grader.",
        remedy=f"Known names: {', '.join(names) or 'none'}.",
    )


def named_in(file: Path) -> str | None:
    """The assignment a student's file says it belongs to.

    A handout carries it in its metadata (``grader.assignment``); a script says it in a comment,
    ``# assignment: mnist_softmax``; a file in an assignment's folder belongs to that one, unless
    it says that it belongs to another.

    Returns:
        A name or folder for :func:`find_assignment`, ``None`` when nothing says it.
    """
    try:
        text = file.read_text("utf-8", errors="replace")[:LONGEST_LOOK]
    except OSError:
        return None
    said = re.search(r'"grader":\s*\{\s*"assignment":\s*"([a-z][a-z0-9_]*)"', text) or re.search(
        r"^#\s*assignment:\s*([a-z][a-z0-9_]*)\s*$", text, re.MULTILINE
    )
    beside = _name_in(file.parent / FILE)
    if said and said[1] != beside:
        return said[1]
    return None if beside is None else str(file.parent)


def _name_in(file: Path) -> str | None:
    """The name that an ``assignment.toml`` gives; empty where it gives none."""
    try:
        name = re.search(r'^name\s*=\s*"(.*)"', file.read_text("utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return None
    return name[1] if name else ""


def _shipped() -> list[Path]:
    package = Path(__file__).parent
    return [package / "_assignments", package.parent / "assignments"]


def read_assignment(folder: Path) -> Assignment:
    """Read and validate an assignment's folder.

    Raises:
        AssignmentError: Something in it is wrong.
    """
    file = folder / FILE
    try:
        text = file.read_text("utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise AssignmentError(f"{file}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise AssignmentError(f"{file}: is not UTF-8 text: {error.reason}.") from None
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{file}: is not TOML: {error}.") from None
    try:
        settings = _SETTINGS.validate_python(values)
    except ValidationError as error:
        raise AssignmentError("\n".join(_complaints(file, text, error))) from None
    if settings.thresholds.accuracy and not (settings.data and settings.model):
        raise AssignmentError(
            f"{file}: thresholds.accuracy: there is no accuracy to measure.",
            remedy="It needs a [data] and a [model].",
        )
    if wrong := _wrong_probes(file, text, settings):
        raise AssignmentError("\n".join(wrong))
    visible = tuple(sorted(folder.glob("test_*.py")))
    hidden = tuple(sorted(folder.glob("hidden_*.py")))
    if not visible:
        raise AssignmentError(
            f"{folder}: has no checks.",
            remedy=f"Write some in {folder}/test_{settings.name}.py: docs/write-an-assignment.md.",
        )
    return Assignment(folder=folder.resolve(), settings=settings, visible=visible, hidden=hidden)


def _complaints(file: Path, text: str, error: ValidationError) -> list[str]:
    found = []
    for fault in error.errors():
        keys = [str(part) for part in fault["loc"]]
        line = _line_of(text, keys)
        place = f"{file}:{line}" if line else f"{file}"
        name = ".".join(keys)
        if fault["type"] == "missing":
            found.append(f"{place}: {name}: is missing.")
        elif fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            found.append(f"{place}: {name}: is not a key that the grader knows. {_known(keys)}")
        else:
            what = re.sub(r"^(Input should be|Value should be|Value error,) ", "", fault["msg"])
            found.append(f"{place}: {name}: expected {what}. Received: {fault['input']!r}.")
    return found


def _wrong_probes(file: Path, text: str, settings: Settings) -> list[str]:
    found = []
    for name, probe in settings.probes.items():
        for complaint in complaints(probe):
            key = complaint.partition(":")[0].split(".")
            line = _line_of(text, ["probes", name, *key])
            place = f"{file}:{line}" if line else f"{file}"
            found.append(f"{place}: probes.{name}: {complaint}.")
    return found


def _known(keys: list[str]) -> str:
    owner: Any = Settings
    for key in keys[:-1]:
        owner = getattr(owner, "__annotations__", {}).get(key, owner)  # a table's name is no key
        owner = next((item for item in get_args(owner) if is_dataclass(item)), owner)
    names = sorted(getattr(owner, "__dataclass_fields__", {}))
    return f"Known here: {', '.join(names)}." if names else ""


def _line_of(text: str, keys: list[str]) -> int | None:
    """The line that sets a key, or its table's heading; TOML's parser keeps no positions."""
    table, line_of_table = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = heading[1].strip()
            if table in (".".join(keys[:-1]), ".".join(keys)):
                line_of_table = number
        elif assigned := re.match(r"\s*([\w.\-]+)\s*=", line):
            whole = f"{table}.{assigned[1]}" if table else assigned[1]
            if whole == ".".join(keys) or ".".join(keys).startswith(f"{whole}."):
                return number
    return line_of_table
