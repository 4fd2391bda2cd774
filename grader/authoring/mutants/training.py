"""Training that is wrong, too short, or undone."""

import ast
from collections.abc import Iterator

from grader.authoring.mutants.kind import PREDICTIONS, TRAINING, Kind
from grader.authoring.mutants.source import Change, Program, last_name, whole
from grader.authoring.mutants.trainings import BATCH_SIZE, EPOCHS, fits, methods

LARGER = 4
WILD = 10.0
"""A learning rate with which no network of the course learns anything."""
CLASSES = {"rmsprop": "RMSprop", "adam": "Adam", "sgd": "SGD", "adamw": "AdamW", "nadam": "Nadam"}


def _optimizer(program: Program, call: ast.Call) -> tuple[ast.expr, str] | None:
    node = program.argument(call, "optimizer", 0)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node, node.value.lower()
    if isinstance(node, ast.Call):
        return node, last_name(node.func).lower()
    return None


def _wrong_optimizer(program: Program) -> Iterator[Change]:
    for each in methods(program, "compile"):
        if found := _optimizer(program, each.call):
            node, name = found
            other = "adam" if name == "sgd" else "sgd"
            yield Change(f"{name} → {other}", (program.replace(node, f'"{other}"'),))


def _learning_rate(program: Program) -> Iterator[Change]:
    for each in methods(program, "compile"):
        if not (found := _optimizer(program, each.call)):
            continue
        node, name = found
        if isinstance(node, ast.Call):
            given = program.argument(node, "learning_rate", 0)
            edit = (
                program.replace(given, str(WILD))
                if given is not None
                else program.with_argument(node, "learning_rate", str(WILD))
            )
            yield Change(f"a learning rate of {WILD:g}", (edit,))
        elif name in CLASSES:
            keras = program.module("keras")
            text = f"{keras}.optimizers.{CLASSES[name]}(learning_rate={WILD})"
            yield Change(f"a learning rate of {WILD:g}", (program.replace(node, text),))


def _epochs(program: Program) -> Iterator[Change]:
    for fit in fits(program):
        node = program.settled(program.argument(fit.call, "epochs", EPOCHS))
        number = whole(node)
        if node is not None and number is not None and number > 1:
            yield Change(f"{number} → 1 epoch", (program.replace(node, "1"),))


def _batch_size(program: Program) -> Iterator[Change]:
    for fit in fits(program):
        node = program.settled(program.argument(fit.call, "batch_size", BATCH_SIZE))
        number = whole(node)
        if node is not None and number is not None:
            other = number * LARGER
            yield Change(f"{number} → {other}", (program.replace(node, str(other)),))


def _never_trained(program: Program) -> Iterator[Change]:
    edits = tuple(program.drop(fit.statement) for fit in fits(program))
    if edits:
        yield Change("no call of fit", edits)


def _never_compiled(program: Program) -> Iterator[Change]:
    edits = tuple(program.drop(each.statement) for each in methods(program, "compile"))
    if edits:
        yield Change("no call of compile", edits)


def _fresh(program: Program) -> Iterator[Change]:
    compiled = {each.model: each for each in methods(program, "compile")}
    keras = program.module("keras")
    for fit in fits(program)[-1:]:
        if again := compiled.get(fit.model):
            line = f"{fit.model} = {keras}.models.clone_model({fit.model})"
            edit = program.after(fit.statement, line, *program.source(again.call).splitlines())
            yield Change("built and compiled anew after training", (edit,))


def _constant(program: Program) -> Iterator[Change]:
    for fit in fits(program)[-1:]:
        model = fit.model
        line = f"{model}.set_weights([0 * weights for weights in {model}.get_weights()])"
        yield Change("all weights 0", (program.after(fit.statement, line),))


def _callbacks(program: Program) -> Iterator[Change]:
    for fit in fits(program):
        if edit := program.without_argument(fit.call, "callbacks"):
            yield Change("fit without callbacks", (edit,))


KINDS = (
    Kind(name="wrong optimizer", changes=_wrong_optimizer, shows_in=TRAINING),
    Kind(name="wild learning rate", changes=_learning_rate, shows_in=TRAINING),
    Kind(name="too few epochs", changes=_epochs, shows_in=TRAINING, by_accuracy=True),
    Kind(name="wrong batch size", changes=_batch_size, shows_in=TRAINING),
    Kind(name="model never trained", changes=_never_trained, shows_in=TRAINING),
    Kind(name="model never compiled", changes=_never_compiled, shows_in=TRAINING),
    Kind(name="fresh model after training", changes=_fresh, shows_in=TRAINING, by_accuracy=True),
    Kind(name="constant prediction", changes=_constant, shows_in=PREDICTIONS, by_accuracy=True),
    Kind(name="callbacks missing", changes=_callbacks, shows_in=TRAINING),
)
