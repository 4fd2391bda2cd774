"""Time series cut wrongly: shuffled, windows off by one, the future among the inputs.

A window is a slice ``series[i : i + length]``, its target ``series[i + length]``; or both are
given to ``timeseries_dataset_from_array(data, targets, sequence_length)``.
"""

import ast
from collections.abc import Iterator

from grader.authoring.mutants.kind import DATA, Kind
from grader.authoring.mutants.source import Change, Program

DATASETS = "timeseries_dataset_from_array"


def _windows(program: Program) -> list[tuple[ast.Subscript, ast.Slice]]:
    """Slices from a name to the same name and a length."""
    found = []
    for node in program.nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            lower, upper = node.slice.lower, node.slice.upper
            if (
                isinstance(lower, ast.Name)
                and isinstance(upper, ast.BinOp)
                and isinstance(upper.op, ast.Add)
                and lower.id in {each.id for each in ast.walk(upper) if isinstance(each, ast.Name)}
            ):
                found.append((node, node.slice))
    return found


def _targets(program: Program) -> list[tuple[ast.Subscript, ast.BinOp]]:
    """What stands just behind a window of the same series: ``series[i + length]``."""
    ends = {program.source(part.upper) for _, part in _windows(program) if part.upper}
    return [
        (node, node.slice)
        for node in program.nodes
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.BinOp)
        and program.source(node.slice) in ends
    ]


def _shuffled(program: Program) -> Iterator[Change]:
    numpy = program.module("numpy")
    names = dict.fromkeys(
        node.value.id for node, _ in _windows(program) if isinstance(node.value, ast.Name)
    )
    for name in names:
        for statement in program.tree.body:
            if isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in statement.targets
            ):
                line = f"{name} = {numpy}.random.default_rng(0).permutation({name})"
                edit = program.after(statement, line)
                yield Change(f"{name} in any order", (edit,))
                break
    for call in program.calls(DATASETS):
        data = program.argument(call, "data", 0)
        if data is not None:
            text = f"{numpy}.random.default_rng(0).permutation({program.source(data)})"
            yield Change("the series in any order", (program.replace(data, text),))


def _off_by_one(program: Program) -> Iterator[Change]:
    for _, index in _targets(program):
        edit = program.replace(index, f"{program.source(index)} + 1")
        yield Change("the target one step too late", (edit,))
    for _, part in _windows(program):
        if part.upper is not None:
            edit = program.replace(part.upper, f"{program.source(part.upper)} - 1")
            yield Change("windows one step too short", (edit,))


def _leak(program: Program) -> Iterator[Change]:
    for _, index in _targets(program):
        edit = program.replace(index, f"{program.source(index)} - 1")
        yield Change("the target is the window's last value", (edit,))
    for call in program.calls(DATASETS):
        targets = program.argument(call, "targets", 1)
        if isinstance(targets, ast.Subscript) and isinstance(targets.slice, ast.Slice):
            start = targets.slice.lower
            if start is not None:
                edit = program.replace(start, f"{program.source(start)} - 1")
                yield Change("the target is the window's last value", (edit,))


KINDS = (
    Kind(name="shuffled series", changes=_shuffled, shows_in=DATA, by_accuracy=True),
    Kind(name="window off by one", changes=_off_by_one, shows_in=DATA),
    Kind(name="future leak", changes=_leak, shows_in=DATA, by_accuracy=True),
)
