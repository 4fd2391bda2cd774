import pytest

from grader.checks import dense


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained for ten epochs, and its loss stays a number."""
    fits.expect_trained(epochs=10)


@pytest.mark.points(1)
def test_batches(fits):
    """An update is made of 128 images."""
    # A pipeline of the student's own brings its batches along: then their size is not known.
    assert fits.by_hand or fits.last.batch_size in {128, None}


@pytest.mark.points(2)
def test_layers(model):
    """Three layers of 512 relu units are followed by ten softmax units."""
    hidden = dense(512, "relu")
    model.expect_layers(hidden, hidden, hidden, dense(10, "softmax"))


@pytest.mark.points(2)
def test_dropout_after_each(model):
    """After each of the three, and nowhere else, stands a dropout of 0.2."""
    found = [
        (layer.kind, layer.settings.get("rate"))
        for layer in model.layers
        if layer.role in {"layer", "regularisation"}
    ]
    assert found == 3 * [("Dense", None), ("Dropout", 0.2)] + [("Dense", None)]


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
    held_out.expect_accuracy(at_least=0.972)
