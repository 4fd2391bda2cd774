"""Every usual way of getting one of the course's networks wrong is named as what it is."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.checks.edits import explain
from grader.checks.layers import layer, sort_of
from grader.checks.network import Comparison, found_layers


def dense(units, activation=None, **settings):
    return "Dense", units, activation, settings


def conv(filters, size=3, activation="relu", **settings):
    return "Conv2D", filters, activation, {"kernel_size": size, **settings}


def pool(size=2, kind="MaxPooling2D", **settings):
    return kind, None, None, {"pool_size": size, **settings}


def drop(rate):
    return "Dropout", None, None, {"rate": rate}


def lstm(units, **settings):
    return "LSTM", units, "tanh", settings


def embed(words, width):
    return "Embedding", None, None, {"input_dim": words, "output_dim": width}


def by_channel(kind, filters=None, size=3, activation="relu", **settings):
    return f"{kind}Conv2D", filters, activation, {"kernel_size": size, **settings}


def around(kind, inner, **settings):
    name, units, activation, own = inner
    described = {"class": name, "units": units, "activation": activation or "linear", **own}
    return kind, None, None, {"layer": described, **settings}


def plain(kind):
    return kind, None, None, {}


FLATTEN = plain("Flatten")
VECTOR, IMAGE, COLOUR, WORDS = (None, 784), (None, 28, 28, 1), (None, 32, 32, 3), (None, 10_000)
IMDB = (dense(16, "relu"), dense(16, "relu"), dense(1, "sigmoid"))
NETWORKS = {
    "softmax": (VECTOR, (dense(10, "softmax"),), 7_850),
    "mlp": (VECTOR, (dense(500, "relu"), dense(500, "relu"), dense(10, "softmax")), 648_010),
    "dense": (VECTOR, (dense(512, "relu"), dense(10, "softmax")), 407_050),
    "deep": (
        VECTOR,
        (*(dense(512, "relu"), drop(0.2)) * 3, dense(10, "softmax")),
        932_362,
    ),
    "cnn": (
        IMAGE,
        (
            *(conv(32), conv(64), pool(), drop(0.25), conv(64), conv(64), pool(), drop(0.25)),
            *(FLATTEN, dense(128, "relu"), drop(0.5), dense(10, "softmax")),
        ),
        225_034 + 128,
    ),
    "small_cnn": (
        IMAGE,
        (
            *(conv(32), conv(64), pool(), drop(0.25), FLATTEN),
            *(dense(128, "relu"), drop(0.5), dense(10, "softmax")),
        ),
        1_199_882,
    ),
    "cifar": (
        COLOUR,
        (
            *(conv(32, padding="same"), conv(32), pool(), drop(0.25)),
            *(conv(64, padding="same"), conv(64), pool(), drop(0.25)),
            *(FLATTEN, dense(512, "relu"), drop(0.5), dense(10, "softmax")),
        ),
        1_250_858,
    ),
    "imdb": (WORDS, IMDB, 160_305),
    "imdb_small": (WORDS, (dense(4, "relu"), dense(4, "relu"), dense(1, "sigmoid")), 40_029),
    "imdb_large": (WORDS, (dense(512, "relu"), dense(512, "relu"), dense(1, "sigmoid")), 5_383_681),
    "imdb_dropout": (WORDS, (IMDB[0], drop(0.5), IMDB[1], drop(0.5), IMDB[2]), 160_305),
    "cosine": ((None, 20, 1), (lstm(32), drop(0.3), dense(1)), 4_385),
    "stacked": (
        (None, 40, 1),
        (lstm(32, return_sequences=True), lstm(32), dense(1)),
        12_705,
    ),
    "xor": ((None, 2), (dense(2, "tanh"), dense(1, "tanh")), 9),
    "both_ways": (
        (None, 50, 8),
        (
            around("Bidirectional", lstm(16, return_sequences=True)),
            around("Bidirectional", lstm(8), merge_mode="sum"),
            dense(1, "sigmoid"),
        ),
        3_200 + 2_624 + 9,
    ),
    "each_step": (
        (None, 12, 5),
        (lstm(7, return_sequences=True), around("TimeDistributed", dense(3, "softmax"))),
        364 + 24,
    ),
    "separable": (
        COLOUR,
        (by_channel("Separable", 16), by_channel("Depthwise"), FLATTEN, dense(10, "softmax")),
        91 + 160 + 125_450,
    ),
}
"""Name → what it takes, its layers, its parameters: as the course gives them, and for the last
three, which are not of the course, as they come about by hand."""


# ------------------------------------------------------------------ what is done to a network


def change(place, units=None, activation=None, **settings):
    def edit(shape, layers):
        kind, had, activated, own = layers[place]
        now = (kind, units or had, activation or activated, own | settings)
        return shape, (*layers[:place], now, *layers[place + 1 :])

    return edit


def bare(place):
    return change(place, activation="linear")


def left_out(*places):
    return lambda shape, layers: (
        shape,
        tuple(one for at, one in enumerate(layers) if at not in places),
    )


def put_in(place, *new):
    return lambda shape, layers: (shape, (*layers[:place], *new, *layers[place:]))


def doubled(place, number=1):
    def edit(shape, layers):
        return shape, (
            *layers[: place + number],
            *layers[place : place + number],
            *layers[place + number :],
        )

    return edit


def swapped(one, other):
    def edit(shape, layers):
        new = list(layers)
        new[one], new[other] = new[other], new[one]
        return shape, tuple(new)

    return edit


def moved(place, to):
    def edit(shape, layers):
        new = list(layers)
        new.insert(to, new.pop(place))
        return shape, tuple(new)

    return edit


def replaced(place, new):
    return lambda shape, layers: (shape, (*layers[:place], new, *layers[place + 1 :]))


def everywhere(kind, **settings):
    def edit(shape, layers):
        return shape, tuple(
            (one[0], one[1], one[2], one[3] | settings) if one[0] == kind else one for one in layers
        )

    return edit


def takes(*axes):
    return lambda _, layers: ((None, *axes), layers)


def alike(edits):
    """The same change in several places, which counts as one."""

    def edit(shape, layers):
        for each in edits:
            shape, layers = each(shape, layers)
        return shape, layers

    return edit


# ------------------------------------------------------------------ the table

SINGLE = [
    ("softmax", change(0, 9), "Layer 1 has 9 units instead of 10."),
    ("softmax", bare(0), "Layer 1 has no activation instead of softmax."),
    ("softmax", change(0, activation="sigmoid"), "activation sigmoid instead of softmax"),
    ("softmax", change(0, use_bias=False), "Layer 1 has no biases (use_bias=False)."),
    ("softmax", takes(28), "The input of layer 1 is (None, 28) instead of (None, 784)."),
    ("softmax", doubled(0), "Dense(10, softmax) is there twice in a row."),
    ("softmax", put_in(0, dense(64, "relu")), "Dense(64, relu) at the beginning is one too many."),
    ("mlp", change(1, 400), "Layer 2 has 400 units instead of 500."),
    ("mlp", bare(1), "Layer 2 has no activation instead of relu."),
    ("mlp", left_out(1), "Dense(500, relu), is missing."),
    ("mlp", doubled(1), "Dense(500, relu) is there twice in a row."),
    ("mlp", everywhere("Dense", use_bias=False), "No biases (use_bias=False) on all three Dense"),
    ("mlp", takes(785), "(None, 785) instead of (None, 784)"),
    ("dense", change(0, 256), "Layer 1 has 256 units instead of 512."),
    (
        "dense",
        change(0, activation="sigmoid"),
        "Layer 1 has the activation sigmoid instead of relu.",
    ),
    ("dense", change(0, use_bias=False), "Layer 1 has no biases"),
    ("dense", change(1, 1), "Layer 2 has 1 unit instead of 10."),
    ("dense", swapped(0, 1), "Layers 1 and 2 are swapped."),
    ("dense", left_out(0), "Layer 1, Dense(512, relu), is missing."),
    ("deep", left_out(3), "The second Dropout is missing."),
    ("deep", left_out(5), "The third Dropout is missing."),
    ("deep", left_out(1, 3, 5), "All three Dropout layers are missing."),
    ("deep", left_out(2, 3), "Layer 3 and the third Dropout are missing."),
    ("deep", doubled(2, 2), "Dense(512, relu) → Dropout(0.2) is there twice in a row."),
    ("deep", moved(3, 4), "The second Dropout stands after layer 3 instead of after layer 2."),
    ("deep", moved(1, 0), "The first Dropout stands at the beginning instead of after layer 1."),
    ("deep", change(3, rate=0.5), "The second Dropout has the rate 0.5 instead of 0.2."),
    ("deep", everywhere("Dropout", rate=0.5), "The rate is 0.5 on all three Dropout layers."),
    ("deep", put_in(7, drop(0.2)), "Dropout(0.2) after layer 4 is one too many."),
    ("deep", left_out(1, 5), "The first and third Dropout are missing."),
    ("deep", alike([bare(at) for at in (0, 2, 4)]), "No activation on layers 1, 2 and 3."),
    ("deep", alike([change(at, 256) for at in (0, 2, 4)]), "256 units on layers 1, 2 and 3."),
    (
        "deep",
        alike([change(at, activation="tanh") for at in (0, 2)]),
        "The activation is tanh on layers 1 and 2.",
    ),
    ("deep", change(4, 256), "Layer 3 has 256 units instead of 512."),
    ("cnn", change(0, 64), "Layer 1 has 64 filters instead of 32."),
    ("small_cnn", change(0, strides=3), "`Conv2D(32, 3, 3)` means strides of 3 today"),
    ("cnn", change(1, kernel_size=5), "Layer 2 has the kernel size 5 instead of 3."),
    (
        "cnn",
        everywhere("Conv2D", padding="same"),
        "The padding is 'same' on all four convolutions.",
    ),
    ("cnn", change(2, pool_size=3), "The first MaxPooling2D has the pool size 3 instead of 2."),
    ("cnn", change(2, strides=1), "has the strides 1 instead of the pool size"),
    ("cnn", left_out(6), "The second MaxPooling2D is missing."),
    ("cnn", replaced(2, pool(kind="AveragePooling2D")), "AveragePooling2D(2) instead of MaxPool"),
    ("cnn", left_out(8), "Nothing flattens the input of layer 5, (None, 4, 4, 64)."),
    ("cnn", replaced(8, plain("GlobalAveragePooling2D")), "GlobalAveragePooling2D before layer 5"),
    ("cnn", left_out(10), "The third Dropout is missing."),
    (
        "cnn",
        alike([replaced(at, pool(kind="AveragePooling2D")) for at in (2, 6)]),
        "Two MaxPooling2D layers are AveragePooling2D instead.",
    ),
    ("cnn", moved(3, 1), "The first Dropout stands after layer 1 instead of after the first Max"),
    ("cnn", swapped(1, 2), "The first MaxPooling2D stands after layer 1 instead of after layer 2."),
    ("cnn", everywhere("Conv2D", use_bias=False), "No biases (use_bias=False) on all four conv"),
    (
        "small_cnn",
        everywhere("Conv2D", kernel_size=5),
        "The kernel size is 5 on both convolutions.",
    ),
    ("small_cnn", swapped(3, 6), "The first and second Dropout are swapped."),
    ("small_cnn", swapped(0, 1), "Layers 1 and 2 are swapped."),
    ("small_cnn", left_out(1), "Layer 2, Conv2D(64, 3, relu), is missing."),
    ("small_cnn", takes(32, 32, 1), "(None, 32, 32, 1) instead of (None, 28, 28, 1)"),
    (
        "cifar",
        everywhere("Conv2D", padding="same"),
        "The padding is 'same' on all four convolutions.",
    ),
    ("cifar", everywhere("Conv2D", padding="valid"), "The padding is 'valid' on all four"),
    ("cifar", change(4, padding="valid"), "Layer 3 has the padding valid instead of same."),
    ("cifar", change(9, 256), "Layer 5 has 256 units instead of 512."),
    ("cifar", left_out(4, 5, 6, 7), "Layer 3, layer 4, the second MaxPooling2D and the"),
    ("cifar", takes(28, 28, 1), "The input of layer 1 is (None, 28, 28, 1) instead of"),
    ("imdb", change(2, activation="softmax"), "Layer 3 has the activation softmax instead of sig"),
    ("imdb", change(2, activation="relu"), "Layer 3 has the activation relu instead of sigmoid."),
    ("imdb", change(2, 2), "Layer 3 has 2 units instead of 1."),
    ("imdb", takes(1_000), "(None, 1000) instead of (None, 10000)"),
    ("imdb_small", change(0, 16), "Layer 1 has 16 units instead of 4."),
    ("imdb_large", left_out(1), "Dense(512, relu), is missing."),
    (
        "imdb_dropout",
        moved(3, 4),
        "The second Dropout stands after layer 3 instead of after layer 2",
    ),
    (
        "imdb_dropout",
        moved(1, 2),
        "The first Dropout stands after layer 2 instead of after layer 1",
    ),
    ("cosine", change(0, return_sequences=True), "return_sequences=True instead of False"),
    ("cosine", change(0, 64), "Layer 1 has 64 units instead of 32."),
    ("cosine", takes(20, 2), "(None, 20, 2) instead of (None, 20, 1)"),
    ("cosine", change(2, activation="relu"), "Layer 2 has the activation relu instead of none."),
    ("stacked", left_out(1), "Layer 2, LSTM(32"),
    ("stacked", change(1, return_sequences=True), "return_sequences=True"),
    ("xor", change(0, use_bias=False), "Layer 1 has no biases"),
    ("xor", change(0, activation="sigmoid"), "Layer 1 has the activation sigmoid instead of tanh."),
    ("xor", change(0, 3), "Layer 1 has 3 units instead of 2."),
    (
        "both_ways",
        replaced(0, around("Bidirectional", lstm(32, return_sequences=True))),
        "Layer 1 has LSTM(32, return_sequences=True) inside instead of LSTM(16, return_sequences",
    ),
    (
        "both_ways",
        replaced(0, lstm(16, return_sequences=True)),
        "Layer 1 is LSTM(16, return_sequences=True) instead of Bidirectional(LSTM(16",
    ),
    ("both_ways", change(1, merge_mode="concat"), "the merge mode concat instead of sum"),
    (
        "each_step",
        replaced(1, around("TimeDistributed", dense(3))),
        "Layer 2 has Dense(3, linear) inside instead of Dense(3, softmax)",
    ),
    ("separable", change(0, 32), "Layer 1 has 32 filters instead of 16."),
    (
        "separable",
        replaced(0, conv(16)),
        "Layer 1 is Conv2D(16, 3, relu) instead of SeparableConv2D(16, 3, relu",
    ),
    ("separable", change(1, depth_multiplier=2), "the depth multiplier 2 instead of 1"),
]
PAIRS = [
    ("dense", (change(0, 256), change(1, use_bias=False)), ("256 units", "Layer 2 has no biases")),
    ("dense", (takes(28), bare(0)), ("(None, 28)", "Layer 1 has no activation")),
    ("mlp", (bare(0), change(1, 300)), ("Layer 1 has no activation", "300 units")),
    ("mlp", (change(0, 300), doubled(1)), ("Layer 1 has 300 units", "twice in a row")),
    ("deep", (left_out(3), change(0, 256)), ("The second Dropout is missing", "Layer 1 has 256")),
    (
        "deep",
        (change(1, rate=0.5), left_out(5)),
        ("first Dropout has the rate 0.5", "third Dropout is"),
    ),
    ("deep", (moved(3, 4), bare(0)), ("The second Dropout stands", "Layer 1 has no activation")),
    (
        "cnn",
        (change(0, kernel_size=5), left_out(3)),
        ("the kernel size 5", "first Dropout is missing"),
    ),
    (
        "cnn",
        (everywhere("Conv2D", padding="same"), change(9, 256)),
        ("The padding is 'same' on all four convolutions", "Layer 5 has 256 units"),
    ),
    ("cnn", (left_out(10), left_out(8)), ("Nothing flattens", "The third Dropout is missing")),
    (
        "cnn",
        (change(2, pool_size=3), change(11, 11)),
        ("the pool size 3", "11 units instead of 10"),
    ),
    (
        "small_cnn",
        (change(1, 32), takes(28, 28, 3)),
        ("32 filters instead of 64", "(None, 28, 28, 3)"),
    ),
    ("cifar", (left_out(6), change(0, use_bias=False)), ("second MaxPooling2D", "no biases")),
    ("cifar", (change(1, strides=3), left_out(3)), ("`Conv2D(32, 3, 3)`", "first Dropout is")),
    (
        "imdb",
        (change(0, 32), change(2, activation="relu")),
        ("32 units", "relu instead of sigmoid"),
    ),
    (
        "imdb_dropout",
        (change(1, rate=0.2), bare(2)),
        ("first Dropout has the rate 0.2", "no activation"),
    ),
    ("stacked", (change(0, 16), change(2, use_bias=False)), ("16 units", "no biases")),
    ("cosine", (left_out(1), change(0, 16)), ("The Dropout is missing", "Layer 1 has 16 units")),
    ("xor", (change(0, 4), change(1, activation="sigmoid")), ("4 units instead of 2", "sigmoid")),
]
TABLE = [(name, (edit,), (words,)) for name, edit, words in SINGLE] + PAIRS


def wanted(layers):
    """The network as an assignment names it: what only reshapes is left out."""
    return tuple(_wanted(*one) for one in layers if sort_of(one[0]) != "plumbing")


def _wanted(kind, units, activation, settings):
    inner = dict(settings.get("layer", {}))
    if inner:
        inside = inner.pop("class"), inner.pop("units"), inner.pop("activation"), inner
        settings = settings | {"layer": _wanted(*inside)}
    return layer(kind, units, activation or ("linear" if kind == "Dense" else None), **settings)


def compared(calculator, name, edits, *, exactly=True):
    shape, layers, _ = NETWORKS[name]
    named = wanted(layers)
    now = (shape, layers)
    for edit in edits:
        now = edit(*now)
    return Comparison(named, found_layers(calculator.card(*now), named), shape, exactly=exactly)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_courses_networks_have_the_courses_numbers(calculator, name):
    shape, layers, total = NETWORKS[name]
    assert calculator.card(shape, layers).trainable_params == total


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_beside_itself_differs_in_nothing(calculator, name):
    same = compared(calculator, name, ())
    assert same.met
    assert explain(same).edits == ()
    assert explain(same).proved
    assert {line.mark for line in same.side_by_side()} == {"same"}
    assert all(line.expected_params == line.found_params for line in same.side_by_side())


@pytest.mark.parametrize(("name", "edits", "words"), TABLE)
def test_what_was_done_to_a_network_is_named(calculator, name, edits, words):
    found = explain(compared(calculator, name, edits))
    named = all(part in found.words for part in words) and len(found.edits) == len(edits)
    assert named or len(found.edits) < len(edits), found.words
    assert found.complete
    assert found.proved


def test_the_table_is_large_enough():
    assert len(SINGLE) >= 60
    assert len(PAIRS) >= 15


def test_a_difference_that_the_assignment_leaves_open_is_none(calculator):
    edits = (everywhere("Conv2D", padding="same"), change(2, strides=1))
    shape, layers, _ = NETWORKS["cnn"]
    open_ends = tuple(layer(said.kind, said.units, said.activation) for said in wanted(layers))
    for edit in edits:
        shape, layers = edit(shape, layers)
    card = calculator.card(shape, layers)
    found = Comparison(open_ends, found_layers(card, open_ends))
    assert found.met
    lines = found.side_by_side()
    assert [line.expected_params for line in lines] == [line.found_params for line in lines]


def test_what_follows_from_a_difference_is_derived_and_not_blamed(calculator):
    lines = compared(calculator, "cnn", (change(0, 64),)).side_by_side()
    first, second = (line for line in lines if line.arithmetic)
    assert (first.mark, first.difference) == ("changed", "64 filters instead of 32")
    assert first.arithmetic == (
        "320 = (3 × 3 × 1 + 1) × 32; yours 640 = (3 × 3 × 1 + 1) × 64: 64 filters"
    )
    assert (second.mark, second.found_params) == ("same", 36_928)
    assert second.arithmetic.endswith("yours 36,928 = (3 × 3 × 64 + 1) × 64: 64 channels")


def test_missing_biases_are_derived(calculator):
    line = compared(calculator, "dense", (change(0, use_bias=False),)).side_by_side()[0]
    assert line.mark == "changed"
    assert line.arithmetic == (
        "401,920 = (784 + 1) × 512; yours 401,408 = 784 × 512: use_bias=False"
    )


def test_missing_biases_are_derived_and_not_blamed_where_they_are_left_open(calculator):
    edits = (change(0, use_bias=False), change(1, 9))
    left_open = compared(calculator, "dense", edits, exactly=False)
    assert explain(left_open).words == "Layer 2 has 9 units instead of 10."
    first, _ = left_open.side_by_side()
    assert (first.mark, first.difference) == ("same", "")
    assert first.arithmetic.endswith("yours 401,408 = 784 × 512: use_bias=False")


def test_of_too_many_differences_the_first_are_named(calculator):
    edits = [change(at, at + 1, "tanh") for at in (0, 1, 4, 5)]
    found = explain(compared(calculator, "cnn", edits))
    assert len(found.edits) > 2
    assert found.words.endswith("The table shows where more differs.")
    assert "Layer 1 has 1 filter instead of 32." in found.words


def test_a_network_too_long_to_compare_is_counted(calculator):
    found = compared(calculator, "softmax", (put_in(0, *[dense(10)] * 300),))
    assert explain(found).words == "There are 301 layers instead of 1."
    assert found.side_by_side() == ()


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("cifar", ()),
        ("cifar", (everywhere("Conv2D", padding="same"), change(9, 256))),
        ("cifar", tuple(change(at, at + 1, "tanh") for at in (0, 1, 4, 5, 9, 11))),
    ],
)
def test_the_search_takes_no_time_that_anybody_notices(calculator, name, edits):
    def seconds():
        began = time.process_time()
        found = compared(calculator, name, edits)
        built = time.process_time()
        explain(found)
        found.side_by_side()
        return time.process_time() - (built if edits else began)

    assert min(seconds() for _ in range(5)) < 0.02


@pytest.mark.keras
def test_the_calculator_counts_as_keras_does(calculator):
    networks = [NETWORKS[name][:2] for name in NETWORKS]
    networks += [
        edit(*NETWORKS[name][:2])
        for name, edit in (
            ("small_cnn", change(0, strides=3)),
            ("cifar", everywhere("Conv2D", padding="same")),
            ("cnn", left_out(8)),
            ("cnn", change(2, strides=1, padding="same")),
            ("cnn", replaced(8, plain("GlobalAveragePooling2D"))),
            ("stacked", change(0, use_bias=False)),
            ("stacked", put_in(1, plain("BatchNormalization"))),
        )
    ]
    networks.append(((None, 30), (embed(50, 8), plain("GlobalAveragePooling1D"), dense(1))))
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("build_networks.py")],
        input=json.dumps(networks),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    for (shape, layers), described in zip(networks, json.loads(ran.stdout), strict=True):
        ours = calculator.raw(shape, layers)
        assert [_known(theirs) for theirs in described["layers"]] == [
            _known(
                {
                    "kind": mine.kind,
                    "units": mine.units,
                    "activation": mine.activation,
                    "input_shape": mine.input_shape,
                    "output_shape": mine.output_shape,
                    "trainable_params": mine.trainable_params,
                    "non_trainable_params": mine.non_trainable_params,
                }
            )
            for mine in ours
        ]
        for mine, theirs in zip(ours, described["layers"], strict=True):
            assert _part(theirs["settings"], mine.settings) == mine.settings


def _part(theirs, mine):
    """What they say of that of which we say something."""
    return {
        key: _part(theirs[key], value) if isinstance(value, dict) else theirs[key]
        for key, value in mine.items()
    }


def _known(described):
    names = "kind units activation input_shape output_shape trainable_params non_trainable_params"
    return {name: described[name] for name in names.split()}
