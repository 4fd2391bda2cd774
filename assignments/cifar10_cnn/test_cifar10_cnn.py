import pytest

from grader.checks import conv2d, dense, dropout, max_pooling


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(4)
def test_layers(model):
    """Two pairs of convolutions, each with pooling and dropout, come before 512 and ten units."""
    model.expect_layers(
        conv2d(32, 3, "relu", padding="same"),
        conv2d(32, 3, "relu", padding="valid"),
        max_pooling(2),
        dropout(0.25),
        conv2d(64, 3, "relu", padding="same"),
        conv2d(64, 3, "relu", padding="valid"),
        max_pooling(2),
        dropout(0.25),
        dense(512, "relu"),
        dropout(0.5),
        dense(10, "softmax"),
        input_shape=(None, 32, 32, 3),
    )


@pytest.mark.points(2)
def test_parameters(model):
    """It has 1,250,858 trainable parameters."""
    model.expect_trainable_params(1_250_858)


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
    """It recognises at least 55 % of images it has never seen, where chance gives ten."""
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
    """The accuracy is plotted over the epochs, with labels on the axes."""
    figures.expect_curves("accuracy")
    figures.expect_labels()


@pytest.mark.points(1)
def test_evaluation(fits, evaluations):
    """The trained network is evaluated on test images, prepared like those of training."""
    fits.expect_trained()
    evaluations.expect_on_test()
    evaluations.expect_scaled_like_training()
