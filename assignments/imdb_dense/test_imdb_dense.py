import pytest

from grader.checks import dense


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(2)
def test_layers(model):
    """Two layers of 16 relu units are followed by one sigmoid unit."""
    model.expect_layers(dense(16, "relu"), dense(16, "relu"), dense(1, "sigmoid"))


@pytest.mark.points(2)
def test_parameters(model):
    """It has 160,305 trainable parameters."""
    model.expect_trainable_params(160_305)


@pytest.mark.points(2)
def test_output_and_loss(fits):
    """Last activation, loss and labels belong together."""
    fits.expect_output_loss_and_labels_match("binary")


@pytest.mark.points(1)
def test_multi_hot(fits):
    """Each review is a vector of zeros and ones."""
    fits.expect_multi_hot_inputs(10_000)


@pytest.mark.points(3)
def test_held_out_accuracy(held_out):
    """It judges at least 86 % of reviews it has never seen as their writers did."""
    held_out.expect_accuracy()


@pytest.mark.points(1)
def test_samples_and_labels(fits):
    """Each review is trained with its own label; test reviews are kept for the end."""
    fits.expect_trained()
    fits.expect_labels_belong_to_rows()
    fits.expect_no_test_data_in_training()
    fits.expect_test_not_used_for_validation()


@pytest.mark.points(1)
def test_curves(figures):
    """The loss is plotted over the epochs, with labels on the axes."""
    figures.expect_curves("loss")
    figures.expect_labels()


@pytest.mark.points(1)
def test_evaluation(fits, evaluations):
    """The trained network is evaluated on test reviews, prepared like those of training."""
    fits.expect_trained()
    evaluations.expect_on_test()
    evaluations.expect_scaled_like_training()
