"""The course's table of last layers, as rows for :meth:`grader.checks.probes.Probed.expect_table`.

========================  ==========  ==========  ==========================  ============
task                      units       activation  loss                        labels
========================  ==========  ==========  ==========================  ============
``binary``                1           sigmoid     binary crossentropy         integer
``multiclass``            classes     softmax     categorical crossentropy    one-hot
                                                  sparse categorical …        integer
``multilabel``            labels      sigmoid     binary crossentropy         multi-hot
``regression``            numbers     none        mean squared error          number
``share`` (0 to 1)        numbers     sigmoid     mean squared error or       number
                                                  binary crossentropy
========================  ==========  ==========  ==========================  ============

What a model that was trained must be is judged by :mod:`grader.checks.compatibility`; this is for
answers in words.
"""

from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal["binary", "multiclass", "multilabel", "regression", "share"]
Row = Mapping[str, Any]

_INTEGERS = ("integer", "0 or 1", "0 and 1", "0/1", "0, 1", "number", "scalar", "binary", "float")
_MANY = ("multi-hot", "multi-hot vector", "multi-hot vectors", "multi-hot encoded", "k-hot")
_NUMBERS = (
    "number",
    "numbers",
    "float",
    "floats",
    "real number",
    "real numbers",
    "value",
    "scalar",
)
_ERRORS = ("mean_squared_error", "mean_absolute_error")


def output_rows(kind: Kind, *, units: int) -> tuple[Row, ...]:
    """Give the rows that are right for a task; any one of them will do.

    Args:
        kind: The task.
        units: How many numbers the network gives.

    Example:
        ``answers["table"].expect_table({"digits": output_rows("multiclass", units=10)})``
    """
    one_of = {
        "binary": (("sigmoid", "binary_crossentropy", _INTEGERS),),
        "multiclass": (
            ("softmax", "categorical_crossentropy", "one-hot"),
            ("softmax", "sparse_categorical_crossentropy", "integer"),
        ),
        "multilabel": (("sigmoid", "binary_crossentropy", _MANY),),
        "regression": (("linear", _ERRORS, _NUMBERS),),
        "share": (("sigmoid", (*_ERRORS, "binary_crossentropy"), _NUMBERS),),
    }[kind]
    return tuple(
        {"units": units, "activation": activation, "loss": loss, "labels": labels}
        for activation, loss, labels in one_of
    )


def output_mistakes(kind: Kind) -> Mapping[str, Mapping[str, str]]:
    """Say what is wrong with the wrong cells of a row, column by column.

    Example:
        ``answers["table"].expect_table(wanted, mistakes=output_mistakes("binary"))``
    """
    return _MISTAKES[kind]


_RELU = "It cuts off at 0 and has no upper end: what it gives is no probability."
_TANH = "It gives numbers from -1 to 1: no probability is negative."
_FAR = "It measures distances; where a probability is most wrong, its slope is nearly flat."
_UNBOUNDED = "Any number may come out, and a probability lies between 0 and 1."
_MISTAKES: Mapping[Kind, Mapping[str, Mapping[str, str]]] = {
    "binary": {
        "units": {"2": "Two probabilities that add up to 1: one of them says it all."},
        "activation": {
            "softmax": "Over a single unit it always gives 1.",
            "relu": _RELU,
            "tanh": _TANH,
            "linear": _UNBOUNDED,
        },
        "loss": {
            "mean_squared_error": _FAR,
            "categorical_crossentropy": "With one unit there are no classes to choose from.",
            "sparse_categorical_crossentropy": "With one unit there are no classes to choose from.",
        },
        "labels": {"one-hot": "Two columns do not fit a single unit."},
    },
    "multiclass": {
        "units": {
            "1": "One unit gives one number, and each class needs its own probability.",
            "9": "Counting starts at 0, and the first class needs a unit as well.",
        },
        "activation": {
            "sigmoid": "Each class would be a question of its own, but they exclude each other.",
            "relu": _RELU,
            "tanh": _TANH,
            "linear": _UNBOUNDED,
        },
        "loss": {
            "mean_squared_error": _FAR,
            "binary_crossentropy": "It asks of each class by itself, but they exclude each other.",
            "sparse_categorical_crossentropy": "This loss takes the label's number itself: it does "
            "not fit the form of the labels.",
            "categorical_crossentropy": "This loss takes a vector for each label: it does not fit "
            "the form of the labels.",
        },
        "labels": {
            "integer": "The loss that was chosen compares vectors.",
            "one-hot": "The loss that was chosen takes the label's number.",
        },
    },
    "multilabel": {
        "units": {"1": "Each topic is a question of its own and needs its own answer."},
        "activation": {
            "softmax": "Its outputs share a sum of 1: when one topic is sure, no other can be.",
            "relu": _RELU,
            "tanh": _TANH,
            "linear": _UNBOUNDED,
        },
        "loss": {
            "mean_squared_error": _FAR,
            "categorical_crossentropy": "It supposes that exactly one of them is right.",
            "sparse_categorical_crossentropy": "It supposes that exactly one of them is right.",
        },
        "labels": {
            "one-hot": "A single 1 cannot name two topics.",
            "integer": "A single number cannot name two topics.",
        },
    },
    "regression": {
        "activation": {
            "sigmoid": "It gives nothing above 1, and a quantity may be larger.",
            "softmax": "Over a single unit it always gives 1.",
            "relu": "Wherever it gives 0 it has no gradient and learns nothing more.",
            "tanh": "It gives nothing above 1, and a quantity may be larger.",
        },
        "loss": {
            "binary_crossentropy": "It is made for probabilities, and a quantity is none.",
            "categorical_crossentropy": "There are no classes to choose from.",
            "sparse_categorical_crossentropy": "There are no classes to choose from.",
            "accuracy": "It is a metric: it has no gradient to learn from.",
        },
        "labels": {
            "one-hot": "A quantity is no class.",
            "integer": "A quantity is not the number of a class.",
        },
    },
    "share": {
        "activation": {
            "linear": "Any number may come out, and a share lies between 0 and 1.",
            "relu": "It has no upper end, and a share lies between 0 and 1.",
            "softmax": "Over a single unit it always gives 1.",
            "tanh": "It gives numbers from -1 to 1: no share is negative.",
        },
        "loss": {
            "categorical_crossentropy": "There are no classes to choose from.",
            "sparse_categorical_crossentropy": "There are no classes to choose from.",
        },
        "labels": {
            "integer": "A share is a number between 0 and 1, not that of a class.",
            "one-hot": "A share is a number between 0 and 1, not that of a class.",
        },
    },
}


def output_hints() -> Mapping[str, str]:
    """Give what to think of, by column, when a cell is wrong in a way nobody foresaw.

    Example:
        ``answers["table"].expect_table(wanted, hints=output_hints())``
    """
    return {
        "units": "How many numbers does the network give for one sample?",
        "activation": "In which range may these numbers be, and do they share a sum?",
        "loss": "Which loss compares such numbers with such labels?",
        "labels": "Which form does the loss of this row want its labels in?",
    }
