"""What holds for any two networks, however strange."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.alignment import GAP, align, cost
from grader.checks.arithmetic import numbers
from grader.checks.edits import explain
from grader.checks.layers import as_said, brief, differing, layer
from grader.checks.network import Comparison, found_layers
from grader.records import LayerCard, ModelCard

KINDS = ("Dense", "Conv2D", "MaxPooling2D", "AveragePooling2D", "Dropout", "LSTM", "GRU", "Strange")
SAID = st.builds(
    layer,
    st.sampled_from(KINDS),
    st.sampled_from([None, 1, 10, 32]),
    st.sampled_from([None, "relu", "softmax", "linear"]),
    padding=st.sampled_from([None, "same", "valid"]),
    kernel_size=st.sampled_from([None, 3, (3, 3), [5, 3]]),
    rate=st.sampled_from([None, 0.25, 0.5]),
    use_bias=st.sampled_from([None, True, False]),
)
NETWORKS = st.lists(SAID, max_size=8)

SETTINGS = (
    *("kernel_size", "strides", "padding", "pool_size", "use_bias", "rate", "input_dim"),
    *("output_dim", "groups", "axis", "return_sequences", "dilation_rate", "data_format"),
    *("scale", "kernel_regularizer"),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)
SHAPES = st.lists(st.none() | st.integers(-3, 40), max_size=5).map(tuple)
CARDS = st.builds(
    LayerCard,
    name=st.text(max_size=5),
    kind=st.sampled_from((*KINDS, "Conv1D", "Embedding", "BatchNormalization", "Flatten", "ReLU")),
    role=st.sampled_from(("layer", "plumbing", "preprocessing", "regularisation", "operation")),
    units=st.none() | st.integers(),
    activation=st.sampled_from(("linear", "relu", "\x1b[31m")),
    input_shape=SHAPES,
    output_shape=SHAPES,
    trainable_params=st.integers(0, 10**12),
    non_trainable_params=st.integers(0, 10),
    settings=st.dictionaries(
        st.sampled_from(SETTINGS),
        ANYTHING,
    ),
)
MODELS = st.lists(CARDS, max_size=6).map(
    lambda layers: ModelCard(
        layers=tuple(layers),
        input_shape=(None, 3),
        output_shape=(None, 3),
        trainable_params=7,
        non_trainable_params=0,
        compiled=None,
    )
)


@settings(deadline=None)
@given(NETWORKS, NETWORKS)
def test_every_layer_of_both_networks_stands_in_the_alignment_once_and_in_order(left, right):
    for early in (False, True):
        pairs, _ = align(left, right, early=early)
        assert [one for one, _ in pairs if one is not None] == list(range(len(left)))
        assert [other for _, other in pairs if other is not None] == list(range(len(right)))
        assert (None, None) not in pairs


@settings(deadline=None)
@given(NETWORKS, NETWORKS)
def test_the_cost_is_the_same_from_both_sides_and_that_of_the_lines(left, right):
    pairs, there = align(left, right)
    _, back = align(right, left)
    lines = [
        GAP if one is None or other is None else cost(left[one], right[other])
        for one, other in pairs
    ]
    assert there == pytest.approx(back)
    assert there == pytest.approx(sum(lines))
    assert there <= GAP * (len(left) + len(right))


@settings(deadline=None)
@given(NETWORKS)
def test_a_network_beside_itself_costs_nothing_and_differs_in_nothing(network):
    pairs, apart = align(network, network)
    assert apart == 0
    assert not any(differing(network[one], network[other]) for one, other in pairs)


@settings(deadline=None)
@given(MODELS)
def test_a_model_that_is_wanted_as_it_is_meets_its_own_description(card):
    said = [as_said(found) for found in card.layers if found.role == "layer"]
    wanted = tuple(said)
    compared = Comparison(wanted, found_layers(card, wanted))
    found = explain(compared)
    if len(compared.found) == len(wanted):
        assert compared.met
        assert found.edits == ()


@settings(deadline=None)
@given(MODELS, st.lists(SAID, max_size=5), st.booleans())
def test_whatever_a_model_says_of_itself_it_is_compared(card, wanted, exactly):
    compared = Comparison(
        tuple(wanted), found_layers(card, wanted), (None, 28, 28, 1), exactly=exactly
    )
    found = explain(compared)
    assert compared.met or found.edits
    assert found.words or compared.met
    lines = compared.side_by_side()
    assert sum(bool(line.found) for line in lines) == len(compared.found)
    assert sum(bool(line.expected) for line in lines) == len(wanted)


@settings(deadline=None)
@given(CARDS, SHAPES)
def test_the_arithmetic_of_nonsense_is_unknown_and_no_crash(card, shape):
    made = numbers(as_said(card), shape)
    assert made.params is None or isinstance(made.params, int)
    assert len(str(brief(as_said(card)))) < 1000
