"""The numbers behind a layer: how many parameters it has, what shape it gives, and why.

The formulas are those of the Keras documentation and are checked against Keras itself by the tests.
A layer that is not known here, or whose settings make no sense, has no numbers: ``None``.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from grader.checks.layers import AS_POOL, RECURRENT, WantedLayer
from grader.normal_form import PLUMBING, PREPROCESSING, REGULARISATION
from grader.records import Shape

UNCHANGED = (REGULARISATION | PREPROCESSING | {"Activation", "Identity", "Masking"}) - {
    "CenterCrop",
    "Resizing",
    "CategoryEncoding",
}
"""Layers that give the shape they take and have nothing to learn."""
LARGEST = 10**9
"""No axis of a real network is longer."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of a layer by calculation."""

    params: int | None
    """Its parameters, trainable and not."""
    output_shape: Shape | None
    """What it gives, batch first."""
    formula: str = ""
    """How the parameters come about: ``"(784 + 1) × 512"``."""


UNKNOWN = Numbers(None, None)


def numbers(said: WantedLayer, shape: Shape | None) -> Numbers:
    """Work out a layer's parameters and output from what it takes."""
    if said.kind in UNCHANGED:
        return Numbers(0, shape)
    if shape is None or len(shape) < 2:  # noqa: PLR2004 - a batch and something in it
        return UNKNOWN
    if said.kind in PLUMBING:
        return Numbers(0, flat(shape) if said.kind == "Flatten" else None)
    if said.kind.startswith("Global"):
        return Numbers(0, (shape[0], shape[-1]))
    for kinds, formula in _FORMULAS:
        if said.kind in kinds:
            return formula(said, shape)
    return UNKNOWN


def flat(shape: Shape) -> Shape:
    """What Flatten makes of a shape."""
    rest = [axis for axis in shape[1:] if axis is not None]
    return (shape[0], math.prod(rest) if len(rest) == len(shape) - 1 else None)


def _dense(said: WantedLayer, shape: Shape) -> Numbers:
    units, width = _size(said.units), shape[-1]
    if units is None or width is None:
        return Numbers(None, (*shape[:-1], units) if units else None)
    bias = said.settings.get("use_bias", True) is not False
    return Numbers(
        (width + bias) * units,
        (*shape[:-1], units),
        f"({width:,} + 1) × {units:,}" if bias else f"{width:,} × {units:,}",
    )


def _convolution(said: WantedLayer, shape: Shape) -> Numbers:
    axes = int(said.kind[4])
    settings = said.settings
    filters, channels = _size(said.units), shape[-1]
    kernel = _sizes(settings.get("kernel_size"), axes)
    groups = _size(settings.get("groups", 1))
    if filters is None or channels is None or kernel is None or groups is None:
        return UNKNOWN
    if len(shape) != axes + 2 or settings.get("data_format") == "channels_first":
        return UNKNOWN
    bias = settings.get("use_bias", True) is not False
    seen = math.prod(kernel) * (channels // groups)
    product = " × ".join(map(str, [*kernel, channels // groups]))
    formula = f"({product} + 1) × {filters:,}" if bias else f"{product} × {filters:,}"
    output = _windows(settings, shape, kernel, _sizes(settings.get("strides", 1), axes))
    return Numbers(
        (seen + bias) * filters,
        (*output[:-1], filters) if output else None,
        formula,
    )


def _by_channel(said: WantedLayer, shape: Shape) -> Numbers:
    """A kernel for each channel; in a separable convolution, all of them are mixed afterwards."""
    axes = int(said.kind[-2])
    settings = said.settings
    mixes = said.kind.startswith("Separable")
    channels, filters = shape[-1], _size(said.units)
    kernel = _sizes(settings.get("kernel_size"), axes)
    each = _size(settings.get("depth_multiplier", 1))
    if channels is None or kernel is None or each is None or (mixes and filters is None):
        return UNKNOWN
    if len(shape) != axes + 2 or settings.get("data_format") == "channels_first":
        return UNKNOWN
    made = channels * each
    width = filters if mixes and filters else made
    bias = settings.get("use_bias", True) is not False
    formula = " × ".join([*map(str, kernel), f"{channels:,}", *([str(each)] * (each > 1))])
    params = math.prod(kernel) * made
    if mixes:
        params += made * width
        formula += f" + {made:,} × {width:,}"
    if bias:
        params += width
        formula += f" + {width:,}"
    output = _windows(settings, shape, kernel, _sizes(settings.get("strides", 1), axes))
    return Numbers(params, (*output[:-1], width) if output else None, formula)


def _pooling(said: WantedLayer, shape: Shape) -> Numbers:
    axes = len(shape) - 2
    pool = _sizes(said.settings.get("pool_size", 2), axes)
    strides = said.settings.get("strides", AS_POOL)
    steps = pool if strides in (AS_POOL, None) else _sizes(strides, axes)
    if pool is None or said.settings.get("data_format") == "channels_first":
        return Numbers(0, None)
    return Numbers(0, _windows(said.settings, shape, pool, steps))


def _windows(
    settings: Any, shape: Shape, window: tuple[int, ...], steps: tuple[int, ...] | None
) -> Shape | None:
    """How often a window fits into each axis between the batch and the channels."""
    spread = _sizes(settings.get("dilation_rate", 1), len(window))
    if steps is None or spread is None:
        return None
    valid = settings.get("padding", "valid") == "valid"
    made: list[int | None] = []
    for length, size, step, apart in zip(shape[1:-1], window, steps, spread, strict=True):
        if length is None:
            made.append(None)
            continue
        places = (length - apart * (size - 1) - 1) // step + 1 if valid else -(-length // step)
        if places < 1:
            return None
        made.append(places)
    return (shape[0], *made, shape[-1])


def _recurrent(said: WantedLayer, shape: Shape) -> Numbers:
    units, width = _size(said.units), shape[-1]
    if units is None or width is None or len(shape) != 3:  # noqa: PLR2004 - batch, time, features
        return UNKNOWN
    gates = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[said.kind]
    bias = said.settings.get("use_bias", True) is not False
    # Keras' GRU keeps two biases a gate (reset_after=True, its default).
    biases = bias * (2 if said.kind == "GRU" else 1)
    one = f"({width:,} + {units:,}) × {units:,}" + (
        f" + {'2 × ' if biases > 1 else ''}{units:,}" if bias else ""
    )
    sequence = said.settings.get("return_sequences", False) is True
    return Numbers(
        gates * ((width + units) * units + biases * units),
        (shape[0], shape[1], units) if sequence else (shape[0], units),
        one if gates == 1 else f"{gates} × ({one})",
    )


def _both_ways(said: WantedLayer, shape: Shape) -> Numbers:
    inner = said.settings.get("layer")
    if not isinstance(inner, WantedLayer):
        return UNKNOWN
    one = numbers(inner, shape)
    if one.params is None or one.output_shape is None:
        return UNKNOWN
    *axes, width = one.output_shape
    side_by_side = said.settings.get("merge_mode", "concat") == "concat" and width is not None
    return Numbers(
        2 * one.params,
        (*axes, 2 * width) if side_by_side and width else one.output_shape,
        f"2 × ({one.formula})",
    )


def _each_step(said: WantedLayer, shape: Shape) -> Numbers:
    inner = said.settings.get("layer")
    if not isinstance(inner, WantedLayer) or len(shape) < 3:  # noqa: PLR2004 - batch, time, features
        return UNKNOWN
    one = numbers(inner, (shape[0], *shape[2:]))
    output = (*shape[:2], *one.output_shape[1:]) if one.output_shape else None
    return Numbers(one.params, output, one.formula)


def _table(said: WantedLayer, shape: Shape) -> Numbers:
    rows = _size(said.settings.get("input_dim"))
    columns = _size(said.settings.get("output_dim"))
    if rows is None or columns is None:
        return UNKNOWN
    return Numbers(rows * columns, (*shape, columns), f"{rows:,} × {columns:,}")


def _normalisation(said: WantedLayer, shape: Shape) -> Numbers:
    each = 4 if said.kind == "BatchNormalization" else 2
    width = shape[-1]
    last = said.settings.get("axis", -1) in (-1, len(shape) - 1)
    if width is None or not last or said.settings.get("scale", True) is not True:
        return Numbers(None, shape)
    return Numbers(each * width, shape, f"{each} × {width:,}")


_FORMULAS: tuple[tuple[Collection[str], Callable[[WantedLayer, Shape], Numbers]], ...] = (
    (("Dense",), _dense),
    (("Conv1D", "Conv2D", "Conv3D"), _convolution),
    (
        {f"{how}Conv{axes}D" for how in ("Depthwise", "Separable") for axes in (1, 2)},
        _by_channel,
    ),
    (("Bidirectional",), _both_ways),
    (("TimeDistributed",), _each_step),
    ({f"{how}Pooling{axes}D" for how in ("Max", "Average") for axes in (1, 2, 3)}, _pooling),
    (RECURRENT, _recurrent),
    (("Embedding",), _table),
    (("BatchNormalization", "LayerNormalization"), _normalisation),
)


def _size(value: Any) -> int | None:
    """A length that can be one: student-made settings may be anything."""
    return value if type(value) is int and 0 < value <= LARGEST else None


def _sizes(value: Any, axes: int) -> tuple[int, ...] | None:
    given = tuple(value) if isinstance(value, list | tuple) else (value,) * axes
    sizes = [size for size in map(_size, given) if size is not None]
    return tuple(sizes) if len(sizes) == axes == len(given) else None
