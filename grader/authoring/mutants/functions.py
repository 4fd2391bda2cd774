"""Functions that return the wrong thing, or change what they were given."""

import ast
from collections.abc import Iterator

from grader.authoring.mutants.kind import FUNCTIONS, Kind
from grader.authoring.mutants.networks import LAYERS
from grader.authoring.mutants.source import Change, Program, last_name, whole

BUILDERS = {*LAYERS, "Sequential", "Model", "compile", "fit"}
"""A function that calls one of them makes a network, not a number."""


def _functions(program: Program) -> list[ast.FunctionDef]:
    return [
        node
        for node in program.tree.body
        if isinstance(node, ast.FunctionDef)
        and not any(
            isinstance(call, ast.Call) and last_name(call.func) in BUILDERS
            for call in ast.walk(node)
        )
    ]


def _returns(program: Program) -> Iterator[tuple[ast.FunctionDef, ast.Return, ast.expr]]:
    for function in _functions(program):
        for node in ast.walk(function):
            own = isinstance(node, ast.Return) and program.function(node) is function
            if own and isinstance(node, ast.Return) and node.value is not None:
                yield function, node, node.value


def _off_by_one(program: Program) -> Iterator[Change]:
    for function, _, value in _returns(program):
        edit = program.replace(value, f"({program.source(value)}) + 1")
        yield Change(f"{function.name}: the result and 1", (edit,))


def _sign(program: Program) -> Iterator[Change]:
    for function, _, value in _returns(program):
        edit = program.replace(value, f"-({program.source(value)})")
        yield Change(f"{function.name}: the other sign", (edit,))


def _nothing(program: Program) -> Iterator[Change]:
    for function, _, value in _returns(program):
        edit = program.replace(value, "None")
        yield Change(f"{function.name}: returns nothing", (edit,))


def _axis(program: Program) -> Iterator[Change]:
    for function in _functions(program):
        for call in ast.walk(function):
            if isinstance(call, ast.Call):
                node = program.argument(call, "axis")
                number = whole(node) if not isinstance(node, ast.UnaryOp) else -1
                if node is not None and number is not None:
                    other = "1" if number == 0 else "0"
                    edit = program.replace(node, other)
                    yield Change(f"{function.name}: axis {number} → {other}", (edit,))


def _mutated(program: Program) -> Iterator[Change]:
    for function, node, value in _returns(program):
        if function.args.args:
            given = function.args.args[0].arg
            lines = (
                f"_result = {program.source(value)}",
                f"{given}[0] = {given}[-1]",
                "return _result",
            )
            indent = "\n" + " " * node.col_offset
            yield Change(
                f"{function.name}: changes {given}", (program.replace(node, indent.join(lines)),)
            )


KINDS = (
    Kind(name="function off by one", changes=_off_by_one, shows_in=FUNCTIONS),
    Kind(name="function with the wrong sign", changes=_sign, shows_in=FUNCTIONS),
    Kind(name="function returns nothing", changes=_nothing, shows_in=FUNCTIONS),
    Kind(name="function along the wrong axis", changes=_axis, shows_in=FUNCTIONS),
    Kind(name="function changes its input", changes=_mutated, shows_in=FUNCTIONS),
)
