import pytest

from grader.checks import dense


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(2)
def test_layers(model):
    """Two layers of 500 relu units are followed by ten softmax units."""
    model.expect_layers(dense(500, "relu"), dense(500, "relu"), dense(10, "softmax"))


@pytest.mark.points(2)
def test_parameters(model):
    """It has 648,010 trainable parameters."""
    model.expect_trainable_params(648_010)


@pytest.mark.points(2)
def test_output_loss_and_labels(fits):
    """Last activation, loss and labels belong together."""
    fits.expect_output_loss_and_labels_match("multiclass")


@pytest.mark.points(1)
def test_scaled_pixels(fits):
    """The network sees pixels of moderate size, not 0 to 255."""
    fits.expect_scaled_inputs()


@pytest.mark.points(1)
def test_learns_from_50000(fits):
    """It learns from 50,000 images, and the other 10,000 are kept."""
    inputs, split = fits.last.x, fits.last.validation_split
    assert inputs is None or round(inputs.shape[0] * (1 - split)) == 50_000


@pytest.mark.points(1)
def test_validation(fits):
    """It is validated while it trains."""
    assert fits.last.validation in {"data", "split"}, "`fit` was given no validation images."


@pytest.mark.points(3)
def test_held_out_accuracy(held_out):
    """It recognises at least 96.5 % of digits it has never seen."""
    held_out.expect_accuracy(at_least=0.965)
