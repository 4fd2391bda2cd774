"""Losses and labels that do not belong to the task, or not to each other."""

from collections.abc import Iterator

from grader.authoring.mutants.kind import TRAINING, Kind
from grader.authoring.mutants.source import Change, Program
from grader.authoring.mutants.trainings import fits, labels, loss, methods

CATEGORICAL = "categorical_crossentropy"
SPARSE = "sparse_categorical_crossentropy"
BINARY = "binary_crossentropy"
SQUARED = "mean_squared_error"
SAME = {"mse": "meansquarederror", "mae": "meanabsoluteerror"}
WRONG = {
    "categoricalcrossentropy": (SQUARED, BINARY),
    "sparsecategoricalcrossentropy": (SQUARED, BINARY),
    "binarycrossentropy": (SQUARED, CATEGORICAL),
    "meansquarederror": (BINARY, "mean_absolute_error"),
    "meanabsoluteerror": (BINARY, SQUARED),
}


def _wrong_loss(program: Program) -> Iterator[Change]:
    for each in methods(program, "compile"):
        if found := loss(program, each):
            node, name = found
            for other in WRONG.get(SAME.get(name, name), ()):
                yield Change(f"{name} → {other}", (program.replace(node, f'"{other}"'),))


def _loss_of_other_labels(program: Program) -> Iterator[Change]:
    others = {"categoricalcrossentropy": SPARSE, "sparsecategoricalcrossentropy": CATEGORICAL}
    for each in methods(program, "compile"):
        if (found := loss(program, each)) and found[1] in others:
            other = others[found[1]]
            yield Change(f"{found[1]} → {other}", (program.replace(found[0], f'"{other}"'),))


def _labels_of_other_form(program: Program) -> Iterator[Change]:
    written = [call for call in program.calls("to_categorical") if call.args]
    if written:
        edits = tuple(program.replace(call, program.source(call.args[0])) for call in written)
        yield Change("integers instead of one-hot rows", edits)
        return
    names = {found[1] for each in methods(program, "compile") if (found := loss(program, each))}
    if "sparsecategoricalcrossentropy" in names:
        keras = program.module("keras")
        for fit in fits(program):
            node = labels(program, fit)
            if node is not None:
                text = f"{keras}.utils.to_categorical({program.source(node)})"
                yield Change(
                    "one-hot rows instead of integers",
                    (program.replace(node, text),),
                )


KINDS = (
    Kind(name="wrong loss", changes=_wrong_loss, shows_in=TRAINING),
    Kind(name="loss of another label form", changes=_loss_of_other_labels, shows_in=TRAINING),
    Kind(name="labels of another form", changes=_labels_of_other_form, shows_in=TRAINING),
)
