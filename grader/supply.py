"""Assignment → Dataset: the data an assignment names, if it suits what is asked of it."""

from pathlib import Path

import numpy as np

from grader.assignment import FILE, Assignment
from grader.datasets import Dataset, load, load_own, nothing, with_extra
from grader.errors import AssignmentError, DataError
from grader.settings import ModelWanted

_WORDS = ("multi_hot", "padded")
_IMAGES = (2, 3)
"""Axes of an image without and with channels."""


def supply(assignment: Assignment, data_dir: Path | None = None) -> Dataset:
    """Find an assignment's data and take it apart into the cache; nothing, where it has none.

    Args:
        assignment: Names a data set of Keras', or a file of its own.
        data_dir: A folder to look in first; ``GRADER_DATA`` by default.

    Raises:
        DataError: It cannot be had, or it is not what it ought to be.
        AssignmentError: The input forms or the task do not suit it.
    """
    wanted = assignment.settings.data
    if wanted is None:
        return nothing()
    if wanted.file is None:
        dataset = load(wanted.set or "", data_dir=data_dir)
    else:
        dataset = load_own(wanted.file, assignment.folder, data_dir=data_dir)
    check_fit(assignment, dataset)
    extra = assignment.settings.extra
    if extra is None:
        return dataset
    dataset = with_extra(dataset, extra.file, extra.transform, assignment.folder, data_dir=data_dir)
    if extra.file and dataset.extra and assignment.settings.model:
        _check_labels(extra.file, assignment.settings.model, dataset.extra)
    return dataset


def check_fit(assignment: Assignment, dataset: Dataset) -> None:
    """See that an assignment's input forms and its task suit its data.

    Raises:
        DataError: The labels are others than the task has.
        AssignmentError: The input forms are for other samples.
    """
    settings = assignment.settings
    first = {"model": settings.model} if settings.model else {}
    others = {f"models.{name}": model for name, model in settings.models.items()}
    for key, model in (first | others).items():
        if settings.data is not None and settings.data.file is not None:
            _check_labels(settings.data.name, model, dataset)
        _check_inputs(f"{assignment.folder / FILE}: {key}.inputs", model, dataset)


def _check_inputs(place: str, model: ModelWanted, dataset: Dataset) -> None:
    is_words = "num_words" in dataset.train_facts
    for layout in model.inputs:
        if (layout in _WORDS) != is_words:
            held = "lists of word numbers" if is_words else f"rows of shape {dataset.sample_shape}"
            fit = "multi_hot, padded" if is_words else "vector, image, as_is"
            raise AssignmentError(
                f"{place}: {layout!r} does not suit {dataset.name}, whose samples are {held}.",
                remedy=f"These do: {fit}.",
            )
        if layout == "image" and len(dataset.sample_shape) not in _IMAGES:
            raise AssignmentError(
                f"{place}: an image has two axes, or three with channels; the samples of "
                f"{dataset.name} have the shape {dataset.sample_shape}.",
                remedy='For series and tables: inputs = ["as_is"]',
            )


def _check_labels(where: str, model: ModelWanted, dataset: Dataset) -> None:
    classes = {"multiclass": model.classes, "binary": 2}.get(model.task)
    labels = dataset.labels()
    if not len(labels):
        return
    if model.task == "regression":
        _check_numbers(where, model, labels)
    if classes is None:
        return
    whole = labels.ndim == 1 and np.isin(labels, np.arange(classes)).all()
    if not whole:
        spread = f"of shape {labels.shape}, {labels.dtype}, {labels.min():g}…{labels.max():g}"
        raise DataError(
            f"{where}: for a {model.task} task, y_test should hold whole "
            f"numbers from 0 to {classes - 1}, one for each sample.\nReceived: labels {spread}",
            remedy=f"Look at y_test, and at task and classes in {FILE}.",
        )


def _check_numbers(where: str, model: ModelWanted, labels: np.ndarray) -> None:
    wanted = (len(labels), model.classes)
    if labels.size != len(labels) * model.classes:
        raise DataError(
            f"{where}: for a regression with classes = {model.classes}, y_test should hold so many "
            f"numbers for each sample, as in the shape {wanted}.\n"
            f"Received: shape {labels.shape}, {labels.dtype}",
            remedy=f"Look at y_test, and at classes in {FILE}.",
        )
