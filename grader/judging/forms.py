"""Which ways of presenting the held-out inputs fit a model.

Students scale pixels or do not, flatten images or let the model do it. The judge must ask the
model in the form it was trained on: the layout follows from the model's input shape, the scale
from what was recorded when it was trained.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from grader.datasets import Dataset
from grader.records import ArrayFacts
from grader.settings import Layout

TOLERANCE = 0.02
"""How far, as a share of the span, recorded ends may lie from those of a known scale."""
SAME_MEAN = 0.1
"""How far, in deviations, the mean of a part of the data may lie from that of the whole."""
LARGE_PART = 0.5
"""How much of a scale a part of the data spans at least."""
NEARLY_ZERO = 0.01
"""The mean of standardised training data."""
GREY = 2
"""Axes of an image without channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way of presenting inputs; plain data, as it goes to the judge."""

    name: str
    """For the report."""
    layout: str
    """``dense``, ``multi_hot`` or ``padded``: how the judge reads the files."""
    shape: tuple[int | None, ...]
    """Of one sample."""
    scale: float = 1.0
    """Each value is multiplied with it,"""
    shift: float = 0.0
    """then this is added."""
    by_feature: bool = False
    """Instead: minus the training mean, divided by the training deviation, feature by feature."""
    by_channel: bool = False
    """The same with one mean and one deviation for each colour."""
    padding: str = ""
    """``pre`` or ``post``."""

    def task(self) -> dict[str, object]:
        """As the judge's task wants it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One way of scaling raw values, and the range it gives."""

    name: str
    low: float = 0.0
    high: float = 0.0
    scale: float = 1.0
    shift: float = 0.0
    by_feature: bool = False
    by_channel: bool = False


def candidate_forms(
    layouts: Sequence[Layout], dataset: Dataset, trained_on: ArrayFacts | None
) -> list[Form]:
    """List the forms worth trying; the judge drops those whose shape the model does not take.

    Args:
        layouts: What the assignment allows.
        dataset: Knows the inputs' shape and range.
        trained_on: What entered the model's last ``fit``; ``None`` when unknown.

    Returns:
        Forms in the order in which they are preferred when they do equally well.
    """
    forms: list[Form] = []
    for layout in layouts:
        match layout:
            case "multi_hot":
                words = int(dataset.train_facts["num_words"])
                forms.append(Form(name="multi-hot vectors", layout="multi_hot", shape=(words,)))
            case "padded":
                forms += [
                    Form(
                        name=f"padded sequences ({padding})",
                        layout="padded",
                        shape=(None,),
                        padding=padding,
                    )
                    for padding in ("pre", "post")
                ]
            case "as_is":
                forms += _as_they_are(dataset)
            case "vector" | "image":
                forms += _dense(layout, dataset, trained_on)
    return forms


def _as_they_are(dataset: Dataset) -> list[Form]:
    """The rows without any change; as with grey images, a last axis of 1 may be left out."""
    sample = dataset.sample_shape
    shapes = [sample] if sample[-1:] == (1,) else [sample, (*sample, 1)]
    return [
        Form(
            name=f"rows of {' × '.join(map(str, shape)) or 'one number'}, as they are",
            layout="dense",
            shape=shape,
        )
        for shape in shapes
    ]


def _dense(layout: str, dataset: Dataset, trained_on: ArrayFacts | None) -> list[Form]:
    sample = dataset.sample_shape
    shapes: list[tuple[int, ...]] = [(math.prod(sample),)]
    if layout == "image":
        shapes = [sample]
        if len(sample) == GREY:  # grey images come with and without a channel axis
            shapes.append((*sample, 1))
    words = {
        1: "vectors of {0}",
        2: "images of {0} × {1}",
        3: "images of {0} × {1} × {2}",
    }
    return [
        Form(
            name=f"{words[len(shape)].format(*shape)}, {scale.name}",
            layout="dense",
            shape=shape,
            scale=scale.scale,
            shift=scale.shift,
            by_feature=scale.by_feature,
            by_channel=scale.by_channel,
        )
        for shape in shapes
        for scale in _scales(dataset.train_facts, trained_on, coloured=len(sample) > GREY)
    ]


def _scales(
    facts: Mapping[str, float], trained_on: ArrayFacts | None, *, coloured: bool
) -> list[Scale]:
    """The scale that was recorded; every known one when nothing was."""
    low, span = facts["min"], facts["max"] - facts["min"]
    mean, std = facts["mean"], facts["std"]
    known = [
        _affine("raw values", low, low + span, facts),
        _affine("scaled to 0…1", 0.0, 1.0, facts),
        _affine("scaled to −1…1", -1.0, 1.0, facts),
        _affine("scaled to −0.5…0.5", -0.5, 0.5, facts),
        _affine("standardised", (low - mean) / std, (low + span - mean) / std, facts),
    ]
    by_part = [Scale(name="standardised feature by feature", by_feature=True)]
    if coloured:
        by_part.append(Scale(name="standardised colour by colour", by_channel=True))
    if trained_on is None or trained_on.minimum is None or trained_on.maximum is None:
        return [*known, *by_part]
    have_low, have_high = trained_on.minimum, trained_on.maximum
    # Where an infinity entered, or the ends of what a float can be, no map can be told from them.
    if not have_high > have_low or not math.isfinite(have_high - have_low):
        return [*known, *by_part]
    near = [
        scale
        for scale in known
        if abs(scale.low - have_low) <= TOLERANCE * (scale.high - scale.low)
        and abs(scale.high - have_high) <= TOLERANCE * (scale.high - scale.low)
    ]
    if near:
        return near
    # Any other range is taken for that of a linear map: the model is asked as it was trained.
    as_trained = f"scaled to {have_low:.4g}…{have_high:.4g}, as in training"
    found = [*_of_a_part(known, facts, trained_on)]
    found.append(_affine(as_trained, have_low, have_high, facts))
    if trained_on.mean is not None and abs(trained_on.mean) < NEARLY_ZERO:
        found += by_part
    return found


def _of_a_part(
    known: list[Scale], facts: Mapping[str, float], trained_on: ArrayFacts
) -> list[Scale]:
    """The scales whose rare ends a part of the data may lack: inside them, and of their mean."""
    low, high, mean = trained_on.minimum, trained_on.maximum, trained_on.mean
    if low is None or high is None or mean is None:
        return []
    return [
        scale
        for scale in known
        if scale.low <= low
        and high <= scale.high
        and high - low >= LARGE_PART * (scale.high - scale.low)
        and abs(scale.scale * facts["mean"] + scale.shift - mean)
        <= SAME_MEAN * scale.scale * facts["std"]
    ]


def _affine(name: str, to_low: float, to_high: float, facts: Mapping[str, float]) -> Scale:
    low = facts["min"]
    scale = (to_high - to_low) / (facts["max"] - low)
    return Scale(name=name, low=to_low, high=to_high, scale=scale, shift=to_low - scale * low)
