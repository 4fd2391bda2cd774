"""Code for an older Keras → what it is called now.

Slides, books and answers on the web are full of it. The names are those of Keras 1 and 2, of
multi-backend ``keras`` and of TensorFlow 1; what each became is in the release notes of Keras 2.0
and in the guide "Migrating Keras 2 code to Keras 3".
"""

import re
from collections.abc import Mapping, Sequence

from grader.records import ErrorFacts, FitRecord

ARGUMENTS: Mapping[str, str] = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "lr": "learning_rate",
    "nb_classes": "num_classes",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "nb_val_samples": "validation_steps",
    "nb_words": "num_words",
    "output_dim": "units",
    "p": "rate",
    "samples_per_epoch": "steps_per_epoch",
    "subsample": "strides",
}
"""Arguments by their old names."""

ATTRIBUTES: Mapping[str, str] = {
    "evaluate_generator": "`evaluate` takes generators as well",
    "fit_generator": "`fit` takes generators as well",
    "input_shape": "the shape that a layer takes is `layer.input.shape`",
    "lr": "the rate of an optimizer is `learning_rate`",
    "output_shape": "the shape that a layer gives is `layer.output.shape`",
    "predict_classes": (
        "`predict` gives numbers, one for each class: the class is where the largest stands "
        "(`argmax`), or with a single sigmoid unit whether it is above 0.5"
    ),
    "predict_generator": "`predict` takes generators as well",
    "predict_proba": "`predict` gives these numbers",
    "reset_states": "not the model has states but its layers: each stateful one has `reset_states`",
}
"""Of models, layers and optimizers."""

FOLDERS: Mapping[str, str] = {
    "keras.engine": "its classes are in `keras` and `keras.layers`",
    "keras.initializations": "it is called `keras.initializers`",
    "keras.layers.advanced_activations": "all layers are in `keras.layers`",
    "keras.layers.convolutional": "all layers are in `keras.layers`",
    "keras.layers.core": "all layers are in `keras.layers`",
    "keras.layers.embeddings": "all layers are in `keras.layers`",
    "keras.layers.merge": "all layers are in `keras.layers`",
    "keras.layers.noise": "all layers are in `keras.layers`",
    "keras.layers.normalization": "all layers are in `keras.layers`",
    "keras.layers.pooling": "all layers are in `keras.layers`",
    "keras.layers.recurrent": "all layers are in `keras.layers`",
    "keras.layers.wrappers": "all layers are in `keras.layers`",
    "keras.objectives": "it is called `keras.losses`",
    "keras.preprocessing.image.ImageDataGenerator": (
        "it is in `tensorflow.keras.preprocessing.image` only"
    ),
    "keras.preprocessing.text": "it is called `tensorflow.keras.preprocessing.text`",
    "keras.utils.np_utils": "its functions are in `keras.utils`, e.g. `keras.utils.to_categorical`",
    "keras.utils.vis_utils": "its functions are in `keras.utils`, e.g. `keras.utils.plot_model`",
    "keras.wrappers.scikit_learn": (
        "`keras.wrappers` has `SKLearnClassifier` and `SKLearnRegressor`"
    ),
    "tensorflow.contrib": "that was TensorFlow 1; Keras has most of it",
}
"""Modules, and names in them, that are elsewhere now."""

CLASSES: Mapping[str, str] = {
    "CuDNNGRU": "`GRU` uses cuDNN by itself where it can",
    "CuDNNLSTM": "`LSTM` uses cuDNN by itself where it can",
    "Merge": "there is a layer for each way: `Concatenate`, `Add`, `Multiply` …",
    "adadelta": "the class is called `Adadelta`",
    "adagrad": "the class is called `Adagrad`",
    "adam": "the class is called `Adam`",
    "adamax": "the class is called `Adamax`",
    "merge": "there is a layer for each way: `Concatenate`, `Add`, `Multiply` …",
    "nadam": "the class is called `Nadam`",
    "rmsprop": "the class is called `RMSprop`",
    "sgd": "the class is called `SGD`",
}
"""Of ``keras.layers`` and ``keras.optimizers``."""

OPERATIONS = frozenset({
    "abs", "argmax", "argmin", "cast", "clip", "concatenate", "cos", "dot", "equal", "exp",
    "expand_dims", "greater", "int_shape", "less", "log", "max", "maximum", "mean", "min",
    "minimum", "not_equal", "ones_like", "pow", "prod", "relu", "reshape", "round", "shape",
    "sigmoid", "sign", "sin", "softmax", "sqrt", "square", "squeeze", "stack", "std", "sum",
    "tanh", "transpose", "var", "zeros_like",
})  # fmt: skip
"""Functions that ``keras.backend`` had and ``keras.ops`` has, by the same name."""

FIRST_VERSION = frozenset({
    "ConfigProto", "GPUOptions", "Session", "get_default_graph", "global_variables_initializer",
    "placeholder", "reset_default_graph", "set_random_seed",
})  # fmt: skip
"""What only TensorFlow 1 had in ``tensorflow``."""

_UNKNOWN = re.compile(
    r"(?:not recognized: |keyword arguments passed to (?P<layer>\w+): )\{(?P<given>.*)\}", re.DOTALL
)
_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(?P<name>\w+)'")
_MISSING = re.compile(r"missing \d+ required positional arguments?: .*'(?:units|filters|rate)'")
_ATTRIBUTE = re.compile(r"'\w+' object has no attribute '(?P<name>\w+)'")
_OF_MODULE = re.compile(r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'")
_NO_MODULE = re.compile(r"No module named '(?P<module>[\w.]+)'")
_NO_NAME = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")
_METRIC = re.compile(r"'(?P<key>(?:val_)?\w*acc\w*)'|'(?P<loss>val_loss)'")
_BATCH_SHAPE = "batch_input_shape"


def renamed(error: ErrorFacts, fits: Sequence[FitRecord] = ()) -> str:
    """Say what an old name has become; empty where there is none in this error."""
    if error.kind in ("ValueError", "TypeError"):
        return _arguments(error)
    if error.kind == "AttributeError":
        return _attribute(error.message)
    if error.kind in ("ImportError", "ModuleNotFoundError"):
        return _import(error.message)
    if error.kind == "KeyError":
        return _history(error, fits)
    return ""


def _arguments(error: ErrorFacts) -> str:
    names: list[str] = []
    if found := _UNKNOWN.search(error.message):
        names = re.findall(r"'(\w+)':", found["given"])
    elif found := _UNEXPECTED.search(error.message):
        names = [found["name"]]
    elif _MISSING.search(error.message):
        names = re.findall(r"\b(output_dim|nb_filter|p)\s*=", error.traceback)
    if _BATCH_SHAPE in names:
        return (
            f"No layer takes `{_BATCH_SHAPE}` any more: the network begins with "
            "`keras.Input(batch_shape=…)`."
        )
    known = dict.fromkeys(name for name in names if name in ARGUMENTS)
    return " ".join(f"`{name}` is called `{ARGUMENTS[name]}` now." for name in known)


def _attribute(message: str) -> str:
    if found := _OF_MODULE.search(message):
        module, name = found["module"], found["name"]
        if module.endswith("keras.backend") and name in OPERATIONS:
            return f"Functions on arrays are in `keras.ops` now: `keras.ops.{_operation(name)}`."
        if module == "tensorflow" and name in FIRST_VERSION:
            return f"`tf.{name}` was TensorFlow 1: today code runs at once, without sessions."
        return _class(module, name)
    if (found := _ATTRIBUTE.search(message)) and found["name"] in ATTRIBUTES:
        return f"`{found['name']}` is gone: {ATTRIBUTES[found['name']]}."
    return ""


def _operation(name: str) -> str:
    return "shape" if name == "int_shape" else name


def _import(message: str) -> str:
    if found := _NO_NAME.search(message):
        module, name = found["module"], found["name"]
        return _class(module, name) or _folder(f"{module}.{name}")
    if found := _NO_MODULE.search(message):
        return _folder(found["module"])
    return ""


def _folder(module: str) -> str:
    """What became of a module, or of the one above it."""
    plain = module.removeprefix("tensorflow.") if module.startswith("tensorflow.keras") else module
    for old, new in FOLDERS.items():
        if plain == old or plain.startswith(f"{old}."):
            return f"There is no `{old}` any more: {new}."
    return ""


def _class(module: str, name: str) -> str:
    if module.endswith(("keras.layers", "keras.optimizers")) and name in CLASSES:
        return f"There is no `{name}` any more: {CLASSES[name]}."
    return ""


def _history(error: ErrorFacts, fits: Sequence[FitRecord]) -> str:
    """A key that the history of no training has."""
    found = _METRIC.fullmatch(error.message.strip())
    if found is None or "history" not in error.traceback or not fits:
        return ""
    key, kept = found["key"] or found["loss"], list(fits[-1].history)
    if not kept or key in kept:
        return ""
    has = ", ".join(f"`{name}`" for name in kept)
    if key.startswith("val_") and not any(name.startswith("val_") for name in kept):
        return f"The training had no validation data: its history has {has}."
    return f"The history has {has}: a metric is called as `compile` was told."
