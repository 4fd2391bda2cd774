import math

import pytest


def softmax(scores):
    """By the formula, in plain Python."""
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def one_hot(labels, dimension):
    """By its definition, in plain Python."""
    return [[int(column == label) for column in range(dimension)] for label in labels]


@pytest.mark.points(1)
def test_rank(probes):
    """`rank` counts the axes of a number, a vector and a stack of images."""
    probes["rank_of_number"].expect_equal(0)
    probes["rank_of_vector"].expect_equal(1, mistakes={"5": "That is how long the vector is."})
    probes["rank_of_images"].expect_equal(3, mistakes={"2": "That is how many images there are."})


@pytest.mark.points(1)
def test_to_vectors(probes):
    """`to_vectors` makes one vector of each image, row by row."""
    probes["flat"].expect_equal(
        [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]],
        mistakes={
            "[[1, 3, 5, 7, 9, 11], [2, 4, 6, 8, 10, 12]]": "The pixels of both images are mixed.",
            "[[1, 4, 2, 5, 3, 6], [7, 10, 8, 11, 9, 12]]": "The images are read column by column.",
            "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]": "All images are in one vector.",
        },
    )


@pytest.mark.points(2)
def test_to_one_hot(probes):
    """`to_one_hot` gives ten columns and a single 1 in each row."""
    for probe, labels in (("one_hot", [0, 2, 9]), ("one_hot_without_highest", [3, 1, 1])):
        probes[probe].expect_equal(
            one_hot(labels, 10),
            mistakes=[
                (one_hot(labels, max(labels) + 1), "The columns depend on which labels occur."),
                ([[0] * 10] * 3, "No 1 was ever set."),
                ([[float(c in labels) for c in range(10)]] * 3, "Every row has all labels."),
            ],
        )
        probes[probe].expect_unchanged_input()


@pytest.mark.points(1)
def test_to_one_hot_with_keras(probes):
    """`to_one_hot_with_keras` gives the same for ten classes, whichever labels occur."""
    probes["keras_one_hot"].expect_equal(
        one_hot([5, 0, 7], 10),
        mistakes=[(one_hot([5, 0, 7], 8), "Keras was not told how many classes there are.")],
    )
    probes["keras_one_hot"].expect_unchanged_input()


@pytest.mark.points(2)
def test_to_multi_hot(probes):
    """`to_multi_hot` marks each word of a text once."""
    counted = [[1, 0, 0, 2, 0, 0, 0, 0], [0] * 8, [0, 1, 0, 0, 0, 0, 0, 1]]
    probes["multi_hot"].expect_equal(
        [[min(1, cell) for cell in row] for row in counted],
        mistakes=[(counted, "It counts how often a word occurs.")],
    )
    probes["multi_hot"].expect_unchanged_input()


@pytest.mark.points(1)
def test_sigmoid(probes):
    """`sigmoid` follows its formula."""
    probes["sigmoid"].expect_equal([1 / (1 + math.e), 0.5, math.e / (1 + math.e)])
    probes["sigmoid"].expect_unchanged_input()


@pytest.mark.points(2)
def test_softmax(probes):
    """`softmax` gives probabilities, for a vector and for each row of a batch."""
    probes["softmax"].expect_equal(softmax([1, 2, 3]))
    probes["softmax_of_rows"].expect_shape((2, 3))
    probes["softmax_of_rows"].expect_rows_sum_to_one()
    probes["softmax_of_rows"].expect_equal([softmax([1, 2, 3]), softmax([0, 0, 6])])
    probes["softmax"].expect_unchanged_input()


@pytest.mark.points(1)
@pytest.mark.requires("test_softmax")
def test_softmax_of_large_scores(probes):
    """`softmax` stays a number for scores of 1000."""
    probes["softmax_of_large"].expect_equal(
        softmax([1000, 1000, 999]),
        mistakes={"[NaN, NaN, NaN]": "e to the power of 1000 is larger than any float."},
    )


@pytest.mark.points(1)
def test_squared_error(probes):
    """`squared_error` squares the difference."""
    off = 0.4 - 1.0
    probes["squared_error"].expect_equal(
        off**2,
        squeeze=True,
        mistakes=[
            (off, "That is the difference, not its square."),
            (-off, "That is the difference, not its square."),
            (off**2 / 2, "Half of it is another convention."),
            (0.4**2, "The target is left out."),
        ],
    )


@pytest.mark.points(1)
def test_parameters(probes):
    """`parameters` counts weights and biases of both layers."""
    probes["parameters"].expect_equal(
        (784 + 1) * 512 + (512 + 1) * 10,
        mistakes=[(784 * 512 + 512 * 10, "These are the weights; every unit has a bias as well.")],
    )


@pytest.mark.points(1)
def test_updates(probes):
    """`updates` counts every batch of every epoch."""
    probes["updates"].expect_equal(
        math.ceil(60000 / 128) * 20,
        mistakes=[
            (60000 // 128 * 20, "The last, smaller batch is an update too."),
            (60000 / 128 * 20, "The last, smaller batch is an update too."),
            (20, "That is the number of epochs."),
        ],
    )


@pytest.mark.points(1)
def test_every_question_is_answered(answers):
    """Every question of the quiz has an answer of the right kind."""
    quiz = answers["quiz"]
    for name, axes in (("grey_images", 4), ("series", 3), ("video", 5)):
        quiz[name].expect_true(
            lambda shape, axes=axes: len(shape) == axes,
            f"a shape of {axes} axes",
            "Write it as a tuple, one number for each axis, the samples first.",
        )
    for name in ("squared_error", "predicted_class", "updates"):
        quiz[name].expect_any_number()
