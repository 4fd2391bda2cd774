"""A model as the judge describes it → the same model in normal form.

Two students who build the same network in different ways get the same layers here: activation
layers are folded into the layer before, and what only reshapes, prepares or regularises is marked
as what it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field

from grader.records import LayerCard, Role, Shape

PLUMBING = frozenset(
    {
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "Identity",
        "Masking",
        "Squeeze",
        "ExpandDims",
    }
)
PREPROCESSING = frozenset(
    {
        "Rescaling",
        "Normalization",
        "CenterCrop",
        "Resizing",
        "CategoryEncoding",
        "Discretization",
    }
)
REGULARISATION = frozenset({
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
})  # fmt: skip
OPERATIONS = frozenset(
    {
        "Add",
        "Subtract",
        "Multiply",
        "Divide",
        "TrueDivide",
        "Average",
        "Maximum",
        "Minimum",
        "Cast",
    }
)
ACTIVATION_KINDS = {
    "ELU": "elu",
    "Elu": "elu",
    "Gelu": "gelu",
    "LeakyReLU": "leaky_relu",
    "LeakyRelu": "leaky_relu",
    "LogSoftmax": "log_softmax",
    "ReLU": "relu",
    "Relu": "relu",
    "Relu6": "relu6",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Silu": "silu",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}
"""Layers and ``keras.ops`` calls that are an activation and nothing else."""
CAN_HAVE_ACTIVATION = ("Dense", "Conv", "Depthwise", "Separable", "EinsumDense")

Count = Annotated[int, Field(ge=0, le=10**12)]
Axes = Annotated[tuple[int | None, ...], Field(max_length=16)]
Text = Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLayer:
    """One layer as the judge describes it; validated, since the judge opened a stranger's file."""

    name: Text
    kind: Text
    is_layer: bool
    units: int | None
    activation: Text
    input_shape: Any
    output_shape: Any
    trainable_params: Count
    non_trainable_params: Count
    settings: Annotated[dict[Text, Any], Field(max_length=64)]
    inbound: Annotated[tuple[Text, ...], Field(max_length=1000)] = ()
    uses: Count = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RawModel:
    """A model as the judge describes it."""

    input_shape: Any
    output_shape: Any
    trainable_params: Count
    non_trainable_params: Count
    layers: Annotated[tuple[RawLayer, ...], Field(max_length=5000)] = field(default=())


def shape_of(raw: Any) -> Shape:
    """A plain shape; of several inputs or outputs, the first."""
    if isinstance(raw, list | tuple):
        if raw and isinstance(raw[0], list | tuple):
            return shape_of(raw[0])
        return tuple(axis if isinstance(axis, int) else None for axis in raw[:16])
    return ()


def normal_form(layers: Sequence[RawLayer]) -> tuple[LayerCard, ...]:
    """Fold activations and mark each layer's role.

    An activation layer is folded when it takes the output of the layer just before, and that one
    has no activation of its own; dropout and reshaping in between do not part them.
    """
    cards: list[LayerCard] = []
    for layer in layers:
        activation = _pure_activation(layer)
        if activation == "linear":
            continue
        target = _foldable(cards) if activation else None
        if activation and target is not None:
            cards[target] = replace(cards[target], activation=activation)
            continue
        cards.append(_card(layer, activation))
    return tuple(cards)


def _pure_activation(layer: RawLayer) -> str:
    if layer.kind == "Activation":
        return layer.activation
    if layer.kind == "ReLU" and layer.settings.get("max_value"):
        return "relu6" if layer.settings["max_value"] == 6 else ""  # noqa: PLR2004 - the name says it
    return ACTIVATION_KINDS.get(layer.kind, "")


def _foldable(cards: list[LayerCard]) -> int | None:
    """The last layer that computes, when nothing but plumbing or dropout stands behind it."""
    for place in range(len(cards) - 1, -1, -1):
        card = cards[place]
        if card.role in ("plumbing", "regularisation"):
            continue
        takes = card.kind.startswith(CAN_HAVE_ACTIVATION)
        return place if takes and card.activation == "linear" else None
    return None


def _card(layer: RawLayer, activation: str) -> LayerCard:
    return LayerCard(
        name=layer.name,
        kind=layer.kind,
        role=_role(layer),
        units=layer.units,
        activation=activation
        or ACTIVATION_KINDS.get(_class_name(layer.activation), layer.activation),
        input_shape=shape_of(layer.input_shape),
        output_shape=shape_of(layer.output_shape),
        trainable_params=layer.trainable_params,
        non_trainable_params=layer.non_trainable_params,
        settings=layer.settings,
    )


def _class_name(activation: str) -> str:
    """``activation=layers.ReLU()`` is described by its class in lower case."""
    by_lower = {kind.lower(): kind for kind in ACTIVATION_KINDS}
    return by_lower.get(activation, "")


def _role(layer: RawLayer) -> Role:
    if layer.kind in PLUMBING:
        return "plumbing"
    if layer.kind in PREPROCESSING:
        return "preprocessing"
    if layer.kind in REGULARISATION:
        return "regularisation"
    if not layer.is_layer or layer.kind in OPERATIONS:
        return "operation"
    return "layer"
