"""A reference solution → a new assignment's folder: run, looked at, proposed, tried out."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from grader.assignment import Assignment, read_assignment
from grader.authoring.draft import (
    Draft,
    folder_of,
    inputs_for,
    is_image,
    read_solution,
    settings_text,
)
from grader.authoring.propose import ProposedCheck, hidden_check, task_of, visible_checks
from grader.datasets import Dataset, load, load_own
from grader.datasets.sources import named_folder
from grader.errors import AssignmentError, ResultsError, UsageError
from grader.gather import Gatherer
from grader.intake.collect import collect
from grader.office import Office, Wishes, open_office
from grader.pipeline import grade
from grader.records import Evidence, Report, Submission, Task
from grader.report.progress import Watch
from grader.settings import Layout, ModelWanted
from grader.supply import check_fit

MEMORY, MEMORY_FOR_TEXT = 4, 11
"""GiB; vectors of ten thousand words for each of 50,000 reviews need more than twice as much."""
_PLACEHOLDER = '''\
import pytest


@pytest.mark.points(1)
def test_nothing_yet(execution):
    """It runs."""
    assert execution.ending == "finished"
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new assignment, written and tried out."""

    folder: Path
    """Where it lies."""
    understood: str
    """What the reference was taken for."""
    reference: Report
    """Of the reference solution, by the new checks: full marks."""
    untouched: Report
    """Of the handout as students get it: none."""
    dropped: tuple[str, ...]
    """Checks that were thought of and left out, and why."""


def new_assignment(name: str, solution: Path, place: Path, wishes: Wishes, watch: Watch) -> Made:
    """Make an assignment's folder from a reference solution.

    Args:
        name: What it is to be called.
        solution: The reference, a notebook in percent format.
        place: The new folder.
        wishes: Isolation, data, evidence store.
        watch: Told of every step.

    Raises:
        UsageError: The place is taken, or the name or the solution will not do.
        AssignmentError: The reference gives no model, or not one that can be judged.
        GraderError: Something that is needed cannot be had.
    """
    if place.exists():
        raise UsageError(f"{place}: is there already.", remedy="Name another: -o DIR")
    draft = read_solution(solution, name)
    with tempfile.TemporaryDirectory(prefix="grader-") as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        if draft.file:
            _copy_data(draft, folder, wishes.data)
            dataset = load_own(draft.file, folder)
        else:
            dataset = load(draft.set, data_dir=wishes.data)
        first = _first(draft, folder, dataset)
        work = collect([solution, folder / "handout.ipynb"])
        with open_office(
            first, Path(scratch) / "results", wishes, on_progress=watch.hear, say=watch.say
        ) as office:
            watch.ready()
            made = _propose(_Writing(draft, folder, dataset), first, work, office)
            watch.over(office.notes)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, place, ignore=shutil.ignore_patterns("__pycache__"))
        except OSError as error:
            raise ResultsError(f"{place}: cannot be written: {error}.") from None
    return replace(made, folder=place)


# ------------------------------------------------------------------ before it runs


def _copy_data(draft: Draft, folder: Path, data_dir: Path | None) -> None:
    named = named_folder(data_dir)
    places = [*([named] if named else []), draft.solution.parent]
    found = next((place / draft.file for place in places if (place / draft.file).is_file()), None)
    if found is None:
        raise UsageError(
            f"{draft.solution} loads {draft.file}, which is neither in "
            f"{' nor in '.join(map(str, places))}.",
            remedy="Put it beside the solution, or name its folder: --data DIR",
        )
    shutil.copyfile(found, folder / draft.file)


def _first(draft: Draft, folder: Path, dataset: Dataset) -> Assignment:
    """Make an assignment that suits the data, to run the reference under."""
    if _is_words(dataset):
        inputs: tuple[Layout, ...] = ("multi_hot", "padded")
    elif is_image(dataset.sample_shape):
        inputs = ("vector", "image", "as_is")
    else:
        inputs = ("vector", "as_is")
    task, classes = _task_by(dataset.labels())
    model = ModelWanted(task=task, inputs=inputs, classes=classes)
    return _written(_Writing(draft, folder, dataset), model)


def _is_words(dataset: Dataset) -> bool:
    return "num_words" in dataset.train_facts


def _task_by(labels: np.ndarray) -> tuple[Task, int]:
    """What labels are likely to mean; what the reference's loss says is believed before it."""
    whole = labels.ndim == 1 and len(labels) and not (labels % 1).any() and labels.min() == 0
    if not whole:
        return "regression", 1
    classes = int(labels.max()) + 1
    return ("binary", 1) if classes == 2 else ("multiclass", classes)  # noqa: PLR2004 - 0 and 1


@dataclass(frozen=True, slots=True)
class _Writing:
    """Where an assignment is being written, and from what."""

    draft: Draft
    folder: Path
    dataset: Dataset


def _written(
    writing: _Writing,
    model: ModelWanted,
    visible: Sequence[ProposedCheck] = (),
    hidden: Sequence[ProposedCheck] = (),
    evidence: Evidence | None = None,
) -> Assignment:
    """Write the folder as far as it is known, and read it."""
    draft, folder = writing.draft, writing.folder
    memory = MEMORY_FOR_TEXT if _is_words(writing.dataset) else MEMORY
    settings = settings_text(draft, model, evidence, memory)
    files = dict(folder_of(draft, settings, visible, hidden))
    if not visible:
        files[f"test_{draft.name}.py"] = _PLACEHOLDER
    for old in folder.glob("hidden_*.py"):
        old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return read_assignment(folder)


# ------------------------------------------------------------------ what came out of it


def _propose(
    writing: _Writing, first: Assignment, work: Sequence[Submission], office: Office
) -> Made:
    draft, dataset = writing.draft, writing.dataset
    reference, untouched = (
        Gatherer(first, office.desk, office.hands).gather(each) for each in work
    )
    card = reference.card
    if card is None:
        raise AssignmentError(_why_no_model(draft, reference))
    task, classes = task_of(card)
    is_words = _is_words(dataset)
    sample = () if is_words else dataset.sample_shape
    found = reference.execution.found
    names = found.variables if found else ()
    model = ModelWanted(
        variable=names[0] if names else "model",
        task=task,
        classes=classes,
        inputs=inputs_for(card, sample, is_words=is_words),
    )
    second = _written(writing, model)
    check_fit(second, dataset)
    reference = Gatherer(second, office.desk, office.hands).gather(work[0])
    visible = list(visible_checks(reference, untouched, draft.handout))
    hidden = [hidden_check(reference)]
    dropped: dict[str, str] = {}
    while True:
        assignment = _written(writing, model, visible, hidden, reference)
        reports = grade(work, assignment, office.desk, office.hands)
        wrong = _wrong(*reports)
        if not wrong:
            return Made(
                folder=first.folder,
                understood=f"{task}, inputs as {' or '.join(model.inputs)}, judged: "
                f"`{model.variable}`",
                reference=reports[0],
                untouched=reports[1],
                dropped=tuple(f"{name}: {why}" for name, why in dropped.items()),
            )
        dropped |= wrong
        visible = [check for check in visible if check.name not in wrong]
        hidden = [check for check in hidden if check.name not in wrong]
        if not visible:
            why = "\n".join(f"  {name}: {reason}" for name, reason in dropped.items())
            raise AssignmentError(f"{draft.solution}: no check that was thought of holds:\n{why}")


def _wrong(reference: Report, untouched: Report) -> dict[str, str]:
    """The checks that the reference does not pass, or that the untouched handout does."""
    return {
        check.name: f"the untouched handout passes it ({check.title})"
        for check in untouched.checks
        if check.outcome == "passed"
    } | {
        check.name: f"the reference itself does not pass it: {check.received} {check.hint}".strip()
        for check in reference.checks
        if check.outcome != "passed"
    }


def _why_no_model(draft: Draft, evidence: Evidence) -> str:
    errors = [cell.error for cell in evidence.execution.cells if cell.error]
    seen = errors[0].traceback if errors else ""
    why = evidence.broken or evidence.execution.problem
    return f"{draft.solution}: no model came out of it that can be judged. {why}\n{seen}".strip()
