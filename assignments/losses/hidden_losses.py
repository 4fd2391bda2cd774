import math

import pytest


@pytest.mark.points(2)
def test_other_inputs(probes):
    """The cross-entropies hold for other labels and probabilities."""
    probes["bce_of_others"].expect_equal(-(math.log(0.9) + math.log(0.4)) / 2, squeeze=True)
    parts = (0.8, 0.4, 0.6)
    probes["scce_of_others"].expect_equal(-sum(map(math.log, parts)) / 3, squeeze=True)


@pytest.mark.points(1)
def test_the_same_loss_twice(answers):
    """The two losses for classes are told apart by the form of their labels."""
    hint = "Sparse labels are single integers; the other loss wants a vector for each sample."
    two = answers["two_spellings"]
    two["integer"].expect_choice("sparse_categorical_crossentropy", hint=hint)
    two["one-hot"].expect_choice("categorical_crossentropy", hint=hint)
