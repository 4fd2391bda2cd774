import pytest

from grader.checks import dense, dropout


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained for ten epochs, and its loss stays a number."""
    fits.expect_trained()
    fits.expect_epochs(at_least=10)


@pytest.mark.points(1)
def test_batches(fits):
    """An update is made of 128 images."""
    fits.expect_batch_size(128)


@pytest.mark.points(4)
def test_layers(model):
    """Three layers of 512 relu units, a dropout of 0.2 behind each, and ten softmax units."""
    hidden = dense(512, "relu"), dropout(0.2)
    model.expect_layers(*hidden, *hidden, *hidden, dense(10, "softmax"), input_shape=(None, 784))


@pytest.mark.points(2)
def test_parameters(model):
    """It has 932,362 trainable parameters."""
    model.expect_trainable_params(932_362)


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
    """It recognises at least 97.2 % of digits it has never seen."""
    held_out.expect_accuracy()


@pytest.mark.points(1)
def test_samples_and_labels(fits):
    """Each image is trained with its own label; test images are kept for the end."""
    fits.expect_trained()
    fits.expect_labels_belong_to_rows()
    fits.expect_no_test_data_in_training()
    fits.expect_test_not_used_for_validation()


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
