import pytest

from grader.checks import dense


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(2)
def test_layers(model):
    """512 relu units are followed by ten softmax units."""
    model.expect_layers(dense(512, "relu"), dense(10, "softmax"))


@pytest.mark.points(2)
def test_parameters(model):
    """It has 407,050 trainable parameters."""
    model.expect_trainable_params(407_050)


@pytest.mark.points(2)
def test_output_loss_and_labels(fits):
    """Last activation, loss and labels belong together."""
    fits.expect_output_loss_and_labels_match("multiclass")


@pytest.mark.points(1)
def test_scaled_pixels(fits):
    """The network sees pixels of moderate size, not 0 to 255."""
    fits.expect_scaled_inputs()


@pytest.mark.points(3)
def test_held_out_accuracy(held_out):
    """It recognises at least 97 % of digits it has never seen."""
    held_out.expect_accuracy()


@pytest.mark.points(1)
def test_samples_and_labels(fits):
    """Each image is trained with its own label, and no test image is trained on."""
    fits.expect_trained()
    fits.expect_labels_belong_to_rows()
    fits.expect_no_test_data_in_training()
    fits.expect_test_not_used_for_validation()


@pytest.mark.points(1)
def test_curves(fits, figures):
    """The accuracy is plotted over several epochs, with labels on the axes."""
    fits.expect_epochs(at_least=3)
    figures.expect_curves("accuracy")
    figures.expect_labels()


@pytest.mark.points(1)
def test_evaluation(fits, evaluations):
    """The trained network is evaluated on test images, prepared like those of training."""
    fits.expect_trained()
    evaluations.expect_on_test()
    evaluations.expect_scaled_like_training()
