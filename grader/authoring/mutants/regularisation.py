"""Regularisation that is missing, too weak, or where it does harm."""

import ast
from collections.abc import Iterator

from grader.authoring.mutants.kind import NETWORK, Kind
from grader.authoring.mutants.networks import (
    DROPOUTS,
    layers,
    learning,
    output,
    with_another,
    without,
)
from grader.authoring.mutants.source import Change, Program

REGULARISERS = ("kernel_regularizer", "bias_regularizer", "activity_regularizer")
FEWER = 10
"""A rate ten times too small hardly drops anything."""


def _missing(program: Program) -> Iterator[Change]:
    for place in layers(program):
        if place.kind in DROPOUTS:
            yield Change(f"without {place.kind}", (without(program, place),))


def _rate(program: Program) -> Iterator[Change]:
    for call in program.calls(*DROPOUTS):
        node = program.settled(program.argument(call, "rate", 0))
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            other = f"{node.value / FEWER:g}"
            yield Change(f"{node.value:g} → {other}", (program.replace(node, other),))


def _behind_output(program: Program) -> Iterator[Change]:
    place = output(program)
    dropouts = [each for each in layers(program) if each.kind in DROPOUTS]
    if place and dropouts:
        text = program.source(dropouts[0].call)
        yield Change("dropout of the answers", (with_another(program, place, text),))


def _no_penalty(program: Program) -> Iterator[Change]:
    for place in learning(program):
        for name in REGULARISERS:
            if edit := program.without_argument(place.call, name):
                yield Change(f"{place.kind} without {name}", (edit,))


KINDS = (
    Kind(name="dropout missing", changes=_missing, shows_in=NETWORK),
    Kind(name="wrong dropout rate", changes=_rate, shows_in=NETWORK),
    Kind(name="dropout after the output", changes=_behind_output, shows_in=NETWORK),
    Kind(name="L2 missing", changes=_no_penalty, shows_in=NETWORK),
)
