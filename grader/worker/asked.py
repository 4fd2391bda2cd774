"""Has a model with code of its own answer the held-out inputs, where no judge can open it.

That is after everything else. What it is, is told first; the inputs come once the host has taken
all that comes out of the run, and whatever happens from then on is told in numbers alone.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from .answering import answer, keeps_state
from .channel import end_events, handed_in, send
from .describe import describe
from .harvest import as_functional, input_shape, kind
from .silence import become_silent

MOST_MODELS = 12


def be_asked(models: list[Any], work: Path, seed: int) -> None:
    """Describe the models, wait for what is asked of one of them, and answer.

    What is handed in is a JSON line with ``model`` (its number), ``forms`` and ``files`` (names and
    sizes of the held-out inputs), and behind it these files; or nothing, when no model is asked.

    Args:
        models: Those that were found in the run.
        work: The folder of the run.
        seed: What random generators begin with.
    """
    become_silent()
    send("described", models=[_described(model) for model in models[:MOST_MODELS]])
    send("ready")
    end_events()  # a prediction is recorded, and a layer may predict
    line, _, rest = handed_in().partition(b"\n")
    if not line:
        return
    asked = json.loads(line)
    model = models[asked["model"]]
    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as folder:
        _lay_out(Path(folder), asked["files"], rest)
        keras.utils.set_random_seed(seed)
        answer(model, _takes(model), Path(folder), asked["forms"])


def _described(model: Any) -> dict[str, Any]:
    """Say what a model is, as far as it can be read off it."""
    said: dict[str, Any] = {"card": None, "keeps_state": True}
    # a layer of the student's own may do anything when it is looked at
    with contextlib.suppress(Exception):
        said["keeps_state"] = keeps_state(model)
        said["card"] = describe(as_functional(model) if kind(model) == "subclassed" else model)
    return said


def _takes(model: Any) -> Any:
    """The shape of its inputs; of a model that has seen none, nothing that would fit it."""
    ways: tuple[Callable[[], Any], ...] = (lambda: model.input_shape, lambda: input_shape(model))
    for way in ways:
        with contextlib.suppress(Exception):
            return way()
    return None


def _lay_out(folder: Path, files: list[tuple[str, int]], data: bytes) -> None:
    start = 0
    for name, size in files:
        (folder / name).write_bytes(data[start : start + size])
        start += size
