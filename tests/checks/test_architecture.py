"""The vocabulary: each sentence holds for what it says, and its failure says why."""

from dataclasses import replace

import pytest

from grader.checks import (
    Unmet,
    average_pooling,
    batch_normalization,
    conv2d,
    dense,
    dropout,
    embedding,
    flatten,
    global_average_pooling,
    layer,
    lstm,
    max_pooling,
)
from grader.checks.architecture import JudgedModel

IMAGE = (None, 28, 28, 1)
L2 = {"class": "L2", "l2": 0.001}


def raw(kind, units=None, activation=None, **settings):
    return kind, units, activation, settings


def convolution(filters, **settings):
    return raw("Conv2D", filters, settings.pop("activation", "relu"), kernel_size=3, **settings)


POOL, FLATTEN = raw("MaxPooling2D", pool_size=2), raw("Flatten")
CNN = (
    *(convolution(32), POOL, convolution(64), raw("Dropout", rate=0.25), FLATTEN),
    *(raw("Dense", 128, "relu"), raw("Dense", 10, "softmax")),
)
NAMED = (
    *(conv2d(32, 3, "relu"), max_pooling(2), conv2d(64, (3, 3), "relu", padding="valid")),
    *(dropout(0.25), flatten(), dense(128, "relu"), dense(10, "softmax")),
)


@pytest.fixture
def model(calculator):
    def make(*layers, shape=IMAGE, **changes):
        return JudgedModel(calculator.card(shape, layers or CNN, **changes))

    return make


def unmet(expectation, *args, **kwargs):
    with pytest.raises(Unmet) as caught:
        expectation(*args, **kwargs)
    return caught.value


# ------------------------------------------------------------------ exactly these layers


@pytest.mark.parametrize(
    "left_out",
    [(), (4,), (3, 4), (1, 3, 4), (1, 4), (3,)],
)
def test_what_reshapes_pools_or_regularises_is_compared_once_it_is_named(model, left_out):
    model().expect_layers(*(said for at, said in enumerate(NAMED) if at not in left_out))


@pytest.mark.parametrize(
    "layers",
    [
        CNN,
        (*CNN[:4], *CNN[5:]),
        (*CNN[:4], raw("GlobalAveragePooling2D"), *CNN[5:]),
        (*CNN[:4], raw("Reshape"), *CNN[5:]),
        (raw("Rescaling"), raw("GaussianNoise"), *CNN),
    ],
)
def test_what_is_between_the_named_layers_may_be_anything(model, layers):
    named = (conv2d(32), conv2d(64), dense(128, "relu"), dense(10, "softmax"))
    model(*layers).expect_layers(*named)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (raw("Conv2D", 8, "relu", kernel_size=3), conv2d(8, (3, 3))),
        (raw("Conv2D", 8, "relu", kernel_size=3), conv2d(8, [3, 3], strides=1)),
        (raw("Conv2D", 8, "relu", kernel_size=3), layer("Convolution2D", 8, kernel_size=3)),
        (raw("MaxPooling2D", pool_size=2), layer("MaxPool2D", pool_size=(2, 2))),
        (raw("MaxPooling2D", pool_size=2), max_pooling(2, strides=2)),
        (raw("MaxPooling2D", pool_size=2, strides=2), max_pooling((2, 2))),
        (raw("AveragePooling2D", pool_size=2), average_pooling()),
        (raw("GlobalAveragePooling2D"), global_average_pooling()),
        (raw("BatchNormalization"), batch_normalization()),
        (raw("Dropout", rate=0.1 + 0.2), dropout(0.3)),
        (raw("Conv2D", 8, "relu", kernel_size=3, kernel_regularizer=L2),
         conv2d(8, kernel_regularizer="l2")),
        (raw("Conv2D", 8, "relu", kernel_size=3, kernel_initializer={"class": "HeNormal"}),
         conv2d(8, kernel_initializer="he_normal")),
    ],
)  # fmt: skip
def test_what_means_the_same_is_the_same(model, found, wanted):
    sorts = () if wanted.kind in ("Conv2D", "BatchNormalization") else (dense(1),)
    tail = (FLATTEN, raw("Dense", 1)) if sorts else ()
    model(found, *tail).expect_layers(wanted, *sorts)


@pytest.mark.parametrize(
    ("found", "wanted", "hint"),
    [
        (raw("MaxPooling2D", pool_size=3), max_pooling(2), "pool size 3 instead of 2"),
        (raw("MaxPooling2D", pool_size=2, strides=1), max_pooling(2, strides=2), "strides 1"),
        (raw("Dropout", rate=0.5), dropout(0.2), "The Dropout has the rate 0.5 instead of 0.2."),
        (raw("MaxPooling2D", pool_size=2), average_pooling(2), "is MaxPooling2D(2) instead of"),
        (raw("Conv2D", 8, "relu", kernel_size=3), conv2d(8, kernel_regularizer="l2"),
         "kernel regularizer"),
    ],
)  # fmt: skip
def test_what_means_something_else_is_another_layer(model, found, wanted, hint):
    assert hint in unmet(model(found).expect_layers, wanted).hint


def test_two_dropouts_in_a_row_are_seen_though_the_parameters_are_the_same(model):
    hidden, drop = raw("Dense", 512, "relu"), raw("Dropout", rate=0.2)
    garbled = model(
        hidden, drop, hidden, hidden, drop, drop, raw("Dense", 10, "softmax"), shape=(None, 784)
    )
    wanted = (dense(512, "relu"), dropout(0.2)) * 3 + (dense(10, "softmax"),)
    garbled.expect_trainable_params(932_362)
    found = unmet(garbled.expect_layers, *wanted)
    assert found.hint == "The second Dropout stands after layer 3 instead of after layer 2."
    garbled.expect_layers(*(said for said in wanted if said.kind == "Dense"))


def test_an_activation_may_stand_behind_the_normalisation(model):
    found = (convolution(8, activation=None), raw("BatchNormalization"), raw("ReLU"))
    model(*found).expect_layers(conv2d(8, 3), batch_normalization(), layer("ReLU"))
    model(*found).expect_layers(
        conv2d(8, 3), batch_normalization(), layer("Activation", activation="relu")
    )
    model(*found, FLATTEN, raw("Dense", 1)).expect_hidden_activation("relu")


def test_softmax_in_the_loss_neither_hides_nor_forges_a_linear_layer(model, make):
    last = raw("Dense", 10)
    logits = make.compiled(from_logits=True)
    made = model(last, shape=(None, 784), compiled=logits)
    made.expect_layers(dense(10, "softmax"))
    made.expect_layers(dense(10))
    assert (
        "no activation instead of sigmoid" in unmet(made.expect_layers, dense(10, "sigmoid")).hint
    )


def test_what_the_network_takes_can_be_named(model):
    flat = model(FLATTEN, raw("Dense", 10, "softmax"))
    for shape in ((None, 784), IMAGE, (None, 28, 28)):
        flat.expect_layers(dense(10, "softmax"), input_shape=shape)
    found = unmet(flat.expect_layers, dense(10, "softmax"), input_shape=(None, 28))
    assert found.hint == "The input of layer 1 is (None, 784) instead of (None, 28)."


def test_sequences_have_their_layers_too(model):
    made = model(
        raw("Embedding", input_dim=50, output_dim=8),
        raw("LSTM", 16, "tanh", return_sequences=True),
        raw("LSTM", 4, "tanh"),
        raw("Dense", 1, "sigmoid"),
        shape=(None, 30),
    )
    made.expect_layers(
        embedding(50, 8), lstm(16, return_sequences=True), lstm(4), dense(1, "sigmoid")
    )
    made.expect_layer_params(400, 1_600, 336, 5)
    found = unmet(made.expect_layers, embedding(50, 8), lstm(16), lstm(4), dense(1, "softmax"))
    assert found.received.startswith("Embedding(50, 8) → LSTM(16, return_sequences=True)")


# ------------------------------------------------------------------ parameters


def test_a_wrong_total_beside_its_network_is_explained_by_what_was_done(model):
    same = model(*(raw(kind, units, how, **own, padding="same") if kind == "Conv2D" else
                   (kind, units, how, own) for kind, units, how, own in CNN))  # fmt: skip
    total = model().trainable_params
    model().expect_trainable_params(total, layers=NAMED, input_shape=IMAGE)
    wanted = tuple(replace(said, settings={}) if said.kind == "Conv2D" else said for said in NAMED)
    found = unmet(same.expect_trainable_params, total, layers=wanted, input_shape=IMAGE)
    assert found.hint == "The padding is 'same' on both convolutions."
    assert "yours" in next(line.arithmetic for line in found.alignment if line.arithmetic)


@pytest.mark.parametrize(
    ("layers", "total", "hint"),
    [
        ((FLATTEN, raw("Dense", 10, use_bias=False)), 7_850, "The biases of layer 1 are what"),
        ((convolution(32), raw("Dense", 10)), 216_650, "Nothing flattens the input of layer 2"),
        ((convolution(32, strides=3), FLATTEN, raw("Dense", 10)), 216_650, "`Conv2D(32, 3, 3)`"),
        ((convolution(32, padding="same"), FLATTEN, raw("Dense", 10)), 216_650, "it is 'same'"),
        (
            (FLATTEN, raw("Dense", 11)),
            7_850,
            "Layer by layer: Dense(11, linear): 8,635 = (784 + 1)",
        ),
    ],
)
def test_a_slip_that_accounts_for_a_wrong_total_is_named(model, layers, total, hint):
    assert hint in unmet(model(*layers).expect_trainable_params, total).hint


def test_parameters_have_limits(model):
    made = model(raw("Flatten"), raw("Dense", 512, "relu"), raw("Dense", 10, "softmax"))
    made.expect_params(at_least=400_000, at_most=407_050)
    made.expect_fewer_params_than(407_051)
    found = unmet(made.expect_params, at_most=300_000)
    assert found.hint == "99 % of them are in Dense(512, relu): 401,920 = (784 + 1) × 512."
    assert unmet(made.expect_params, at_least=500_000).received == "407,050"
    found = unmet(made.expect_fewer_params_than, 407_050, "the dense network")
    assert found.expected == "fewer than 407,050 parameters, which is what the dense network has"
    made.expect_layer_params(401_920, 5_130)
    found = unmet(made.expect_layer_params, 401_408, 5_130)
    assert found.hint == (
        "Layer 1, Dense(512, relu): 401,920 = (784 + 1) × 512 instead of 401,408."
    )
    assert "2 layers with parameters instead of 1" in unmet(made.expect_layer_params, 7).hint


# ------------------------------------------------------------------ both ends


@pytest.mark.parametrize(
    ("shape", "allowed", "hint"),
    [
        (IMAGE, [IMAGE], None),
        (IMAGE, [(None, 784), (None, None, None, 1)], None),
        ((None, 28, 28), [IMAGE], "third axis for its channels"),
        ((None, 3, 32, 32), [(None, 32, 32, 3)], "The channels come last."),
        ((1, 20, 1), [(None, 20, 1)], None),
        ((None, 784), [IMAGE], "2 axes with the batch, and not 4"),
    ],
)
def test_the_shape_that_goes_in(model, shape, allowed, hint):
    made = model(raw("Dense", 1), shape=shape)
    if hint is None:
        made.expect_input_shape(*allowed)
    else:
        assert hint in unmet(made.expect_input_shape, *allowed).hint


def test_the_shape_that_comes_out(model):
    model().expect_output_shape((None, 1), (None, 10))
    found = unmet(model().expect_output_shape, (None, 11))
    assert (found.received, found.hint) == ("(None, 10)", "The last layer is Dense(10, softmax).")
    flat = model(convolution(8), raw("Dense", 10, "softmax"))
    assert "nothing before it makes one vector" in unmet(flat.expect_output_shape, (None, 10)).hint
    steps = model(raw("LSTM", 4, return_sequences=True), shape=(None, 20, 1))
    assert "one vector for each step" in unmet(steps.expect_output_shape, (None, 4)).hint


def test_the_activation_that_comes_out(model, make):
    model().expect_output("softmax", units=10)
    assert unmet(model().expect_output, "sigmoid").received == "softmax"
    assert unmet(model().expect_output, "softmax", units=2).received == "Dense(10, softmax)"
    bare = (FLATTEN, raw("Dense", 10))
    found = unmet(model(*bare).expect_output, "softmax")
    assert "Nothing makes softmax of what the last layer gives." in found.hint
    model(*bare, compiled=make.compiled(from_logits=True)).expect_output("softmax", units=10)
    binary = make.compiled(loss="binary_crossentropy", from_logits=True)
    model(FLATTEN, raw("Dense", 1), compiled=binary).expect_output("sigmoid", units=1)
    assert unmet(model(FLATTEN).expect_output, "softmax").expected == "a last layer of softmax"


# ------------------------------------------------------------------ within limits


def test_layers_are_counted_by_class_or_by_settings(model):
    model().expect_count("Conv2D", at_least=2, at_most=4)
    model().expect_count("Convolution2D", exactly=2)
    model().expect_count(conv2d(64), exactly=1)
    model().expect_count(dropout(0.25), at_least=1)
    found = unmet(model().expect_count, "Conv2D", at_least=3, at_most=4)
    assert (found.expected, found.received) == ("3 to 4 × Conv2D", "2")
    found = unmet(model().expect_count, dropout(0.5), at_least=1)
    assert found.hint == "Another one is there: Dropout(0.25)."
    assert unmet(model().expect_count, "Dense", at_most=1).expected == "at most 1 × Dense"


def test_a_layer_stands_somewhere_after_the_last_of_a_class(model):
    model().expect_layer_after(dropout(), after="Conv2D")
    model().expect_layer_after(dropout(0.25), after=conv2d(32))
    early = model(convolution(8), raw("Dropout", rate=0.1), convolution(8), FLATTEN)
    found = unmet(early.expect_layer_after, dropout(), after="Conv2D")
    assert found.received == "Dropout(0.1) before it"
    assert unmet(early.expect_layer_after, dropout(), after="LSTM").received == "no LSTM"
    found = unmet(model().expect_layer_after, dropout(0.5), after="Conv2D")
    assert found.received == "Dropout(0.25)"
    found = unmet(model().expect_layer_after, batch_normalization(), after="Dense")
    assert found.received == "no BatchNormalization there"


def test_hidden_layers_have_an_activation(model):
    model().expect_hidden_activation("relu")
    model().expect_hidden_activation("relu", "tanh")
    model().expect_no_activation_missing()
    bare = model(FLATTEN, raw("Dense", 8), raw("Dense", 8, "tanh"), raw("Dense", 1))
    found = unmet(bare.expect_no_activation_missing)
    assert found.received == "Dense(8, linear) as layer 1"
    assert "no more than one linear layer" in found.hint
    mixed = model(FLATTEN, raw("Dense", 8, "relu"), raw("Dense", 8, "tanh"), raw("Dense", 1))
    mixed.expect_no_activation_missing()
    found = unmet(mixed.expect_hidden_activation, "relu")
    assert found.received == "Dense(8, tanh) as layer 2"


@pytest.mark.parametrize(
    ("penalties", "wanted", "received"),
    [
        ((L2, L2), ("l2",), None),
        ((L2, L2), ("l2", 0.001), None),
        ((L2, L2), ("l2", 0.01), "l2(0.001) in layer 1, Dense(16, relu)"),
        ((L2, None), ("l2",), "no penalty on the weights in layer 2"),
        (({"class": "L1", "l1": 0.001},) * 2, ("l2",), "l1(0.001) in layer 1"),
        (({"class": "L1L2", "l1": 0.1, "l2": 0.1},) * 2, ("l1_l2",), None),
        (({"class": "L2", "l2": 0.0}, L2), ("l2",), "l2(0) in layer 1"),
    ],
)
def test_weights_are_penalised(model, penalties, wanted, received):
    hidden = [
        raw("Dense", 16, "relu", **({"kernel_regularizer": penalty} if penalty else {}))
        for penalty in penalties
    ]
    made = model(*hidden, raw("Dense", 1, "sigmoid"), shape=(None, 100))
    if received is None:
        made.expect_regularizer(*wanted, on="hidden layers")
    else:
        assert received in unmet(made.expect_regularizer, *wanted).received


def test_weights_begin_in_a_named_way(model):
    he = {"class": "HeNormal", "seed": 1}
    usual = {"class": "GlorotUniform"}
    made = model(
        raw("Dense", 16, "relu", kernel_initializer=he),
        raw("Dense", 1, "sigmoid", kernel_initializer=usual),
        shape=(None, 100),
    )
    made.expect_initializer("he_uniform", "he_normal")
    found = unmet(made.expect_initializer, "he_normal", on="all layers")
    assert found.received == "GlorotUniform in layer 2, Dense(1, sigmoid)"
    assert "unless it is told otherwise" in found.hint
    alone = model(raw("Dense", 1), shape=(None, 100))
    assert unmet(alone.expect_initializer, "he_normal").received == "no hidden layers"
    assert unmet(alone.expect_regularizer, "l2").received == "no hidden layers"
