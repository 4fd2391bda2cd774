"""Where a program compiles, trains and evaluates its models."""

import ast
from dataclasses import dataclass

from grader.authoring.mutants.source import Program, last_name

X, Y, EPOCHS = 0, 1, 3
"""Positions of ``fit``'s arguments."""
BATCH_SIZE = 2
SPLITS = 2
"""Training and test."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a model's method."""

    call: ast.Call
    """The call."""
    statement: ast.stmt
    """The line it stands in."""
    model: str
    """The expression that gives the model."""


def methods(program: Program, name: str) -> list[Call]:
    """Calls ``<model>.<name>(…)``, in the order of the text."""
    return [
        Call(call, program.statement(call), program.source(call.func.value))
        for call in program.calls(name)
        if isinstance(call.func, ast.Attribute)
    ]


def fits(program: Program) -> list[Call]:
    """The calls of ``fit`` with arrays, those of scalers and the like left out."""
    return [
        each
        for each in methods(program, "fit")
        if program.argument(each.call, "epochs", EPOCHS) is not None
        or program.argument(each.call, "batch_size", BATCH_SIZE) is not None
        or program.argument(each.call, "y", Y) is not None
    ]


def inputs(program: Program, fit: Call) -> ast.expr | None:
    """What ``fit`` takes as inputs."""
    return program.argument(fit.call, "x", X)


def labels(program: Program, fit: Call) -> ast.expr | None:
    """What ``fit`` takes as labels."""
    return program.argument(fit.call, "y", Y)


def test_data(program: Program) -> tuple[str, str] | None:
    """Inputs and labels of the test split, as ``evaluate`` takes them, or as they were loaded."""
    for each in methods(program, "evaluate"):
        x, y = program.argument(each.call, "x", X), program.argument(each.call, "y", Y)
        if x is not None and y is not None:
            return program.source(x), program.source(y)
    for node in program.nodes:
        if isinstance(node, ast.Assign):
            value, target = node.value, node.targets[0]
            if (
                isinstance(value, ast.Call)
                and last_name(value.func) == "load_data"
                and isinstance(target, ast.Tuple)
                and len(target.elts) == SPLITS
                and isinstance(target.elts[1], ast.Tuple)
                and len(target.elts[1].elts) == SPLITS
            ):
                x, y = target.elts[1].elts
                return program.source(x), program.source(y)
    return None


def loss(program: Program, compiled: Call) -> tuple[ast.expr, str] | None:
    """The loss that ``compile`` takes, and its name in small letters without marks."""
    node = program.settled(program.argument(compiled.call, "loss", 1))
    if node is None:
        return None
    value = node.value if isinstance(node, ast.Constant) else None
    written = last_name(node.func if isinstance(node, ast.Call) else node)
    named = value if isinstance(value, str) else written
    return node, named.replace("_", "").lower()
