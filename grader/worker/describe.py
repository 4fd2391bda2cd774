"""Reads a model's structure off the built model: no compiling, no training, no change."""

from typing import Any

import keras

# What a check may ask of a layer, by Keras' own argument names.
SETTINGS = (
    "activity_regularizer", "alpha", "axis", "bias_constraint", "bias_initializer",
    "bias_regularizer", "bidirectional", "data_format", "depth_multiplier", "dilation_rate",
    "dtype", "factor", "function", "go_backwards", "groups", "input_dim", "kernel_constraint",
    "kernel_initializer", "kernel_regularizer", "kernel_size", "max_value", "mean", "merge_mode",
    "momentum", "negative_slope", "noise_shape", "offset", "output_dim", "padding", "pool_size",
    "rate", "recurrent_activation", "recurrent_dropout", "return_sequences", "return_state",
    "scale", "seed", "size", "stateful", "stddev", "strides", "target_shape", "threshold",
    "trainable", "use_bias", "value", "variance",
)  # fmt: skip
DEEPEST = 20
MOST_LAYERS = 5000


def describe(model: Any) -> dict[str, Any]:
    """Describe a built model.

    Returns:
        ``input_shape``, ``output_shape`` (lists with ``None`` for the batch; a list of shapes for
        several), ``trainable_params`` and ``non_trainable_params`` (shared weights once), and
        ``layers`` in topological order with nested models inlined, each with the names of the
        layers that feed it.
    """
    return {
        "input_shape": _shape(model.input_shape),
        "output_shape": _shape(model.output_shape),
        "trainable_params": _count(model.trainable_weights),
        "non_trainable_params": _count(model.non_trainable_weights),
        "layers": _layers(model, depth=0)[:MOST_LAYERS],
    }


def _layers(model: Any, depth: int) -> list[dict[str, Any]]:
    if depth > DEEPEST:
        raise ValueError(f"models are nested more than {DEEPEST} deep")
    found: list[dict[str, Any]] = []
    for operation in _operations(model):
        if isinstance(operation, keras.layers.InputLayer):
            continue
        if hasattr(operation, "layers") and isinstance(operation, keras.Model):
            found += _layers(operation, depth + 1)
        else:
            found.append(_layer(operation))
    return found


def _operations(model: Any) -> list[Any]:
    """The operations in topological order; a functional model's include ``keras.ops`` calls."""
    operations = getattr(model, "operations", None)
    if operations is None or isinstance(model, keras.Sequential):
        operations = model.layers
    return list(operations)


def _layer(operation: Any) -> dict[str, Any]:
    is_layer = isinstance(operation, keras.layers.Layer)
    node = operation._inbound_nodes[0] if operation._inbound_nodes else None
    return {
        "name": str(operation.name),
        "kind": type(operation).__name__,
        "is_layer": is_layer,
        "units": _units(_config(operation)),
        "activation": _activation(operation),
        "input_shape": _shape(_first(node.input_tensors if node else None)),
        "output_shape": _shape(_first(node.output_tensors if node else None)),
        "trainable_params": _count(operation.trainable_weights) if is_layer else 0,
        "non_trainable_params": _count(operation.non_trainable_weights) if is_layer else 0,
        "settings": _settings(operation),
        "inbound": [parent.operation.name for parent in node.parent_nodes] if node else [],
        "uses": len(operation._inbound_nodes),
    }


def _settings(operation: Any, depth: int = 0) -> dict[str, Any]:
    """The arguments by Keras' names; of a layer around another one also that, as ``layer``."""
    config = _config(operation)
    found = {key: _setting(config[key]) for key in SETTINGS if config.get(key) is not None}
    inner = getattr(operation, "forward_layer", getattr(operation, "layer", None))
    if isinstance(inner, keras.layers.Layer) and depth < DEEPEST:
        found["layer"] = {
            "class": type(inner).__name__,
            "units": _units(_config(inner)),
            "activation": _activation(inner),
            **_settings(inner, depth + 1),
        }
    return found


def _config(operation: Any) -> dict[str, Any]:
    try:
        return dict(operation.get_config())
    except Exception:  # noqa: BLE001 - an operation need not have one
        return {}


def _units(config: dict[str, Any]) -> int | None:
    units = config.get("units", config.get("filters"))
    return units if isinstance(units, int) else None


def _activation(operation: Any) -> str:
    """The activation's canonical name; a layer given as ``activation=`` counts by its class."""
    activation = getattr(operation, "activation", None)
    if activation is None:
        return "linear"
    if isinstance(activation, keras.layers.Layer):
        return type(activation).__name__.lower()
    return str(getattr(activation, "__name__", type(activation).__name__))


def _setting(value: Any) -> Any:
    """A plain value; a serialised object becomes its class with its own plain values."""
    if isinstance(value, dict):
        if "class_name" in value:
            inner = value.get("config")
            plain = (
                {k: v for k, v in inner.items() if isinstance(v, bool | int | float | str)}
                if isinstance(inner, dict)
                else {}
            )
            return {"class": str(value["class_name"]), **plain}
        return str(value)
    if isinstance(value, list | tuple):
        return [
            item if isinstance(item, bool | int | float | str) else str(item) for item in value
        ][:8]
    return value if isinstance(value, bool | int | float | str) else str(value)


def _first(tensors: Any) -> Any:
    return tensors[0].shape if tensors else None


def _shape(shape: Any) -> Any:
    if shape is None:
        return []
    if isinstance(shape, dict):
        return [_shape(item) for item in shape.values()]
    if isinstance(shape, list) or (shape and isinstance(shape[0], tuple | list)):
        return [_shape(item) for item in shape]
    return [None if axis is None else int(axis) for axis in shape]


def _count(weights: list[Any]) -> int:
    unique = {id(weight): weight for weight in weights}
    total = 0
    for weight in unique.values():
        size = 1
        for axis in weight.shape:
            size *= int(axis)
        total += size
    return total
