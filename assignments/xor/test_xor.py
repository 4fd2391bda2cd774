import pytest

from grader.checks import Unmet, dense


@pytest.mark.points(1)
def test_shapes(fits):
    """The network is trained on four rows of two bits, and four rows of one target."""
    given, wanted = fits.last.x.shape, fits.last.y.shape
    if (given, wanted) != ((4, 2), (4, 1)):
        raise Unmet(
            expected="inputs of shape (4, 2), targets of shape (4, 1)",
            received=f"{given} and {wanted}",
            hint="There are four pairs of bits. Each has a row, and one number as its target.",
        )


@pytest.mark.points(2)
def test_layers(model):
    """Two tanh units are followed by one tanh unit."""
    model.expect_layers(dense(2, "tanh"), dense(1, "tanh"))


@pytest.mark.points(1)
def test_parameters(model):
    """The network has nine parameters."""
    model.expect_trainable_params(
        9, layers=[dense(2, "tanh"), dense(1, "tanh")], input_shape=(None, 2)
    )


@pytest.mark.points(1)
def test_loss(fits):
    """The loss is the mean squared error."""
    fits.expect_loss("mse")


@pytest.mark.points(1)
def test_optimizer(fits):
    """The weights go down the gradient at a rate of 0.1."""
    fits.expect_optimizer("SGD", learning_rate=0.1)


@pytest.mark.points(1)
def test_one_sample_at_a_time(fits):
    """The weights change after every single sample."""
    fits.expect_batch_size(1)


@pytest.mark.points(2)
def test_updates(fits):
    """Every sample is seen 200 times, by a network that begins anew."""
    fits.expect_updates(800)
    fits.expect_fresh_model()


@pytest.mark.points(1)
def test_every_question_is_answered(answers):
    """Both questions have a number as their answer."""
    answers["quiz"]["squared_error"].expect_any_number()
    answers["quiz"]["updates"].expect_any_number()
