"""Assignment → the students' pack: all they need to work and to check themselves, nothing hidden.

A pack is an assignment's folder without what is the author's alone. It is put together in memory,
searched for whatever is hidden, and only then written.
"""

import contextlib
import io
import json
import re
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import tomlkit

from grader.assignment import FILE, Assignment, read_assignment
from grader.authoring.leaks import in_files
from grader.authoring.release import BEGIN, END, check_cell
from grader.checks.session import ListedCheck, list_checks
from grader.checks.verdict import count
from grader.datasets import Dataset
from grader.datasets.arrays import write_npz
from grader.errors import AssignmentError, ResultsError, UsageError
from grader.intake.last_cell import is_last_cell
from grader.supply import supply
from grader.trials import Complaint

FOR_STUDENTS = (
    *("name", "title", "version", "seed"),
    *("data", "layers", "model", "models", "probes", "limits", "training", "thresholds"),
    *("feedback", "hidden"),
)
"""The keys of ``assignment.toml`` that a self-check needs; any other is the author's own."""
LIBRARIES = ("keras", "tensorflow", "numpy", "matplotlib", "pandas", "scikit-learn")
"""What a notebook may count on when it is graded."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_OF_A_MODEL = re.compile(r"\.held_out\b")
"""How a check asks for what one of several models reaches: ``named["smaller"].held_out``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What students are given, before it is written."""

    name: str
    """The assignment's."""
    files: Mapping[str, bytes]
    """Its files by name; they lie in one folder."""
    visible: tuple[ListedCheck, ...]
    """The checks in it."""
    hidden: tuple[ListedCheck, ...]
    """The checks that are only counted in it."""
    left_out: tuple[str, ...]
    """Keys of ``assignment.toml`` that are the author's own."""


def pack(assignment: Assignment, data_dir: Path | None = None) -> Pack:
    """Put a students' pack together.

    Args:
        assignment: The author's folder.
        data_dir: A folder to look for its data in first.

    Raises:
        AssignmentError: Something is missing, or what is hidden stands in the pack.
        DataError: Its data cannot be had.
    """
    checks = list_checks(assignment)
    visible = tuple(check for check in checks if not check.hidden)
    hidden = tuple(check for check in checks if check.hidden)
    files = {f"{assignment.name}.ipynb": _handout(assignment), **_to_read(assignment, checks)}
    own = assignment.settings.data.file if assignment.settings.data else None
    if own:
        files[own] = _data(own, supply(assignment, data_dir))
    if found := [f"  {leak.what}" for leak in _leaks(assignment, checks, files)]:
        raise AssignmentError(
            "\n".join(
                [f"{assignment.folder}: what is hidden stands in the students' pack:", *found]
            ),
            remedy="Nothing was written. Change one of the two, and release again.",
        )
    made = Pack(
        name=assignment.name,
        files=files,
        visible=visible,
        hidden=hidden,
        left_out=_settings(assignment, hidden)[1],
    )
    _try_out(made)
    return made


def leaks(assignment: Assignment, checks: Sequence[ListedCheck]) -> Iterator[Complaint]:
    """Look for what is hidden in what a pack would hold; the data are not looked through.

    Args:
        assignment: The author's folder; a handout that cannot be read is left out.
        checks: Its checks, collected.
    """
    files = _to_read(assignment, checks)
    with contextlib.suppress(AssignmentError):  # complained of where it is compared
        files["handout.ipynb"] = _handout(assignment)
    yield from _leaks(assignment, checks, files)


def _leaks(
    assignment: Assignment, checks: Sequence[ListedCheck], files: Mapping[str, bytes]
) -> Iterator[Complaint]:
    texts = {name: _text(name, data) for name, data in files.items()}
    yield from in_files(assignment, [check for check in checks if check.hidden], texts)


def write_pack(made: Pack, place: Path) -> None:
    """Write a pack as a folder, or as a zip of one where the place ends in ``.zip``.

    Raises:
        UsageError: Something is there already.
        ResultsError: It cannot be written.
    """
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise UsageError(
            f"{place}: is there already.", remedy="Name another place, or remove it first."
        )
    try:
        if place.suffix == ".zip":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_zipped(made))
            return
        place.mkdir(parents=True, exist_ok=True)
        for name, data in made.files.items():
            (place / name).write_bytes(data)
    except OSError as error:
        raise ResultsError(f"{place}: cannot be written: {error.strerror}.") from None


def _zipped(made: Pack) -> bytes:
    """The same bytes for the same pack, on any day."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in made.files.items():
            member = zipfile.ZipInfo(f"{made.name}/{name}", _EPOCH)
            member.external_attr = 0o644 << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _try_out(made: Pack) -> None:
    """Read the pack as a student's grader will: its checks must stand alone."""
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        for name, data in made.files.items():
            (Path(folder) / name).write_bytes(data)
        alone = list_checks(read_assignment(Path(folder)))
    if alone != made.visible:
        raise AssignmentError(
            f"{made.name}: the visible checks are others without the hidden ones."
        )


# ------------------------------------------------------------------ what is in it


def _to_read(assignment: Assignment, checks: Sequence[ListedCheck]) -> dict[str, bytes]:
    """All files but the notebook and the data."""
    visible = tuple(check for check in checks if not check.hidden)
    hidden = tuple(check for check in checks if check.hidden)
    return {
        FILE: _settings(assignment, hidden)[0],
        **{path.name: path.read_bytes() for path in assignment.visible},
        **({layers.file: layers.source.encode()} if (layers := assignment.own_layers) else {}),
        "requirements.txt": _requirements(),
        "README.md": _readme(assignment, visible, hidden).encode(),
    }


def _settings(
    assignment: Assignment, hidden: tuple[ListedCheck, ...]
) -> tuple[bytes, tuple[str, ...]]:
    given: dict[str, Any] = tomllib.loads((assignment.folder / FILE).read_text("utf-8"))
    kept = {key: given[key] for key in FOR_STUDENTS if key in given}
    seen = "".join(file.read_text("utf-8") for file in assignment.visible)
    # What only a hidden check asks is hidden as well: a probe, and a bound.
    probes = {name: probe for name, probe in kept.get("probes", {}).items() if name in seen}
    bounds = dict(kept.get("thresholds", {})) if "held_out" in seen else {}
    if not _OF_A_MODEL.search(seen):
        bounds.pop("models", None)
    for key, asked in (("probes", probes), ("thresholds", bounds)):
        kept.pop(key, None)
        if asked:
            kept[key] = asked
    if hidden:
        points = sum(check.points for check in hidden)
        kept["hidden"] = {"checks": len(hidden), "points": points}
    return tomlkit.dumps(kept).encode(), tuple(key for key in given if key not in FOR_STUDENTS)


def _handout(assignment: Assignment) -> bytes:
    file = assignment.folder / "handout.ipynb"
    try:
        notebook: Any = nbformat.reads(file.read_text("utf-8"), as_version=4)
    except (OSError, ValueError) as error:
        raise AssignmentError(
            f"{file}: cannot be read as a notebook: {error}.",
            remedy=f"Make it: grader handout {assignment.folder} --from SOLUTION.py",
        ) from None
    if any(BEGIN in cell.source or END in cell.source for cell in notebook.cells):
        raise AssignmentError(
            f"{file}: holds the solution: {BEGIN!r} or {END!r} stands in it.",
            remedy=f"Make it anew: grader handout {assignment.folder} --from SOLUTION.py",
        )
    if not any(is_last_cell(cell.source) for cell in notebook.cells):
        notebook.cells.append(check_cell())
    notebook.metadata["grader"] = {"assignment": assignment.name}
    return (str(nbformat.writes(notebook)) + "\n").encode()


def _requirements() -> bytes:
    return "".join(f"{name}=={version(name)}\n" for name in LIBRARIES).encode()


def _data(name: str, dataset: Dataset) -> bytes:
    """What is served; where nothing is, the shapes of what is held out, without a single row."""
    served = dataset.served / name
    if served.is_file():
        return served.read_bytes()
    inputs = np.load(dataset.held_out / "inputs.npy", mmap_mode="r", allow_pickle=False)
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        file = Path(folder) / name
        write_npz(file, {"x_test": inputs[:0], "y_test": dataset.labels()[:0]})
        return file.read_bytes()


def _readme(
    assignment: Assignment, visible: tuple[ListedCheck, ...], hidden: tuple[ListedCheck, ...]
) -> str:
    name = assignment.name
    shown = sum(check.points for check in visible)
    more = ""
    if hidden:
        points = sum(check.points for check in hidden)
        are = "is" if len(hidden) == 1 else "are"
        more = (
            f" {count(len(hidden), 'more check')} {are} run when your work is graded, "
            f"worth {count(points, 'point')}."
        )
    rows = "".join(f"| {check.title} | {check.points:g} |\n" for check in visible)
    own = assignment.settings.data.file if assignment.settings.data else None
    data = (
        f"`{own}` lies beside the notebook, here and when it is graded: "
        "do not change it, and load it by its bare name.\n"
        if own
        else ""
    )
    return f"""\
# {assignment.settings.title}

1. Install what your work is graded with: `pip install -r requirements.txt`, and Jupyter.
2. Open `{name}.ipynb` in this folder and put your code where it says `YOUR CODE HERE`.
   It must run from the first cell to the last without you.
3. Check yourself, as often as you like (see below).
4. Hand in `{name}.ipynb`.

{data}
## Check yourself

The visible checks are in this folder, and you may read them:

```sh
pip install keras-grader
grader check {name}.ipynb
```

The last cell of the notebook does the same. Your notebook is run from top to bottom, in a closed
box without network, just as it is run when it is graded.

| what is checked | points |
|---|---|
{rows}
Together: {count(shown, "point")}.{more}
"""


# ------------------------------------------------------------------ what must not be in it


def _text(name: str, data: bytes) -> str:
    """A file as its reader sees it; of a notebook, the cells."""
    text = data.decode("utf-8", "replace")
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text += "\n".join("".join(cell["source"]) for cell in cells)
    return text
