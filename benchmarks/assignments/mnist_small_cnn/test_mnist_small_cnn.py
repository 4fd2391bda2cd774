import pytest


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(1)
def test_parameters(model):
    """It has 5,258 trainable parameters."""
    model.expect_trainable_params(5258)


@pytest.mark.points(1)
def test_held_out_accuracy(held_out):
    """It recognises at least 85 % of digits it has never seen."""
    held_out.expect_accuracy(at_least=0.85)
