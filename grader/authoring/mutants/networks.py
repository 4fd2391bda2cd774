"""Where a program builds its network: layers in a list, by ``add``, or called one on the other."""

import ast
from dataclasses import dataclass
from typing import Literal

from grader.authoring.mutants.source import Edit, Program, last_name, whole

DENSE = ("Dense",)
CONVOLUTIONS = tuple(
    f"{kind}{n}D" for kind in ("Conv", "SeparableConv", "DepthwiseConv") for n in (1, 2, 3)
)
RECURRENT = ("LSTM", "GRU", "SimpleRNN")
POOLS = tuple(f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3))
LEARNING = (*DENSE, *CONVOLUTIONS, *RECURRENT, "Embedding")
DROPOUTS = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout")
OTHERS = (
    "Flatten",
    "Reshape",
    "Activation",
    "BatchNormalization",
    "LayerNormalization",
    "Bidirectional",
    "TimeDistributed",
    "Rescaling",
    "Normalization",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
)
LAYERS = (*LEARNING, *POOLS, *DROPOUTS, *OTHERS)


@dataclass(frozen=True, slots=True)
class Place:
    """A layer where it joins the network."""

    call: ast.Call
    """``Dense(512, activation="relu")``."""
    form: Literal["element", "added", "called"]
    """In a list, by ``add``, or called on the layer before."""
    around: ast.AST
    """The list's element, the statement, or the call on the layer before."""

    @property
    def kind(self) -> str:
        """Its class."""
        return last_name(self.call.func)


def layers(program: Program) -> list[Place]:
    """The layers of a program's networks that could be left out, in the order of the text."""
    found = []
    for call in program.calls(*LAYERS):
        around = program.parent(call)
        if isinstance(around, ast.List | ast.Tuple) and _is_model(program.parent(around)):
            found.append(Place(call, "element", call))
        elif isinstance(around, ast.Call) and last_name(around.func) == "add":
            found.append(Place(call, "added", program.statement(call)))
        elif isinstance(around, ast.Call) and around.func is call and len(around.args) == 1:
            found.append(Place(call, "called", around))
    return found


def _is_model(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "Sequential"


def without(program: Program, place: Place) -> Edit:
    """Leave a layer out."""
    if place.form == "element":
        return program.drop_element(place.call)
    if place.form == "added" and isinstance(place.around, ast.stmt):
        return program.drop(place.around)
    return program.replace(place.around, _input(program, place))


def with_another(program: Program, place: Place, text: str) -> Edit:
    """Put another layer behind one."""
    end = program.span(place.around)[1]
    if place.form == "element":
        return Edit(end, end, f", {text}")
    if place.form == "added" and isinstance(place.around, ast.stmt):
        added = program.source(place.around)
        return program.after(place.around, added.replace(program.source(place.call), text))
    return program.replace(place.around, f"{text}({program.source(place.around)})")


def _input(program: Program, place: Place) -> str:
    around = place.around
    return program.source(around.args[0]) if isinstance(around, ast.Call) else ""


def learning(program: Program) -> list[Place]:
    """The layers that learn."""
    return [place for place in layers(program) if place.kind in LEARNING]


def output(program: Program) -> Place | None:
    """The last layer that learns."""
    return next(reversed(learning(program)), None)


def units(program: Program, place: Place) -> tuple[ast.expr, int] | None:
    """A layer's units or filters, where they stand as a number."""
    for name in ("units", "filters"):
        value = program.settled(program.argument(place.call, name, 0))
        number = whole(value)
        if value is not None and number is not None and place.kind != "Embedding":
            return value, number
    return None


def activation(program: Program, place: Place) -> tuple[ast.expr, str] | None:
    """A layer's activation: its own, or that of the activation layer behind it."""
    own = program.argument(place.call, "activation", 1 if place.kind in DENSE else None)
    if own is None:
        every = layers(program)
        behind = every[every.index(place) + 1 :][:1]
        if behind and behind[0].kind == "Activation":
            own = program.argument(behind[0].call, "activation", 0)
    if own is None:
        return None
    name = own.value if isinstance(own, ast.Constant) else last_name(own).lower()
    return (own, name) if isinstance(name, str) else None
