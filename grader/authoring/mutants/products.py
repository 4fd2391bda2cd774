"""What else is asked for: plots, an evaluation, names."""

import ast
from collections.abc import Iterator

from grader.authoring.mutants.kind import EVALUATION, FIGURES, Kind
from grader.authoring.mutants.source import Change, Edit, Program, first_name, last_name
from grader.authoring.mutants.trainings import methods

PYPLOT = "matplotlib.pyplot"
WORDS = ("xlabel", "ylabel", "title", "legend", "set_xlabel", "set_ylabel", "set_title")


def _drawing(program: Program) -> list[ast.stmt]:
    plots = program.module(PYPLOT, "pyplot")
    drawn = {plots}
    found: list[ast.stmt] = []
    for node in program.nodes:
        if isinstance(node, ast.Assign) and first_name(node.value) in drawn:
            drawn |= _named(node.targets[0])
            found.append(node)
        elif isinstance(node, ast.For) and _named(node.iter) & drawn:  # over axes, mostly
            drawn |= _named(node.target)
            found.append(node)
        elif isinstance(node, ast.Expr) and first_name(node.value) in drawn:
            found.append(node)
    return found


def _named(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def _no_plot(program: Program) -> Iterator[Change]:
    statements = _drawing(program)
    inside = {below for each in statements for below in ast.walk(each) if below is not each}
    edits = tuple(program.drop(each) for each in statements if each not in inside)
    if edits:
        yield Change("nothing is drawn", edits)


def _no_words(program: Program) -> Iterator[Change]:
    edits = tuple(
        program.drop(statement)
        for statement in _drawing(program)
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and last_name(statement.value.func) in WORDS
    )
    if edits:
        yield Change("axes without labels, curves without a legend", edits)


def _not_evaluated(program: Program) -> Iterator[Change]:
    calls = methods(program, "evaluate")
    dropped = {each.statement for each in calls}
    lost = {
        name.id
        for statement in dropped
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }
    # What prints the number that is not there any more goes with it: a mistake, not an error.
    dropped |= {
        program.statement(node)
        for node in ast.walk(program.tree)
        if isinstance(node, ast.Name) and node.id in lost and isinstance(node.ctx, ast.Load)
    }
    if calls:
        ordered = sorted(dropped, key=program.span)
        yield Change("no call of evaluate", tuple(map(program.drop, ordered)))


def _names(program: Program) -> Iterator[Change]:
    for name in program.names:
        used = [node for node in program.nodes if isinstance(node, ast.Name) and node.id == name]
        if any(isinstance(node.ctx, ast.Store) for node in used):
            edits = tuple(program.replace(node, f"{name}_2") for node in used)
            yield Change(f"{name} → {name}_2", edits)


def _shapes(program: Program) -> Iterator[Change]:
    numpy = program.module("numpy")
    for name in program.checked:
        stored = [
            node
            for node in program.tree.body
            if isinstance(node, ast.Assign)
            and any(isinstance(each, ast.Name) and each.id == name for each in node.targets)
        ]
        if stored and not program.calls(name):
            text = f"{name} = {numpy}.expand_dims({name}, 0)"
            last = program.tree.body[-1]
            end = program.span(last)[1]
            yield Change(f"{name} has an axis too many", (Edit(end, end, f"\n{text}"),))


KINDS = (
    Kind(name="plot missing", changes=_no_plot, shows_in=FIGURES),
    Kind(name="plot without labels", changes=_no_words, shows_in=FIGURES),
    Kind(name="evaluate missing", changes=_not_evaluated, shows_in=EVALUATION),
    Kind(name="wrong variable name", changes=_names),
    Kind(name="wrong variable shape", changes=_shapes),
)
