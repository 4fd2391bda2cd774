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
def test_samples_and_labels(fits):
    """Each image is trained with its own label, and no test image is trained on."""
    fits.expect_trained()
    fits.expect_labels_belong_to_rows()
    fits.expect_no_test_data_in_training()


@pytest.mark.points(2)
def test_validation(fits):
    """It is validated on 10,000 training images that it is not trained on, never on test images."""
    fits.expect_validation(samples=10_000)
    fits.expect_validation_apart_from_training()
    fits.expect_test_not_used_for_validation()


@pytest.mark.points(3)
def test_held_out_accuracy(held_out):
    """It recognises at least 96.5 % of digits it has never seen."""
    held_out.expect_accuracy()


@pytest.mark.points(1)
def test_curves(figures):
    """Accuracy on training and validation images is plotted, with labels on the axes."""
    figures.expect_curves("accuracy", "val_accuracy")
    figures.expect_labels()


@pytest.mark.points(1)
def test_evaluation(fits, evaluations):
    """The trained network is evaluated on test images, prepared like those of training."""
    fits.expect_trained()
    evaluations.expect_on_test()
    evaluations.expect_scaled_like_training()
