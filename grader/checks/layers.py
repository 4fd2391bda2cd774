"""What an assignment says of a layer, and how a layer that was found is said in the same words."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.normal_form import (
    ACTIVATION_KINDS,
    CAN_HAVE_ACTIVATION,
    OPERATIONS,
    PLUMBING,
    PREPROCESSING,
    REGULARISATION,
)
from grader.records import LayerCard, ModelCard

AS_POOL = "the pool size"
"""Strides of a pooling layer that were left out."""
ALIASES = {
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
}
"""Keras' second names for the same classes."""
FIRST_ARGUMENTS = ("layer", "kernel_size", "pool_size", "rate", "input_dim", "output_dim")
"""Settings that are written without their name."""
RECURRENT = ("LSTM", "GRU", "SimpleRNN")
LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """A layer as the assignment wants it; what is not named may be anything."""

    kind: str
    """Its class, e.g. ``"Dense"``."""
    units: int | None = None
    """Units or filters."""
    activation: str | None = None
    """Canonical name."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Other arguments by Keras' names."""

    def __str__(self) -> str:
        """Give it as a student would say it."""
        inside = [str(self.units)] if self.units is not None else []
        inside += [_short(self.settings[key]) for key in FIRST_ARGUMENTS if key in self.settings]
        inside += [_cut(self.activation)] if self.activation else []
        inside += [
            f"{_cut(key)}={_short(value)}"
            for key, value in self.settings.items()
            if key not in FIRST_ARGUMENTS
        ]
        return f"{_cut(self.kind)}({', '.join(inside)})"


# ------------------------------------------------------------------ what checks are written with


def layer(
    kind: str, units: int | None = None, activation: str | None = None, **settings: Any
) -> WantedLayer:
    """Any layer by its class; what is not named may be anything.

    Example:
        ``layer("Conv1D", 32, "relu", padding="causal")``
    """
    kind = ALIASES.get(kind, kind)
    if kind in ACTIVATION_KINDS:
        kind, activation = "Activation", activation or ACTIVATION_KINDS[kind]
    named = {key: _canonical(value) for key, value in settings.items() if value is not None}
    return WantedLayer(kind, units, activation, named)


def dense(units: int | None, activation: str | None = "linear", **settings: Any) -> WantedLayer:
    """A fully connected layer; without an activation it must be linear.

    Example:
        ``dense(512, "relu")``, ``dense(10, "softmax", use_bias=False)``
    """
    return layer("Dense", units, activation, **settings)


def conv2d(
    filters: int | None = None, kernel_size: Any = None, activation: str | None = None, **more: Any
) -> WantedLayer:
    """A convolution over images; a number and a pair of equal numbers mean the same.

    Example:
        ``conv2d(32, 3, "relu", padding="same")``
    """
    return layer("Conv2D", filters, activation, kernel_size=kernel_size, **more)


def max_pooling(pool_size: Any = None, *, dims: int = 2, **settings: Any) -> WantedLayer:
    """Max pooling over images, or over sequences with ``dims=1``.

    Example:
        ``max_pooling(2)``
    """
    return layer(f"MaxPooling{dims}D", pool_size=pool_size, **settings)


def average_pooling(pool_size: Any = None, *, dims: int = 2, **settings: Any) -> WantedLayer:
    """Average pooling over images, or over sequences with ``dims=1``.

    Example:
        ``average_pooling(2)``
    """
    return layer(f"AveragePooling{dims}D", pool_size=pool_size, **settings)


def global_average_pooling(*, dims: int = 2) -> WantedLayer:
    """The mean of each channel; compared only where the assignment names it.

    Example:
        ``global_average_pooling()``
    """
    return layer(f"GlobalAveragePooling{dims}D")


def dropout(rate: float | None = None) -> WantedLayer:
    """Dropout; once one is named, the place and rate of every one matter.

    Example:
        ``dropout(0.25)``
    """
    return layer("Dropout", rate=rate)


def lstm(
    units: int | None = None, *, return_sequences: bool | None = None, **settings: Any
) -> WantedLayer:
    """A layer of long short-term memory.

    Example:
        ``lstm(32, return_sequences=True)``
    """
    return layer("LSTM", units, return_sequences=return_sequences, **settings)


def embedding(input_dim: int | None = None, output_dim: int | None = None) -> WantedLayer:
    """A table of one vector for each word.

    Example:
        ``embedding(10_000, 16)``
    """
    return layer("Embedding", input_dim=input_dim, output_dim=output_dim)


def bidirectional(inner: WantedLayer, *, merge_mode: str | None = None) -> WantedLayer:
    """A recurrent layer that reads its sequence from both ends.

    Example:
        ``bidirectional(lstm(32))``
    """
    return layer("Bidirectional", layer=inner, merge_mode=merge_mode)


def time_distributed(inner: WantedLayer) -> WantedLayer:
    """A layer that is applied to each step of a sequence by itself.

    Example:
        ``time_distributed(dense(10, "softmax"))``
    """
    return layer("TimeDistributed", layer=inner)


def batch_normalization(**settings: Any) -> WantedLayer:
    """Batch normalisation.

    Example:
        ``batch_normalization()``
    """
    return layer("BatchNormalization", **settings)


def flatten() -> WantedLayer:
    """Flatten; compared only where the assignment names it or another layer that only reshapes.

    Example:
        ``flatten()``
    """
    return layer("Flatten")


# ------------------------------------------------------------------ which layers are compared


def sort_of(kind: str, role: str = "layer") -> str:
    """What sort of layer it is: only layers that learn are always compared, others when named."""
    if role != "layer":
        return role
    for names, sort in (
        (PLUMBING, "plumbing"),
        (PREPROCESSING, "preprocessing"),
        (REGULARISATION, "regularisation"),
        (OPERATIONS, "operation"),
    ):
        if kind in names:
            return sort
    if kind.startswith("Global"):
        return "global pooling"
    return "pooling" if "Pooling" in kind else "layer"


def compared_places(card: ModelCard, wanted: Iterable[WantedLayer]) -> list[int]:
    """The places of the layers that an assignment compares by what it names."""
    sorts = {"layer", *(sort_of(want.kind) for want in wanted)}
    return [
        place for place, found in enumerate(card.layers) if sort_of(found.kind, found.role) in sorts
    ]


# ------------------------------------------------------------------ a layer found, in these words


def can_have_activation(kind: str) -> bool:
    """Whether leaving out this layer's activation means that it has none."""
    return kind.startswith(CAN_HAVE_ACTIVATION) and not kind.endswith("LSTM")


def as_said(found: LayerCard) -> WantedLayer:
    """A layer found, as an assignment would name it in full."""
    return _as_said(found.kind, found.units, found.activation, found.settings)


def _as_said(
    kind: str, units: int | None, activation: str, found: Mapping[str, Any]
) -> WantedLayer:
    settings = {**defaults(kind), **{key: _canonical(value) for key, value in found.items()}}
    if "Pooling" in kind and settings.get("strides") == settings.get("pool_size"):
        settings["strides"] = AS_POOL
    if isinstance(inner := settings.get("layer"), Mapping):
        settings["layer"] = _inside(inner)
    if kind == "Activation" or kind in ACTIVATION_KINDS:
        return WantedLayer("Activation", None, activation, settings)
    has_one = can_have_activation(kind) or kind in RECURRENT
    return WantedLayer(kind, units, activation if has_one else None, settings)


def _inside(described: Mapping[str, Any]) -> WantedLayer:
    """The layer inside another one, as the judge describes it among the other one's settings."""
    own = {"class", "units", "activation"}
    units = described.get("units")
    return _as_said(
        str(described.get("class", "")),
        units if type(units) is int else None,
        str(described.get("activation", "linear")),
        {key: value for key, value in described.items() if key not in own},
    )


def defaults(kind: str) -> dict[str, Any]:
    """What a layer's arguments are when they are left out, as far as they change its numbers."""
    if kind == "Bidirectional":
        return {"merge_mode": "concat"}
    if kind.startswith(("Conv", "Depthwise", "Separable")):
        return {
            "strides": 1,
            "padding": "valid",
            "dilation_rate": 1,
            "use_bias": True,
            **({"groups": 1} if kind.startswith("Conv") else {"depth_multiplier": 1}),
        }
    if "Pooling" in kind and not kind.startswith("Global"):
        return {"strides": AS_POOL, "padding": "valid"}
    if kind in RECURRENT:
        return {"use_bias": True, "return_sequences": False}
    return {"use_bias": True} if kind == "Dense" else {}


def brief(said: WantedLayer, *also: str) -> WantedLayer:
    """Leave out of a layer what goes without saying; ``also`` names settings to be kept."""
    usual = defaults(said.kind)
    kept = {
        key: value
        for key, value in said.settings.items()
        if key in also or key in FIRST_ARGUMENTS or (key in usual and value != usual[key])
    }
    activation = said.activation
    if said.kind in RECURRENT and activation == "tanh":
        activation = None
    return WantedLayer(said.kind, said.units, activation, kept)


def layer_words(found: LayerCard) -> str:
    """A layer as a student would say it: ``Dense(512, relu)``."""
    return str(brief(as_said(found)))


# ------------------------------------------------------------------ comparing


def differing(want: WantedLayer, have: WantedLayer) -> list[str]:
    """In what a layer is another one: ``kind``, ``units``, ``activation`` or settings' names.

    Of layers of different classes only the class is compared.
    """
    if want.kind != have.kind:
        return ["kind"]
    found = []
    if want.units is not None and want.units != have.units:
        found.append("units")
    if want.activation is not None and want.activation != have.activation:
        found.append("activation")
    found += [
        key
        for key in want.settings
        if key not in have.settings or not same_setting(key, want, have)
    ]
    return found


def same_setting(key: str, one: WantedLayer, other: WantedLayer) -> bool:
    """Whether two layers have the same value in a setting that both name."""
    left, right = one.settings[key], other.settings[key]
    if key == "strides" and (left == AS_POOL) != (right == AS_POOL):
        left = one.settings.get("pool_size", left) if left == AS_POOL else left
        right = other.settings.get("pool_size", right) if right == AS_POOL else right
    return same_value(left, right)


def same_value(left: Any, right: Any) -> bool:
    """Whether two values of a setting mean the same: ``"l2"`` is any ``L2(…)``, 3 is (3, 3)."""
    left, right = _canonical(left), _canonical(right)
    if isinstance(left, WantedLayer) and isinstance(right, WantedLayer):
        return not differing(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=1e-6)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        shared = left.keys() & right.keys()
        same = all(same_value(left[key], right[key]) for key in shared)
        return same and (bool(shared) or left == right)
    if isinstance(left, Mapping):
        left = left.get("class", "")
    if isinstance(right, Mapping):
        right = right.get("class", "")
    if isinstance(left, str) and isinstance(right, str):
        return squashed(left) == squashed(right)
    return bool(left == right)


def squashed(name: str) -> str:
    """``GlorotUniform`` and ``glorot_uniform`` are the same."""
    return name.replace("_", "").lower()


def _canonical(value: Any) -> Any:
    """One number for several that are equal: ``(3, 3)`` is 3."""
    if isinstance(value, list | tuple):
        if value and all(type(item) is int and item == value[0] for item in value):
            return value[0]
        return tuple(value)
    return value


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("class", "…")
    if isinstance(value, WantedLayer):
        value = brief(value)
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 1]}…"
