import pytest

from grader.checks import Unmet, dense, flatten, lstm

LSTM_20 = (lstm(32), dense(1))
NETWORKS = {
    "vanilla": (LSTM_20, (None, 20, 1), 4_385),
    "stateful": ((lstm(32, stateful=True), dense(1)), (1, 20, 1), 4_385),
    "wider": (LSTM_20, (None, 40, 1), 4_385),
    "stacked": ((lstm(32, return_sequences=True), *LSTM_20), (None, 20, 1), 12_705),
    "feed_forward": (
        (flatten(), *[dense(32, "relu")] * 3, dense(1)),
        (None, 20, 1),
        20 * 32 + 32 + 2 * (32 * 32 + 32) + 33,
    ),
}


@pytest.mark.points(1)
def test_split_sizes(answers):
    """`train` has 670 values of the series and `test` has 330."""
    answers["train"].expect_shape((670,))
    answers["test"].expect_shape((330,))


@pytest.mark.points(2)
def test_windows(probes):
    """`make_windows` gives every window, and the value that comes right after each."""
    windows = [[0, 1, 4], [1, 4, 9], [4, 9, 16], [9, 16, 25], [16, 25, 36]]
    longer = [*windows, [25, 36, 49]]
    probes["windows"].expect_equal(
        (windows, [9, 16, 25, 36, 49]),
        squeeze=True,
        mistakes=[
            ((windows, [4, 9, 16, 25, 36]), "The target stands in its own window already."),
            ((longer, [4, 9, 16, 25, 36, 49]), "The target stands in its own window already."),
            ((windows[:-1], [9, 16, 25, 36]), "The last window that has a next value is missing."),
            ((windows[:-1], [16, 25, 36, 49]), "The target is one value too late."),
            ((windows[::3], [9, 36]), "Windows may overlap: one begins at every value."),
        ],
    )


@pytest.mark.points(1)
@pytest.mark.requires("test_windows")
def test_axes_of_windows(probes):
    """Windows have the three axes that an LSTM layer wants: samples, steps, features."""
    axes = probes["windows"].given.items[0].shape
    if axes != (5, 3, 1):
        raise Unmet(
            expected="windows of shape (5, 3, 1)",
            received=f"shape {axes}",
            hint="There is one feature at each step, and it has an axis too.",
        )


@pytest.mark.points(2)
@pytest.mark.parametrize("name", NETWORKS)
def test_layers(named, name):
    """Each network has the layers that its name stands for, from its windows to one value each."""
    layers, takes, _ = NETWORKS[name]
    named[name].model.expect_layers(*layers)
    named[name].model.expect_input_shape(takes)
    named[name].model.expect_output_shape((takes[0], 1))


@pytest.mark.points(1)
@pytest.mark.parametrize("name", NETWORKS)
def test_parameters(named, name):
    """Each network has as many parameters as one can count."""
    layers, takes, parameters = NETWORKS[name]
    named[name].model.expect_trainable_params(parameters, layers=layers, input_shape=takes)


@pytest.mark.points(2)
@pytest.mark.parametrize("name", NETWORKS)
def test_training(named, name):
    """Each network learns with Adam on the mean squared error, from all of its windows."""
    fits = named[name].fits
    fits.expect_trained(epochs=2)
    fits.expect_loss("mse")
    fits.expect_optimizer("Adam")
    windows = 630 if name == "wider" else 650
    fits.expect_samples(at_least=windows, at_most=windows)
    fits.expect_improvement()


@pytest.mark.points(1)
def test_batches_of_one(named):
    """The stateful network sees its windows one by one."""
    named["stateful"].fits.expect_batch_size(1)
