import math

import pytest

from grader.checks import output_hints, output_mistakes, output_rows

TASKS = {
    "reviews": ("binary", 1),
    "digits": ("multiclass", 10),
    "topics": ("multilabel", 5),
    "prices": ("regression", 1),
    "shares": ("share", 1),
}


@pytest.mark.points(2)
@pytest.mark.parametrize("task", TASKS)
def test_last_layer(answers, task):
    """Units, activation, loss and labels fit the task and each other."""
    kind, units = TASKS[task]
    answers["last_layers"].expect_table(
        {task: output_rows(kind, units=units)},
        mistakes=output_mistakes(kind),
        hints=output_hints(),
    )


@pytest.mark.points(1)
def test_mean_squared_error(probes):
    """`mean_squared_error` is the mean of the squares."""
    squares = [0.1**2, 0.4**2, 0.0, 0.3**2]
    probes["mse"].expect_equal(
        sum(squares) / 4,
        squeeze=True,
        mistakes=[
            (sum(squares), "That is the sum, not the mean."),
            (squares, "These are the squares; their mean is wanted."),
            (0.8 / 4, "The differences are not squared."),
            (sum(squares) / 8, "Half of it is another convention."),
        ],
    )
    probes["mse"].expect_unchanged_input()


@pytest.mark.points(2)
def test_binary_crossentropy(probes):
    """`binary_crossentropy` is the mean of -ln p, or -ln(1 - p) where the label is 0."""
    parts = [-math.log(0.75), -math.log(0.5), -math.log(0.8)]
    probes["bce"].expect_equal(
        sum(parts) / 3,
        squeeze=True,
        mistakes=[
            (sum(parts), "That is the sum, not the mean."),
            (-sum(parts) / 3, "A loss is never negative: mind the sign."),
            (-(math.log(0.5) + math.log(0.8)) / 3, "Labels of 0 count as well."),
            (sum(parts) / 3 / math.log(2), "The logarithm is the natural one."),
        ],
    )
    probes["bce"].expect_unchanged_input()


@pytest.mark.points(2)
def test_categorical_crossentropies(probes):
    """One-hot and integer labels give the same loss."""
    parts = [-math.log(0.7), -math.log(0.5)]
    for probe in ("cce", "scce"):
        probes[probe].expect_equal(
            sum(parts) / 2,
            squeeze=True,
            mistakes=[
                (sum(parts), "That is the sum over the samples, not their mean."),
                (sum(parts) / 6, "The mean is over the samples, not over the classes as well."),
                (parts, "These are the samples' losses; their mean is wanted."),
                (-sum(parts) / 2, "A loss is never negative: mind the sign."),
            ],
        )
        probes[probe].expect_unchanged_input()
