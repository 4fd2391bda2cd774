"""Errors about shapes → what was wanted, and what was there.

The messages read here are Keras 3's and NumPy's; the tests raise each of them.
"""

import math
import re
from collections.abc import Callable

from grader.records import ErrorFacts

LARGEST = 10**12
"""No number in an honest shape is larger."""
_SHAPE = r"\((?P<{}>[\d, None]*)\)"
_NETWORK = re.compile(
    rf"Expected shape {_SHAPE.format('want')}, but input has incompatible shape "
    rf"{_SHAPE.format('have')}"
)
_LAYER = re.compile(
    r"of layer '(?P<layer>[\w/]+)' is incompatible with the layer: "
    r"expected (?P<least>min_)?ndim=(?P<want>\d+), found ndim=\d+\. "
    rf"Full shape received: {_SHAPE.format('have')}"
)
_AXIS = re.compile(
    r"of layer '(?P<layer>[\w/]+)' is incompatible with the layer: expected axis -1 of input shape "
    rf"to have value (?P<want>\d+), but received input with shape {_SHAPE.format('have')}"
)
_RANKS = re.compile(
    rf"target\.shape={_SHAPE.format('target')}, output\.shape={_SHAPE.format('output')}"
)
_SIZES = re.compile(r"'x' sizes: (?P<x>\d+)\s+'y' sizes: (?P<y>\d+)")
_WINDOW = re.compile(
    r"Computed output size would be zero or negative\. Received:? `inputs[. ]shape="
    r"[(\[](?P<have>[\d, None]*)[)\]]`, `(?:pool_size|kernel shape)=[(\[](?P<window>[\d, ]*)[)\]]`"
)
_RESHAPE = re.compile(r"cannot reshape array of size (?P<size>\d+) into shape \((?P<want>[\d,]+)\)")
_STATIC = re.compile(r"`stateful=True`.*batch size must be static", re.DOTALL)


def misfit(error: ErrorFacts) -> str:
    """Say which shape was wanted and which was there; empty where it is not about shapes."""
    if error.kind != "ValueError":
        return ""
    for pattern, say in _WORDS:
        if found := pattern.search(error.message):
            return say(found)
    return ""


def _numbers(text: str) -> list[int | None]:
    words = text.replace(",", " ").split()
    return [int(word) if word.isdecimal() and int(word) < LARGEST else None for word in words]


def _sample(text: str) -> list[int | None]:
    """A shape without its batch."""
    return _numbers(text)[1:]


def _said(axes: list[int | None]) -> str:
    """``28 × 28``."""
    return " × ".join("any" if axis is None else f"{axis:,}" for axis in axes) or "a single number"


def _count(axes: list[int | None]) -> int | None:
    known = [axis for axis in axes if axis is not None]
    return math.prod(known) if len(known) == len(axes) else None


def _network(found: re.Match[str]) -> str:
    want, have = _sample(found["want"]), _sample(found["have"])
    words = f"The network takes {_said(want)} for each sample and was given {_said(have)}"
    if _count(want) == _count(have) is not None:
        return f"{words}: as many values, in another shape."
    return f"{words}."


def _layer(found: re.Match[str]) -> str:
    have, layer = _sample(found["have"]), found["layer"]
    wanted = int(found["want"]) - 1
    axes = f"{'at least ' if found['least'] else ''}{wanted} {'axis' if wanted == 1 else 'axes'}"
    words = f"`{layer}` takes {axes} for each sample and was given {_said(have)}"
    if layer.startswith(("conv2d", "max_pooling2d", "average_pooling2d")) and len(have) < wanted:
        return f"{words}: height, width and channels are wanted, one channel for grey images."
    if layer.startswith(("lstm", "gru", "simple_rnn")) and len(have) == 1:
        return (
            f"{words}: steps and features are wanted. "
            "A recurrent layer before it gives its last output only, unless it is told otherwise."
        )
    return f"{words}."


def _axis(found: re.Match[str]) -> str:
    have = _sample(found["have"])
    words = f"`{found['layer']}` was made for {int(found['want']):,} values in the last axis"
    return f"{words} and was given {_said(have)}."


def _ranks(found: re.Match[str]) -> str:
    target, output = _numbers(found["target"]), _numbers(found["output"])
    width = output[-1] if output else None
    if width is None:
        return ""
    if len(output) - len(target) == 1 or (target[-1:] == [1] and width > 1):
        return (
            f"There is one label for each sample, and the network gives {width:,} values: "
            "this loss compares value by value, as with one-hot labels."
        )
    if target == output:
        return (
            f"There are {width:,} label values for each sample: "
            "this loss wants the number of the class alone."
        )
    return f"A sample has labels of {_said(target[1:])} and an output of {_said(output[1:])}."


def _sizes(found: re.Match[str]) -> str:
    return f"There are {int(found['x']):,} samples and {int(found['y']):,} labels."


def _window(found: re.Match[str]) -> str:
    have = _sample(found["have"])[:-1]
    window = _numbers(found["window"])[: len(have)]
    return f"A window of {_said(window)} does not fit into {_said(have)}: nothing is left of it."


def _reshape(found: re.Match[str]) -> str:
    size, want = int(found["size"]), _numbers(found["want"])
    all_of_it, sample = _count(want), _count(want[1:])
    if all_of_it is None or not sample or size > LARGEST:
        return ""
    words = f"{_said(want)} are {all_of_it:,} values, and there are {size:,}"
    return f"{words}: {size // sample:,} samples." if size % sample == 0 else f"{words}."


def _static(_: re.Match[str]) -> str:
    return "A stateful layer has a state for each sample of a batch: `keras.Input(batch_shape=…)`."


_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_NETWORK, _network),
    (_LAYER, _layer),
    (_AXIS, _axis),
    (_RANKS, _ranks),
    (_SIZES, _sizes),
    (_WINDOW, _window),
    (_RESHAPE, _reshape),
    (_STATIC, _static),
)
