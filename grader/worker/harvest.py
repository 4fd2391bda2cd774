"""Takes out of the student's process what is to be judged: its models and facts of its arrays."""

import contextlib
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .facts import compile_facts

# Bound before any student code runs: replacing ``Model.save`` later changes nothing here.
_save_model = keras.saving.save_model
MOST_MODELS = 12
MOST_WEIGHTS = 1 << 16
"""Weights of one variable that are looked at to tell a state from another."""


def artefact(number: int) -> str:
    """The file name of a model in the work folder."""
    return f"model-{number}.keras"


def kind(model: Any) -> str:
    """How a model was written."""
    if isinstance(model, keras.Sequential):
        return "sequential"
    return "functional" if _is_functional(model) else "subclassed"


def _is_functional(model: Any) -> bool:
    return type(model).__name__ == "Functional" or (
        type(model) is keras.Model and hasattr(model, "operations")
    )


def save(model: Any, folder: Path, number: int) -> str:
    """Save a model as a ``.keras`` archive, replacing what was saved before in one step.

    A subclassed model whose ``call`` is made of Keras' own layers and operations is saved as the
    functional model it computes, so that it can be opened without the student's class.

    Returns:
        Why it could not be saved; empty when it was.
    """
    if number >= MOST_MODELS:
        return f"only the first {MOST_MODELS} models are kept"
    target = folder / artefact(number)
    # Keras looks at the extension, hence a temporary name that keeps it.
    temporary = folder / f".saving-{number}.keras"
    try:
        with (
            contextlib.redirect_stdout(None),
            contextlib.redirect_stderr(None),
            _keras_activations(model),
        ):
            _save_model(as_functional(model) if kind(model) == "subclassed" else model, temporary)
        temporary.replace(target)
    except Exception as error:  # noqa: BLE001 - whatever a student's layer raises is a finding
        return f"{type(error).__name__}: {error}"[:500]
    return ""


@contextlib.contextmanager
def _keras_activations(model: Any) -> Iterator[None]:
    """For as long as it is saved, let a model name Keras' own activations.

    ``activation=tf.nn.relu`` is ``"relu"``, but an archive that names a function of TensorFlow
    cannot be opened again without trusting it.
    """
    swapped = []
    for layer in model._flatten_layers():
        given = getattr(layer, "activation", None)
        known = _known_activation(given)
        if known is not None and known is not given:
            swapped.append((layer, given))
            layer.activation = known
    try:
        yield
    finally:
        for layer, given in swapped:
            layer.activation = given


def _known_activation(given: Any) -> Any:
    module = str(getattr(given, "__module__", ""))
    if not module.startswith(("tensorflow.", "keras.src.ops", "keras.ops")):
        return None
    name = str(getattr(given, "__name__", "")).removesuffix("_v2")
    return getattr(keras.activations, name, None)


def as_functional(model: Any) -> Any:
    """Rewrite a subclassed model as the functional model of its layers, weights shared.

    Raises:
        ValueError: It has seen no input, so its shape is unknown.
    """
    inputs = keras.Input(batch_shape=input_shape(model))
    return keras.Model(inputs, model.call(inputs), name=model.name)


def input_shape(model: Any) -> tuple[int | None, ...]:
    """Give the shape of the inputs that a subclassed model has seen.

    Raises:
        ValueError: It has seen none, or several.
    """
    # Of a model with a state of its own Keras notes no shape, but of its layers.
    parts = [model, *model.layers[:1]]
    noted = filter(None, (getattr(part, "_build_shapes_dict", None) for part in parts))
    shapes = [shape for known in itertools.islice(noted, 1) for shape in known.values()]
    if not model.built or len(shapes) != 1 or not isinstance(shapes[0], tuple):
        raise ValueError("the model has no single known input shape")
    keeps_state = any(getattr(layer, "stateful", False) for layer in model.layers)
    return shapes[0] if keeps_state else (None, *shapes[0][1:])


def found_models(models: list[Any], names: dict[str, Any]) -> list[Any]:
    """The recorded models, and after them those that only have a name."""
    every = list(models)
    for name, value in list(names.items()):
        if (
            not name.startswith("_")
            and isinstance(value, keras.Model)
            and not any(value is known for known in every)
        ):
            every.append(value)
    return every


def updates(model: Any) -> int:
    """Count the weight updates that a model's optimizer has made."""
    try:
        return int(model.optimizer.iterations.numpy())
    except Exception:  # noqa: BLE001 - not compiled, or an optimizer of the student's own
        return 0


def weights_state(model: Any) -> int:
    """Tell one state of a model's weights from another, by a part of them; 0 without weights."""
    state = 0
    try:
        for variable in model.trainable_variables:
            values = np.asarray(variable).ravel()
            part = values[:: len(values) // MOST_WEIGHTS + 1]
            state = zlib.crc32(part.tobytes(), state)
    except Exception:  # noqa: BLE001 - a student's own layer may do anything here
        return 0
    return state


def describe_found(
    model: Any, number: int, names: dict[str, Any], fits: int, problem: str
) -> dict[str, Any]:
    """Say of one model how it was written, named, compiled and trained."""
    return {
        "number": number,
        "variables": sorted(
            name
            for name, value in list(names.items())
            if value is model and not name.startswith("_")
        ),
        "kind": kind(model),
        "compiled": compile_facts(model),
        "fits": fits,
        "updates": updates(model),
        "artefact": "" if problem else artefact(number),
        "problem": problem,
    }
