import pytest


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(2)
def test_convolutions(model):
    """It has at least two convolutions."""
    found = [layer.kind for layer in model.layers if layer.kind.endswith("Conv2D")]
    assert len(found) >= 2, f"There are {len(found)} layers of the kind Conv2D."


@pytest.mark.points(1)
def test_pooling(model):
    """It has at least one pooling layer."""
    found = [layer.kind for layer in model.layers if "Pooling2D" in layer.kind]
    assert found, "There is no layer of the kind MaxPooling2D or its relatives."


@pytest.mark.points(2)
def test_parameters(model):
    """It has fewer parameters than the dense network's 407,050."""
    model.expect_fewer_params_than(407_050, "the dense network")


@pytest.mark.points(2)
def test_output_loss_and_labels(fits):
    """Last activation, loss and labels belong together."""
    fits.expect_output_loss_and_labels_match("multiclass")


@pytest.mark.points(1)
def test_scaled_pixels(fits):
    """The network sees pixels of moderate size, not 0 to 255."""
    fits.expect_scaled_inputs()


@pytest.mark.points(4)
def test_held_out_accuracy(held_out):
    """It recognises at least 98.5 % of digits it has never seen."""
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
