"""The course's networks as plain data, and a calculator that makes a model's card of them.

It knows the formulas by itself: nothing of the grader's own arithmetic is in it.
"""

import math
from types import SimpleNamespace

import pytest

from grader.checks import Unmet
from grader.normal_form import RawLayer, normal_form
from grader.records import CompileFacts, ModelCard

FIXED = {"use_bias": True}


def _window(length, size, step, padding):
    return math.ceil(length / step) if padding == "same" else (length - size) // step + 1


def _of(layer, shape):  # noqa: PLR0911 - one for each kind of layer
    """Parameters, output and Keras' settings of one layer."""
    kind, units, _, own = layer
    if kind == "Dense":
        settings = FIXED | own
        return units * (shape[-1] + settings["use_bias"]), (*shape[:-1], units), settings
    if kind == "Conv2D":
        usual = {"strides": 1, "padding": "valid", "dilation_rate": 1, "groups": 1}
        settings = FIXED | usual | own
        size, step, padding = (settings[key] for key in ("kernel_size", "strides", "padding"))
        sides = tuple(_window(length, size, step, padding) for length in shape[1:3])
        settings |= {
            key: [settings[key]] * 2 for key in ("kernel_size", "strides", "dilation_rate")
        }
        return (
            units * (size * size * shape[3] + settings["use_bias"]),
            (None, *sides, units),
            settings,
        )
    if kind.endswith("Pooling2D") and not kind.startswith("Global"):
        settings = {"strides": own["pool_size"], "padding": "valid"} | own
        size, step, padding = (settings[key] for key in ("pool_size", "strides", "padding"))
        sides = tuple(_window(length, size, step, padding) for length in shape[1:3])
        settings |= {key: [settings[key]] * 2 for key in ("pool_size", "strides")}
        return 0, (None, *sides, shape[3]), settings
    if kind == "LSTM":
        settings = FIXED | {"return_sequences": False} | own
        params = 4 * ((units + shape[-1]) * units + units * settings["use_bias"])
        steps = shape[1:2] if settings["return_sequences"] else ()
        return params, (None, *steps, units), settings
    if kind in ("SeparableConv2D", "DepthwiseConv2D"):
        usual = {"strides": 1, "padding": "valid", "dilation_rate": 1, "depth_multiplier": 1}
        settings = FIXED | usual | own
        size, step, padding = (settings[key] for key in ("kernel_size", "strides", "padding"))
        sides = tuple(_window(length, size, step, padding) for length in shape[1:3])
        settings |= {
            key: [settings[key]] * 2 for key in ("kernel_size", "strides", "dilation_rate")
        }
        made = shape[3] * settings["depth_multiplier"]
        width = units or made
        return (
            size * size * made + (made * width if units else 0) + width * settings["use_bias"],
            (None, *sides, width),
            settings,
        )
    if kind in ("Bidirectional", "TimeDistributed"):
        inner = dict(own["layer"])
        inner = inner.pop("class"), inner.pop("units"), inner.pop("activation"), inner
        each = kind == "TimeDistributed"
        params, output, settings = _of(inner, (None, *shape[2:]) if each else shape)
        described = own["layer"] | settings
        if each:
            return params, (*shape[:2], *output[1:]), {"layer": described}
        both = 2 if own.get("merge_mode", "concat") == "concat" else 1
        settings = {"merge_mode": "concat"} | own | {"layer": described}
        return 2 * params, (*output[:-1], both * output[-1]), settings
    if kind == "Embedding":
        return own["input_dim"] * own["output_dim"], (*shape, own["output_dim"]), own
    if kind == "BatchNormalization":
        return 4 * shape[-1], shape, {"axis": -1} | own
    outputs = {
        "Flatten": (None, math.prod(shape[1:])),
        "GlobalAveragePooling2D": (None, shape[-1]),
        "GlobalAveragePooling1D": (None, shape[-1]),
    }
    return 0, outputs.get(kind, shape), own


def raw_layers(shape, layers):
    made = []
    for place, layer in enumerate(layers):
        kind, units, activation, _ = layer
        params, output, settings = _of(layer, shape)
        frozen = params // 2 if kind == "BatchNormalization" else 0
        made.append(
            RawLayer(
                name=f"{kind.lower()}_{place}",
                kind=kind,
                is_layer=True,
                units=units,
                activation=activation or "linear",
                input_shape=list(shape),
                output_shape=list(output),
                trainable_params=params - frozen,
                non_trainable_params=frozen,
                settings=settings,
            )
        )
        shape = output
    return made


def card_of(shape, layers, **changes):
    made = raw_layers(shape, layers)
    facts = {
        "layers": normal_form(made),
        "input_shape": shape,
        "output_shape": tuple(made[-1].output_shape),
        "trainable_params": sum(one.trainable_params for one in made),
        "non_trainable_params": sum(one.non_trainable_params for one in made),
        "compiled": CompileFacts(
            loss="categorical_crossentropy",
            from_logits=False,
            optimizer="RMSprop",
            learning_rate=0.001,
        ),
    }
    return ModelCard(**(facts | changes))


@pytest.fixture(scope="session")
def calculator():
    """``calculator.card(input_shape, layers)`` and ``calculator.raw(input_shape, layers)``."""
    return SimpleNamespace(card=card_of, raw=raw_layers)


# ------------------------------------------------------------------ words


def _said(expectation, *args, **kwargs):
    try:
        expectation(*args, **kwargs)
    except Unmet as error:
        unmet = error
    else:
        return None
    assert unmet.expected
    assert unmet.received
    return str(unmet)


def _judge(wrong, expectation, *args, **kwargs):
    words = _said(expectation, *args, **kwargs)
    if wrong is None:
        assert words is None
    else:
        assert words is not None
        assert wrong in words


@pytest.fixture
def said():
    """Give what an unmet expectation says, or nothing when it is met."""
    return _said


@pytest.fixture
def judge():
    """Compare what an expectation says with what it ought to say; ``None`` when it is met."""
    return _judge
