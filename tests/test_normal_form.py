import pytest

from grader.normal_form import RawLayer, normal_form, shape_of


def raw(kind, units=None, activation="linear", *, is_layer=True, **settings):
    params = 7850 if kind == "Dense" else 0
    return RawLayer(
        name=kind.lower(),
        kind=kind,
        is_layer=is_layer,
        units=units,
        activation=activation,
        input_shape=[None, 784],
        output_shape=[None, 10],
        trainable_params=params,
        non_trainable_params=0,
        settings=settings,
    )


def found(*layers):
    return [(card.kind, card.activation, card.role) for card in normal_form(layers)]


SOFTMAX = [("Dense", "softmax", "layer")]


@pytest.mark.parametrize(
    "layers",
    [
        [raw("Dense", 10, "softmax")],
        [raw("Dense", 10), raw("Activation", activation="softmax")],
        [raw("Dense", 10), raw("Softmax")],
        [raw("Dense", 10), raw("Softmax", is_layer=False)],
        [raw("Dense", 10), raw("Activation", activation="linear"), raw("Softmax")],
        [raw("Dense", 10, "softmax"), raw("Activation", activation="linear")],
    ],
)
def test_an_activation_is_the_same_however_it_is_written(layers):
    assert found(*layers) == SOFTMAX


def test_relu_is_relu_as_string_layer_argument_and_operation():
    for activation in ("relu",):
        assert found(raw("Dense", 5, activation)) == [("Dense", "relu", "layer")]
    assert found(raw("Dense", 5, "relu"), raw("Dense", 5, "leakyrelu"))[1][1] == "leaky_relu"
    assert found(raw("Dense", 5), raw("ReLU")) == [("Dense", "relu", "layer")]
    assert found(raw("Dense", 5), raw("ReLU", max_value=6)) == [("Dense", "relu6", "layer")]
    assert found(raw("Dense", 5), raw("Relu", is_layer=False)) == [("Dense", "relu", "layer")]


def test_an_activation_is_folded_past_dropout_and_reshaping_only():
    assert found(raw("Dense", 5), raw("Dropout"), raw("ReLU"))[0] == ("Dense", "relu", "layer")
    assert found(raw("Dense", 5), raw("BatchNormalization"), raw("ReLU"))[-1][0] == "ReLU"


def test_a_second_activation_is_not_lost():
    kinds = [kind for kind, _, _ in found(raw("Dense", 5, "relu"), raw("Softmax"))]
    assert kinds == ["Dense", "Softmax"]
    assert found(raw("Softmax")) == [("Softmax", "softmax", "layer")]


@pytest.mark.parametrize(
    ("layer", "role"),
    [
        (raw("Flatten"), "plumbing"),
        (raw("Reshape", is_layer=False), "plumbing"),
        (raw("Rescaling"), "preprocessing"),
        (raw("Dropout"), "regularisation"),
        (raw("GaussianNoise"), "regularisation"),
        (raw("TrueDivide", is_layer=False), "operation"),
        (raw("Add"), "operation"),
        (raw("Conv2D"), "layer"),
        (raw("MaxPooling2D"), "layer"),
    ],
)
def test_each_layer_is_marked_as_what_it_is(layer, role):
    assert found(layer)[0][2] == role


def test_shapes_are_plain_whatever_is_said():
    assert shape_of([None, 28, 28]) == (None, 28, 28)
    assert shape_of([[None, 3], [None, 4]]) == (None, 3)
    assert shape_of("nonsense") == ()
    assert shape_of([None, "x"]) == (None, None)
