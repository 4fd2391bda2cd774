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
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import TypeAdapter, ValidationError

from grader.errors import AssignmentError, UsageError
from grader.own_layers import OwnLayers, read_own_layers
from grader.probes import complaints
from grader.settings import ModelWanted, Settings

FILE = "assignment.toml"
LONGEST_LOOK = 50_000_000
LONGEST_VALUE = 200
"""Characters of a wrong value that are repeated in a complaint."""


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
    own_layers: OwnLayers | None = None
    """Layers of its own."""

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
    text, values = _read(file)
    try:
        settings = _SETTINGS.validate_python(values)
    except ValidationError as error:
        raise AssignmentError("\n".join(_complaints(file, text, error))) from None
    if settings.extra and not _has_accuracy(settings):
        raise AssignmentError(
            f"{_place(file, text, ['extra'])}: there is no accuracy to compare.",
            remedy="It needs a [data], and a [model] whose task is no regression.",
        )
    for name, model in settings.models.items():
        if model.own_code != "person":
            raise AssignmentError(
                f"{_place(file, text, ['models', name, 'own_code'])}: only the model of [model] "
                "can be asked by its own code.",
                remedy="Take the key out, or judge that model under [model].",
            )
    if wrong := [*_wrong_bounds(file, text, settings), *_wrong_probes(file, text, settings)]:
        raise AssignmentError("\n".join(wrong))
    visible = tuple(sorted(folder.glob("test_*.py")))
    hidden = tuple(sorted(folder.glob("hidden_*.py")))
    if not visible:
        raise AssignmentError(
            f"{folder}: has no checks.",
            remedy=f"Write some in {folder}/test_{settings.name}.py: docs/write-an-assignment.md.",
        )
    return Assignment(
        folder=folder.resolve(),
        settings=settings,
        visible=visible,
        hidden=hidden,
        own_layers=_own_layers(folder, settings.layers),
    )


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise AssignmentError(f"{file}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise AssignmentError(f"{file}: is not UTF-8 text: {error.reason}.") from None
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{file}: is not TOML: {error}.") from None
    except RecursionError:
        raise AssignmentError(f"{file}: is nested too deep to be read.") from None
    except ValueError as error:  # a number of thousands of digits, or a day that is none
        raise AssignmentError(f"{file}: holds a value that cannot be read: {error}.") from None


def _own_layers(folder: Path, name: str | None) -> OwnLayers | None:
    if name is None:
        return None
    file = folder / name
    try:
        return read_own_layers(name, file.read_text("utf-8"))
    except OSError as error:
        raise AssignmentError(
            f"{file}: cannot be read: {error.strerror}.",
            remedy=f"{FILE} names it under layers: put it beside that file, or take the key out.",
        ) from None
    except ValueError as error:  # no UTF-8 is one too
        raise AssignmentError(f"{file}: {error}.") from None


def _has_accuracy(settings: Settings) -> bool:
    return bool(settings.data and settings.model and settings.model.task != "regression")


def _complaints(file: Path, text: str, error: ValidationError) -> list[str]:
    found = []
    for fault in error.errors():
        keys = [str(part) for part in fault["loc"]]
        place = _place(file, text, keys)
        if fault["type"] == "missing":
            found.append(f"{place}: is missing.")
        elif fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            found.append(f"{place}: is not a key that the grader knows. {_known(keys)}")
        else:
            what = re.sub(r"^(Input should be|Value should be|Value error,) ", "", fault["msg"])
            found.append(f"{place}: expected {what}. Received: {_short(fault['input'])}.")
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _wrong_bounds(file: Path, text: str, settings: Settings) -> Iterator[str]:
    """Find fault with ``[thresholds]`` and ``[thresholds.models.NAME]``."""
    for name, bounds in {"": settings.thresholds, **settings.thresholds.models}.items():
        table = ["thresholds", *(("models", name) if name else ())]
        models = [settings.models.get(name)] if name else _without_own_bounds(settings)
        tasks = {model.task for model in models if model and settings.data}
        for key, wanted in (("accuracy", bounds.accuracy), ("error", bounds.error)):
            if wanted and (fault := _fault_of(key, tasks, name, retries=wanted.retries)):
                yield f"{_place(file, text, [*table, key])}: {fault}."


def _without_own_bounds(settings: Settings) -> list[ModelWanted | None]:
    """List whom the bounds of ``[model]`` hold for."""
    own = settings.thresholds.models
    return [settings.model, *(each for name, each in settings.models.items() if name not in own)]


def _fault_of(metric: str, tasks: AbstractSet[str], name: str, *, retries: int) -> str:
    """Say what is wrong with a bound for models of these tasks; ``name``: one of several."""
    if not tasks:
        table = f"models.{name}" if name else "model"
        return f"needs a [{table}], and a [data]: nothing is measured without"
    if metric == "accuracy" and tasks == {"regression"}:
        return "a regression has no accuracy, but an error"
    if metric == "error" and "regression" not in tasks:
        return f"what has classes ({', '.join(sorted(tasks))}) has an accuracy, and no such error"
    if name and retries:
        return "only the model of [model] is tried with more seeds: take retries out"
    return ""


def _wrong_probes(file: Path, text: str, settings: Settings) -> list[str]:
    found = []
    for name, probe in settings.probes.items():
        for complaint in complaints(probe):
            key = complaint.partition(":")[0].split(".")
            place = _place(file, text, ["probes", name], at=["probes", name, *key])
            found.append(f"{place}: {complaint}.")
    return found


def _known(keys: list[str]) -> str:
    owner: Any = Settings
    for key in keys[:-1]:
        field = getattr(owner, "__dataclass_fields__", {}).get(key)
        owner = field.type if field else owner  # a table's name is no key
        owner = next((item for item in get_args(owner) if is_dataclass(item)), owner)
    names = sorted(getattr(owner, "__dataclass_fields__", {}))
    return f"Known here: {', '.join(names)}." if names else ""


def _place(file: Path, text: str, keys: list[str], *, at: list[str] | None = None) -> str:
    """Say where a key stands: file, line, and its name; ``at``: the line of another one."""
    line = _line_of(text, at or keys)
    return f"{file}{f':{line}' if line else ''}: {'.'.join(keys)}"


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
