"""Whether output, loss and labels belong together: the course's table of last layers and losses.

========================  =================  =========================  ==================
task                      last activation    loss                       labels
========================  =================  =========================  ==================
multiclass                softmax            categorical crossentropy   one-hot
multiclass                softmax            sparse categorical …       integers
binary                    sigmoid            binary crossentropy        0 and 1
multilabel                sigmoid            binary crossentropy        0 and 1 for each
regression                none               mean squared error         numbers
========================  =================  =========================  ==================

Wherever a softmax or sigmoid stands, a linear output with ``from_logits=True`` does as well.
"""

from dataclasses import dataclass

from grader.records import ArrayFacts, Task

CATEGORICAL = "categorical_crossentropy"
SPARSE = "sparse_categorical_crossentropy"
BINARY = "binary_crossentropy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """What does not fit, and why."""

    expected: str
    received: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    activation: str
    losses: tuple[str, ...]
    purpose: str


_TABLE: dict[Task, _Row] = {
    "multiclass": _Row(
        activation="softmax",
        losses=(CATEGORICAL, SPARSE),
        purpose="one probability for each class, together 1",
    ),
    "binary": _Row(
        activation="sigmoid",
        losses=(BINARY,),
        purpose="one probability of the positive class",
    ),
    "multilabel": _Row(
        activation="sigmoid",
        losses=(BINARY,),
        purpose="one independent probability for each label",
    ),
    "regression": _Row(
        activation="linear",
        losses=("mean_squared_error", "mean_absolute_error"),
        purpose="any number",
    ),
}


def mismatch(
    task: Task,
    activation: str,
    loss: str,
    labels: ArrayFacts | None,
    *,
    units: int,
    from_logits: bool,
) -> Mismatch | None:
    """Find what does not belong together; ``None`` when all does.

    Args:
        task: What the output means.
        activation: Of the last layer, canonical.
        loss: Canonical.
        labels: What entered ``fit``; ``None`` when unknown, then they are not judged.
        units: Width of the output.
        from_logits: Whether the loss applies the activation itself.
    """
    # Two classes as two softmax units are the same model as one sigmoid unit.
    row = _TABLE["multiclass"] if task == "binary" and units == 2 else _TABLE[task]  # noqa: PLR2004
    if loss not in row.losses:
        return Mismatch(
            expected=f"the loss {_either(row.losses)}",
            received=loss or "no loss",
            why=_why_loss(task, loss),
        )
    return _activation(row, activation, from_logits=from_logits) or _labels(loss, labels, units)


def _activation(row: _Row, activation: str, *, from_logits: bool) -> Mismatch | None:
    if activation == ("linear" if from_logits else row.activation):
        return None
    if row.activation == "linear":
        return Mismatch(
            expected="a linear output",
            received=activation,
            why=f"The output must be able to be {row.purpose}.",
        )
    if from_logits:
        return Mismatch(
            expected=f"either {row.activation} or from_logits=True",
            received=f"{activation} and from_logits=True",
            why="The loss would apply the activation a second time, after the layer's own.",
        )
    if activation == "linear":
        return Mismatch(
            expected=f"{row.activation} on the last layer, or from_logits=True in the loss",
            received="neither",
            why=f"The loss takes the outputs for probabilities: {row.purpose}.",
        )
    return Mismatch(
        expected=f"{row.activation} on the last layer",
        received=activation,
        why=f"The outputs must be {row.purpose}.",
    )


def _labels(loss: str, labels: ArrayFacts | None, units: int) -> Mismatch | None:
    if labels is None or loss not in (CATEGORICAL, SPARSE):
        return None
    matrix = len(labels.shape) > 1 and labels.shape[-1] not in (None, 1)
    if loss == CATEGORICAL and not matrix:
        return Mismatch(
            expected=f"one-hot labels of {units} numbers each for {CATEGORICAL}",
            received=f"labels of shape {labels.shape}",
            why=f"For integer labels the loss is {SPARSE}.",
        )
    if loss == CATEGORICAL and labels.one_hot is False:
        return Mismatch(
            expected="one-hot labels: a single 1 among zeros in each row",
            received=f"rows that are not one-hot, of values {labels.minimum}…{labels.maximum}",
            why="Was the one-hot encoding applied twice, or to something else?",
        )
    if loss == SPARSE and matrix:
        return Mismatch(
            expected=f"integer labels for {SPARSE}",
            received=f"labels of shape {labels.shape}",
            why=f"For one-hot labels the loss is {CATEGORICAL}.",
        )
    return None


def _why_loss(task: Task, loss: str) -> str:
    if not loss:
        return "The model was never compiled with a loss."
    if task == "multiclass" and loss == BINARY:
        return "It treats each class as a question of its own, but the classes exclude each other."
    if task in ("multiclass", "binary") and loss.startswith("mean_"):
        return "It measures distances between numbers; probabilities learn well by crossentropy."
    return "It does not measure what this task asks for."


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(names)
