import pytest

from grader.checks import dense, dropout

NAMES = ("smaller", "larger", "l2", "dropout")


@pytest.mark.points(1)
def test_original(model):
    """`original` has two layers of 16 relu units and one sigmoid unit."""
    model.expect_layers(dense(16, "relu"), dense(16, "relu"), dense(1, "sigmoid"))


@pytest.mark.points(2)
def test_smaller(named):
    """`smaller` has two layers of 4 relu units and one sigmoid unit."""
    named["smaller"].model.expect_layers(dense(4, "relu"), dense(4, "relu"), dense(1, "sigmoid"))


@pytest.mark.points(1)
def test_larger(named):
    """`larger` has two layers of 512 relu units and one sigmoid unit."""
    model = named["larger"].model
    model.expect_layers(dense(512, "relu"), dense(512, "relu"), dense(1, "sigmoid"))


@pytest.mark.points(2)
def test_l2(named):
    """`with_l2` is the original with an L2 penalty on the weights of both hidden layers."""
    model = named["l2"].model
    model.expect_layers(dense(16, "relu"), dense(16, "relu"), dense(1, "sigmoid"))
    model.expect_regularizer("l2", on="hidden layers")


@pytest.mark.points(2)
def test_dropout(named):
    """`with_dropout` is the original with dropout of one half behind each hidden layer."""
    named["dropout"].model.expect_layers(
        dense(16, "relu"), dropout(0.5), dense(16, "relu"), dropout(0.5), dense(1, "sigmoid")
    )


@pytest.mark.points(1)
@pytest.mark.parametrize("name", NAMES)
def test_output_and_loss(named, name):
    """Last activation, loss and labels belong together."""
    named[name].fits.expect_output_loss_and_labels_match("binary")


@pytest.mark.points(1)
def test_trained_for_long(fits):
    """`original` is trained until it over-fits."""
    fits.expect_trained(epochs=15)


@pytest.mark.points(2)
def test_validated_on_the_same_reviews(fits, named):
    """Each network is validated on 10,000 reviews that it is not trained on."""
    for training in (fits, *(named[name].fits for name in NAMES)):
        training.expect_validation("any", samples=10_000)
        training.expect_validation_apart_from_training()
        training.expect_test_not_used_for_validation()


@pytest.mark.points(2)
def test_held_out_accuracy(held_out):
    """`original` judges at least 83 % of reviews it has never seen as their writers did."""
    held_out.expect_accuracy()


@pytest.mark.points(2)
def test_comparison(figures):
    """The validation losses are drawn into one figure, with labels and a legend."""
    figures.expect_curves("val_loss")
    figures.expect_labels()


@pytest.mark.points(1)
def test_best_epoch(fits, values):
    """`best_epoch` is the epoch from which on `original` gets worse on other reviews."""
    fits.expect_overfitting_epoch(values["best_epoch"], tolerance=1)
