"""Wrong networks: activations, units, layers that are missing, doubled or in the wrong order."""

from collections.abc import Iterator
from itertools import pairwise

from grader.authoring.mutants.kind import NETWORK, TRAINING, Kind
from grader.authoring.mutants.networks import (
    CONVOLUTIONS,
    DENSE,
    DROPOUTS,
    LEARNING,
    POOLS,
    RECURRENT,
    Place,
    activation,
    layers,
    learning,
    output,
    units,
    with_another,
    without,
)
from grader.authoring.mutants.source import Change, Program, whole

OTHER_OUTPUTS = {
    "softmax": ("sigmoid", "relu"),
    "sigmoid": ("softmax", "relu"),
    "linear": ("relu", "sigmoid"),
}
DOUBLE = 2


def _hidden(program: Program) -> list[Place]:
    return [place for place in learning(program) if place != output(program)]


def _hidden_activation(program: Program) -> Iterator[Change]:
    for place in _hidden(program):
        if found := activation(program, place):
            node, name = found
            other = "sigmoid" if name == "relu" else "relu"
            yield Change(f"{name} → {other}", (program.replace(node, f'"{other}"'),))


def _no_hidden_activation(program: Program) -> Iterator[Change]:
    for place in _hidden(program):
        if (found := activation(program, place)) and found[1] != "linear":
            node, name = found
            yield Change(f"{name} → none", (program.replace(node, '"linear"'),))


def _output_activation(program: Program) -> Iterator[Change]:
    if not (place := output(program)):
        return
    found = activation(program, place)
    for other in OTHER_OUTPUTS.get(found[1] if found else "linear", ()):
        edit = (
            program.replace(found[0], f'"{other}"')
            if found
            else program.with_argument(place.call, "activation", f'"{other}"')
        )
        yield Change(f"{found[1] if found else 'none'} → {other}", (edit,))


def _no_output_activation(program: Program) -> Iterator[Change]:
    place = output(program)
    if place and (found := activation(program, place)) and found[1] in ("softmax", "sigmoid"):
        yield Change(f"{found[1]} → none", (program.replace(found[0], '"linear"'),))


def _units(program: Program) -> Iterator[Change]:
    for place in learning(program):
        if found := units(program, place):
            node, number = found
            others = [number + 1, number - 1, number // DOUBLE, number * DOUBLE]
            for other in dict.fromkeys(each for each in others if each >= 1):
                change = program.replace(node, str(other))
                yield Change(f"{place.kind}: {number} → {other} units", (change,))


def _missing(program: Program) -> Iterator[Change]:
    for place in layers(program):
        if place.kind not in (*DROPOUTS, "Activation", "Rescaling"):
            yield Change(f"without {place.kind}", (without(program, place),))


def _doubled(program: Program) -> Iterator[Change]:
    for place in layers(program):
        if place.kind in (*LEARNING, *POOLS) and place.kind != "Embedding":
            text = program.source(place.call)
            yield Change(f"{place.kind} twice", (with_another(program, place, text),))


def _swapped(program: Program) -> Iterator[Change]:
    for one, two in pairwise(layers(program)):
        first, second = program.source(one.call), program.source(two.call)
        if first != second and program.function(one.call) == program.function(two.call):
            edits = (program.replace(one.call, second), program.replace(two.call, first))
            yield Change(f"{two.kind} before {one.kind}", edits)


def _no_bias(program: Program) -> Iterator[Change]:
    for place in learning(program):
        if place.kind in (*DENSE, *CONVOLUTIONS, *RECURRENT):
            edit = program.with_argument(place.call, "use_bias", "False")
            yield Change(f"{place.kind} without biases", (edit,))


def _kernel_size(program: Program) -> Iterator[Change]:
    for place in layers(program):
        if place.kind in CONVOLUTIONS:
            node = program.argument(place.call, "kernel_size", 1)
            if node is not None:
                change = program.replace(node, "1")
                yield Change(f"{program.source(node)} → 1", (change,))


def _padding(program: Program) -> Iterator[Change]:
    for place in layers(program):
        if place.kind in CONVOLUTIONS:
            node = program.argument(place.call, "padding")
            same = node is not None and "same" in program.source(node)
            other = "valid" if same else "same"
            yield Change(
                f"padding {other}", (program.with_argument(place.call, "padding", f'"{other}"'),)
            )


def _pooling(program: Program) -> Iterator[Change]:
    for place in layers(program):
        if place.kind.startswith("MaxPooling"):
            func = program.source(place.call.func)
            other = func.replace("MaxPooling", "AveragePooling")
            yield Change("the mean, not the maximum", (program.replace(place.call.func, other),))


def _return_sequences(program: Program) -> Iterator[Change]:
    for call in program.calls(*RECURRENT):
        node = program.argument(call, "return_sequences")
        other = "False" if node is not None and program.source(node) == "True" else "True"
        edit = program.with_argument(call, "return_sequences", other)
        yield Change(f"return_sequences={other}", (edit,))


def _embedding(program: Program) -> Iterator[Change]:
    for call in program.calls("Embedding"):
        node = program.settled(program.argument(call, "output_dim", 1))
        size = whole(node)
        if node is not None and size is not None:
            yield Change(
                f"{size} → {size * DOUBLE} numbers a word",
                (program.replace(node, str(size * DOUBLE)),),
            )


KINDS = (
    Kind(name="wrong hidden activation", changes=_hidden_activation, shows_in=NETWORK),
    Kind(name="no hidden activation", changes=_no_hidden_activation, shows_in=NETWORK),
    Kind(name="wrong output activation", changes=_output_activation, shows_in=NETWORK | TRAINING),
    Kind(
        name="output activation missing", changes=_no_output_activation, shows_in=NETWORK | TRAINING
    ),
    Kind(name="units off", changes=_units, shows_in=NETWORK),
    Kind(name="layer missing", changes=_missing, shows_in=NETWORK),
    Kind(name="layer doubled", changes=_doubled, shows_in=NETWORK),
    Kind(name="layers swapped", changes=_swapped, shows_in=NETWORK),
    Kind(name="no bias", changes=_no_bias, shows_in=NETWORK),
    Kind(name="wrong kernel size", changes=_kernel_size, shows_in=NETWORK),
    Kind(name="wrong padding", changes=_padding, shows_in=NETWORK),
    Kind(name="wrong pooling", changes=_pooling, shows_in=NETWORK),
    Kind(name="wrong return_sequences", changes=_return_sequences, shows_in=NETWORK),
    Kind(name="wrong embedding size", changes=_embedding, shows_in=NETWORK),
)
