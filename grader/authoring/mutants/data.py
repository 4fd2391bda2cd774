"""Data that is not what it should be: scales, labels, splits."""

import ast
from collections.abc import Iterator

from grader.authoring.mutants.kind import DATA, EVALUATION, Kind
from grader.authoring.mutants.networks import layers, without
from grader.authoring.mutants.source import Change, Edit, Program
from grader.authoring.mutants.trainings import fits, inputs, labels, loss, methods, test_data

SMALLEST_SCALE = 100
"""Whoever divides by at least that much scales pixels or counts."""
PART = 10


def _scalings(program: Program) -> list[tuple[ast.stmt, ast.expr, Edit, Edit]]:
    """Divisions by a scale: the statement, what is divided, the edit without, the edit twice."""
    found: list[tuple[ast.stmt, ast.expr, Edit, Edit]] = []
    for node in program.nodes:
        match node:
            case ast.BinOp(op=ast.Div(), left=ast.Constant()):
                pass  # 1 / 255, of a Rescaling layer
            case ast.BinOp(op=ast.Div(), left=left, right=right) if _is_scale(right):
                text, by = program.source(left), program.source(right)
                found.append(
                    (
                        program.statement(node),
                        left,
                        program.replace(node, text),
                        program.replace(node, f"{text} / {by} / {by}"),
                    )
                )
            case ast.AugAssign(op=ast.Div(), target=target, value=right) if _is_scale(right):
                text = program.source(node)
                found.append((node, target, program.drop(node), program.after(node, text)))
            case _:
                pass
    return found


def _is_scale(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and node.value >= SMALLEST_SCALE
    )


def _unscaled(program: Program) -> Iterator[Change]:
    edits = tuple(without for _, _, without, _ in _scalings(program))
    edits += tuple(
        without(program, place) for place in layers(program) if place.kind == "Rescaling"
    )
    if edits:
        yield Change("values as they were loaded", edits)


def _twice(program: Program) -> Iterator[Change]:
    edits = tuple(twice for _, _, _, twice in _scalings(program))
    if edits:
        yield Change("divided twice", edits)


def _test_unscaled(program: Program) -> Iterator[Change]:
    found = _scalings(program)
    of_test = [
        without
        for statement, divided, without, _ in found
        if "test" in _target(program, statement) or "test" in program.source(divided)
    ]
    if of_test and len(of_test) < len(found):
        yield Change("only the training data is scaled", tuple(of_test))


def _target(program: Program, statement: ast.stmt) -> str:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return " ".join(program.source(target) for target in targets)


# ------------------------------------------------------------------ labels


def _shuffled(program: Program) -> Iterator[Change]:
    numpy = program.module("numpy")
    for fit in fits(program):
        node = labels(program, fit)
        if node is not None:
            text = f"{numpy}.random.default_rng(0).permutation({program.source(node)})"
            yield Change("labels in another order than the rows", (program.replace(node, text),))


def _next_row(program: Program) -> Iterator[Change]:
    numpy = program.module("numpy")
    for fit in fits(program):
        node = labels(program, fit)
        if node is not None:
            text = f"{numpy}.roll({program.source(node)}, 1, axis=0)"
            yield Change("each row has its neighbour's label", (program.replace(node, text),))


def _next_class(program: Program) -> Iterator[Change]:
    numpy = program.module("numpy")
    names = {found[1] for each in methods(program, "compile") if (found := loss(program, each))}
    for fit in fits(program):
        node = labels(program, fit)
        if node is None:
            continue
        text = program.source(node)
        if "binarycrossentropy" in names:
            yield Change("0 for 1 and 1 for 0", (program.replace(node, f"1 - {text}"),))
        elif "sparsecategoricalcrossentropy" in names:
            other = f"({text} + 1) % ({numpy}.max({text}) + 1)"
            yield Change("each label one too high", (program.replace(node, other),))
        elif "categoricalcrossentropy" in names:
            other = f"{numpy}.roll({text}, 1, axis=-1)"
            yield Change("each label one too high", (program.replace(node, other),))


# ------------------------------------------------------------------ splits


def _test_in_fit(program: Program) -> Iterator[Change]:
    numpy, test = program.module("numpy"), test_data(program)
    for fit in fits(program):
        x, y = inputs(program, fit), labels(program, fit)
        if test and x is not None and y is not None:
            both = (
                program.replace(x, f"{numpy}.concatenate([{program.source(x)}, {test[0]}])"),
                program.replace(y, f"{numpy}.concatenate([{program.source(y)}, {test[1]}])"),
            )
            yield Change("trained on training and test data", both)
            only = (program.replace(x, test[0]), program.replace(y, test[1]))
            yield Change("trained on test data alone", only)


def _part(program: Program) -> Iterator[Change]:
    for fit in fits(program):
        x, y = inputs(program, fit), labels(program, fit)
        if isinstance(x, ast.Name) and isinstance(y, ast.Name):
            edits = tuple(
                program.replace(node, f"{node.id}[: len({node.id}) // {PART}]") for node in (x, y)
            )
            yield Change(f"one training sample of {PART}", edits)


def _validated_on_test(program: Program) -> Iterator[Change]:
    test = test_data(program)
    for fit in fits(program):
        given = program.argument(fit.call, "validation_data")
        if test is None or (given is not None and test[0] in program.source(given)):
            continue
        text = f"({test[0]}, {test[1]})"
        split = program.argument(fit.call, "validation_split")
        if split is not None:
            keyword = program.parent(split)
            if isinstance(keyword, ast.keyword):
                edit = program.replace(keyword, f"validation_data={text}")
                yield Change("the test data decides when to stop", (edit,))
        else:
            edit = program.with_argument(fit.call, "validation_data", text)
            yield Change("the test data decides when to stop", (edit,))


def _not_validated(program: Program) -> Iterator[Change]:
    for fit in fits(program):
        for name in ("validation_split", "validation_data"):
            if edit := program.without_argument(fit.call, name):
                yield Change(f"fit without {name}", (edit,))


KINDS = (
    Kind(name="unscaled input", changes=_unscaled, shows_in=DATA),
    Kind(name="doubly scaled input", changes=_twice, shows_in=DATA),
    Kind(name="test set unscaled", changes=_test_unscaled, shows_in=EVALUATION),
    Kind(name="labels shuffled", changes=_shuffled, shows_in=DATA, by_accuracy=True),
    Kind(name="labels of the next row", changes=_next_row, shows_in=DATA, by_accuracy=True),
    Kind(name="labels off by one", changes=_next_class, shows_in=DATA, by_accuracy=True),
    Kind(name="test data in fit", changes=_test_in_fit, shows_in=DATA),
    Kind(name="only a part of the data", changes=_part, shows_in=DATA),
    Kind(name="validation on test", changes=_validated_on_test, shows_in=DATA),
    Kind(name="validation missing", changes=_not_validated, shows_in=DATA),
)
