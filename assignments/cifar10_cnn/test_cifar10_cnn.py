import pytest

from grader.checks import dense, layer


@pytest.mark.points(1)
def test_trained(fits):
    """The network is trained, and its loss stays a number."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(3)
def test_layers(model):
    """Two pairs of convolutions, each with pooling behind it, are followed by 512 and ten units."""
    model.expect_layers(
        layer("Conv2D", 32, "relu", kernel_size=[3, 3], padding="same"),
        layer("Conv2D", 32, "relu", kernel_size=[3, 3], padding="valid"),
        layer("MaxPooling2D", pool_size=[2, 2]),
        layer("Conv2D", 64, "relu", kernel_size=[3, 3], padding="same"),
        layer("Conv2D", 64, "relu", kernel_size=[3, 3], padding="valid"),
        layer("MaxPooling2D", pool_size=[2, 2]),
        dense(512, "relu"),
        dense(10, "softmax"),
    )


@pytest.mark.points(1)
def test_dropout(model):
    """Dropout follows each pooling (0.25) and the large dense layer (0.5)."""
    found = [
        (before.kind, here.settings.get("rate"))
        for before, here in zip(model.layers, model.layers[1:], strict=False)
        if here.kind == "Dropout"
    ]
    assert found == [("MaxPooling2D", 0.25), ("MaxPooling2D", 0.25), ("Dense", 0.5)]


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
    held_out.expect_accuracy(at_least=0.55)
