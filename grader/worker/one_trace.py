"""Makes ahead what a training step would make when it is traced, so that it is traced once.

TensorFlow traces a step, finds that variables were made on the way (the optimizer's and the
metrics'), and traces it again without: for a small network that costs as much as an epoch. Here
they are made just before, by the very methods that would make them, in the same order and with the
same values. How often a step is traced can be noticed by Python code in it, a layer's, a loss's, a
schedule's; so this is done only where all of it is Keras' own.
"""

from typing import Any

import tensorflow as tf
from keras.src import backend


def make_ahead(model: Any, data: Any) -> bool:
    """Make a compiled model's optimizer and metrics ready for its first step.

    Args:
        model: About to be trained.
        data: The specification of its batches, ``(x, y)`` or ``(x, y, sample_weight)``.

    Returns:
        Whether anything was made.
    """
    optimizer, metrics = model.optimizer, model._compile_metrics
    if optimizer is None or optimizer.built or not model.trainable_weights:
        return False
    if not _is_kerases(model):
        return False
    with backend.name_scope(optimizer.name, caller=optimizer):
        optimizer.build(list(model.trainable_weights))
    if metrics is not None and not metrics.built:
        answers = model.outputs
        if len(answers) == 1 and len(data) > 1 and type(data[1]) is tf.TensorSpec:
            y = backend.KerasTensor(data[1].shape, backend.standardize_dtype(data[1].dtype))
            metrics.build(y, answers[0])
    return True


def _is_kerases(model: Any) -> bool:
    """Whether a model is built, and no Python code but Keras' own is part of its training."""
    if not getattr(model, "outputs", None):
        return False
    for layer in model._flatten_layers():
        own = "call" in vars(layer) or not (_is_of_keras(type(layer)) and layer.built)
        if own or not _is_of_keras(type(layer).call):
            return False
    try:
        return not _names_others([model.get_config(), model.get_compile_config()])
    except Exception:  # noqa: BLE001 - what cannot be written down is not Keras' own alone
        return False


def _names_others(config: Any) -> bool:
    """Whether what Keras writes down of a model names a function, or a class that is not Keras'."""
    if isinstance(config, list | tuple):
        return any(map(_names_others, config))
    if not isinstance(config, dict):
        return callable(config)
    kind = config.get("class_name")
    if kind in {"function", "__lambda__"} or (kind and config.get("registered_name")):
        return True
    return any(map(_names_others, config.values()))


def _is_of_keras(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).startswith("keras.src.")
