"""Networks as plain data on stdin → what Keras makes of them, as the judge describes it."""

import json
import sys

import keras

from grader.worker.describe import describe


def layer(kind, units, activation, settings):
    given = dict(settings)
    if "layer" in given:
        inner = dict(given.pop("layer"))
        given["layer"] = layer(
            inner.pop("class"), inner.pop("units"), inner.pop("activation"), inner
        )
    if units is not None:
        given["filters" if "Conv" in kind else "units"] = units
    if activation is not None:
        given["activation"] = activation
    return getattr(keras.layers, kind)(**given)


def network(shape, layers):
    return keras.Sequential([keras.Input(shape[1:]), *(layer(*one) for one in layers)])


json.dump([describe(network(*one)) for one in json.load(sys.stdin)], sys.stdout)
