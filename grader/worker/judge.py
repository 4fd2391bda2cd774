"""Opens a saved model and answers the held-out inputs; knows no label and runs no student code.

The host treats everything said here as hostile all the same: a model file may hold what Keras'
safe mode does not stop.
"""

import sys
import types
from pathlib import Path
from typing import Any

import keras

from .answering import answer, tell
from .describe import describe


def main(task: dict[str, Any]) -> None:
    """Describe and run one model.

    Says ``card`` or ``problem``, and its answers, see :func:`grader.worker.answering.answer`.

    Args:
        task: ``work`` (with ``model.keras`` and, in ``inputs``, the held-out inputs), ``forms``:
            how to present them, see :mod:`grader.judging.forms`; ``layers``: the source of the
            assignment's own, if it has any; ``seed``.
    """
    keras.utils.set_random_seed(task["seed"])
    try:
        model = keras.saving.load_model(
            Path(task["work"]) / "model.keras",
            custom_objects=_own(task.get("layers") or ""),
            compile=False,
            safe_mode=True,
        )
        card = describe(model)
    except Exception as error:  # noqa: BLE001 - anything may be wrong with a stranger's file
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        tell({"problem": "the model cannot be opened", "forms": []})
        return
    inputs = Path(task["work"]) / "inputs"
    answer(model, model.input_shape, inputs, task["forms"], card=card)


def _own(source: str) -> dict[str, Any]:
    """The instructor's layers and functions, by the names under which Keras may have saved them."""
    module = types.ModuleType("own_layers")
    sys.modules[module.__name__] = module  # Keras looks a class's module up
    exec(compile(source, "own_layers.py", "exec"), vars(module))  # noqa: S102 - the instructor's
    found: dict[str, Any] = {}
    for name, item in vars(module).items():
        if callable(item) and getattr(item, "__module__", "") == module.__name__:
            registered = keras.saving.get_registered_name(item)
            found |= {name: item, f"Custom>{name}": item, registered: item}
    return found
