"""Watches what student code does with ``keras.Model``: compile, fit, evaluate and predict.

The methods of the class are wrapped, never ``Layer.__init__`` (Keras inspects its signature) and
never an argument of a call, so that the student's code sees what it would see without us.
"""

import functools
import inspect
import math
import time
from collections.abc import Callable
from numbers import Real
from typing import Any

import keras

from .budget import Budget
from .channel import send
from .facts import array_facts, compile_facts
from .harvest import updates, weights_state
from .hooks import after
from .joined import JoinedSteps
from .overlap import Overlap

MOST_EVALUATIONS = 1000
"""Calls of ``evaluate`` and ``predict`` that are described; not all of a loop over samples."""

MOST_SAID = 10**15
"""Epochs or samples in a batch; more are told as so many."""

WATCHED = ("compile", "fit", "evaluate", "predict", "save", "train_step", "test_step")
"""Methods that nobody needs to replace in the class itself."""


class Recorder:
    """Keeps every model that was compiled or fitted; tells the host of ``fit`` and ``evaluate``.

    Args:
        save: Called with a model and its number after each ``fit``, so that what was learnt
            survives whatever the code does next.
        budget: Ends a ``fit`` that takes more than it may.
        joined: Makes a ``fit`` faster.
        overlap: Tells whose rows enter.
    """

    def __init__(
        self,
        save: Callable[[Any, int], None],
        budget: Budget,
        joined: JoinedSteps,
        overlap: Overlap,
    ) -> None:
        self.models: list[Any] = []
        self.fits: dict[int, int] = {}
        self.cell = 0
        self._evaluations = 0
        self._evaluating: list[_Evaluation] = []
        self._save = save
        self._budget = budget
        self._joined = joined
        self._overlap = overlap
        self._trained: dict[int, int] = {}
        """State of the weights after a training → the model's number."""
        self._passed: set[int] = set()
        """States of weights after an epoch: a checkpoint may bring one of them back."""
        self._methods: dict[str, Any] = {}

    def number(self, model: Any) -> int:
        """Give a model's place in the list, adding it when it is new."""
        for place, known in enumerate(self.models):
            if known is model:
                return place
        self.models.append(model)
        return len(self.models) - 1

    def install(self) -> None:
        """Wrap the methods of ``keras.Model``; before the student's first line."""
        self._wrap_compile()
        self._wrap_fit()
        self._wrap_evaluate()
        for method in ("predict", "predict_on_batch"):
            self._wrap_predict(method)
        self._watch_epochs()
        self._budget.install()
        self._joined.install()
        self._methods = {name: getattr(keras.Model, name, None) for name in WATCHED}

    def by_fit(self, model: Any) -> bool | None:
        """Whether a model's weights are what a recorded ``fit`` left, in its end or on its way."""
        state = weights_state(model)
        return None if not state else state in self._trained or state in self._passed

    def patched(self) -> list[str]:
        """Name the methods of ``keras.Model`` that are not what they were at the beginning."""
        return [
            name
            for name, method in self._methods.items()
            if getattr(keras.Model, name, None) is not method
        ]

    def _wrap_compile(self) -> None:
        original = keras.Model.compile

        @functools.wraps(original)
        def compile(model: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A001 - Keras' name
            result = original(model, *args, **kwargs)
            self.number(model)
            return result

        keras.Model.compile = compile

    def _wrap_fit(self) -> None:
        original = keras.Model.fit
        signature = inspect.signature(original)

        @functools.wraps(original)
        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            number = self.number(model)
            given = _arguments(signature, model, args, kwargs)
            facts = _fit_facts(given) | self._rows_of_fit(given)
            state, compiled = weights_state(model), _compiled(model)
            send("fit_started", model=number, cell=self.cell, epochs=facts["epochs"])
            before, start, completed = updates(model), time.perf_counter(), False
            training = None
            try:
                with self._budget.fit(model, number) as training, self._joined.fit(model):
                    result = original(model, *args, **kwargs)
                completed = True
                return result
            finally:
                self.fits[number] = self.fits.get(number, 0) + 1
                history = getattr(getattr(model, "history", None), "history", None)
                record = {
                    "model": number,
                    "cell": self.cell,
                    "compiled": compiled,
                    "updates": updates(model) - before,
                    "history": _curves(history) if isinstance(history, dict) else {},
                    "completed": completed,
                    "seconds": time.perf_counter() - start,
                    "stopped_by": training.stopped_by if training else "",
                    "continues": self._trained.get(state),
                }
                learnt = weights_state(model)
                if learnt not in (0, state):
                    self._trained[learnt] = number
                changed = learnt != state if learnt and state else None
                send("fit", fit=facts | record | {"changed": changed})
                self._save(model, number)

        keras.Model.fit = fit

    def _rows_of_fit(self, given: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._overlap.fit(
                given.get("x"),
                given.get("y"),
                given.get("validation_data"),
                _number(given.get("validation_split")),
            )
        except Exception:  # noqa: BLE001 - no mistake of ours may become the student's
            return {}

    def _rows_of_evaluation(self, given: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._overlap.evaluation(given.get("x"), given.get("y"))
        except Exception:  # noqa: BLE001 - no mistake of ours may become the student's
            return {}

    def _wrap_evaluate(self) -> None:
        original = keras.Model.evaluate
        signature = inspect.signature(original)

        @functools.wraps(original)
        def evaluate(model: Any, *args: Any, **kwargs: Any) -> Any:
            is_validation = bool(kwargs.get("_use_cached_eval_dataset"))
            if is_validation or self._evaluations >= MOST_EVALUATIONS:
                return original(model, *args, **kwargs)
            facts = self._tested(model, _arguments(signature, model, args, kwargs), "evaluate")
            running, completed = _Evaluation(model), False
            self._evaluating.append(running)
            try:
                result = original(model, *args, **kwargs)
                completed = True
                return result
            finally:
                self._evaluating.remove(running)
                record = {"results": running.results, "completed": completed}
                send("evaluation", evaluation=facts | record)

        keras.Model.evaluate = evaluate
        after(keras.callbacks.CallbackList, "on_test_end", self._test_ended)

    def _wrap_predict(self, method: str) -> None:
        """See the rows whose classes a student counts by himself."""
        original = getattr(keras.Model, method)
        signature = inspect.signature(original)

        @functools.wraps(original)
        def predict(model: Any, *args: Any, **kwargs: Any) -> Any:
            if self._evaluations >= MOST_EVALUATIONS:
                return original(model, *args, **kwargs)
            facts = self._tested(model, _arguments(signature, model, args, kwargs), "predict")
            completed = False
            try:
                result = original(model, *args, **kwargs)
                completed = True
                return result
            finally:
                send("evaluation", evaluation=facts | {"results": {}, "completed": completed})

        setattr(keras.Model, method, predict)

    def _tested(self, model: Any, given: dict[str, Any], how: str) -> dict[str, Any]:
        """Describe what a model is about to be tested on; a call may change it."""
        self._evaluations += 1
        number, x = self.number(model), _facts(given.get("x"))
        facts = {
            "how": how,
            "model": number,
            "cell": self.cell,
            "after_fits": self.fits.get(number, 0),
            "x": x,
            "y": _facts(given.get("y")),
            "samples": _samples(given.get("x"), x),
        }
        return facts | self._rows_of_evaluation(given)

    def _test_ended(self, callbacks: Any, logs: Any = None) -> None:
        """Take the results by their names; ``evaluate`` itself may return a bare list."""
        if self._evaluating and self._evaluating[-1].model is callbacks.model:
            self._evaluating[-1].results = _numbers(logs or {})

    def _watch_epochs(self) -> None:
        original = keras.callbacks.History.on_epoch_end

        @functools.wraps(original)
        def on_epoch_end(callback: Any, epoch: int, logs: Any = None) -> Any:
            result = original(callback, epoch, logs)
            self._passed.add(weights_state(callback.model))
            send("epoch", epoch=epoch + 1, logs=_numbers(logs or {}))
            return result

        keras.callbacks.History.on_epoch_end = on_epoch_end


class _Evaluation:
    """A running call of ``evaluate``."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.results: dict[str, Any] = {}


def _curves(history: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The metrics that are one number an epoch; one of a student's own may be anything."""
    return {
        name: values
        for name, values in history.items()
        if all(isinstance(value, Real) for value in values)
    }


def _numbers(logs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in logs.items() if isinstance(value, Real)}


def _fit_facts(given: dict[str, Any]) -> dict[str, Any]:
    """Describe the arguments of a call of ``fit``."""
    x, validation = given.get("x"), given.get("validation_data")
    batch = given.get("batch_size")
    if batch is None and _brings_no_batches(x):
        batch = 32  # Keras' default
    held = validation[0] if isinstance(validation, tuple | list) and validation else validation
    split = _number(given.get("validation_split"))
    return {
        "x": _facts(x),
        "y": _facts(given.get("y")),
        "epochs": _whole(given.get("epochs", 1)),
        "batch_size": _whole(batch) if isinstance(batch, int) else None,
        "validation": "data" if validation is not None else "split" if split else "none",
        "validation_split": split,
        "validation_x": None if held is None else _facts(held),
    }


def _compiled(model: Any) -> dict[str, Any] | None:
    try:
        return compile_facts(model)
    except Exception:  # noqa: BLE001 - no mistake of ours may become the student's
        return None


def _arguments(
    signature: inspect.Signature, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    try:
        bound = signature.bind(model, *args, **kwargs)
    except TypeError:  # Keras will say it better than we could
        return {}
    bound.apply_defaults()
    return bound.arguments


def _facts(value: Any) -> dict[str, Any] | None:
    try:
        return array_facts(value)
    except Exception:  # noqa: BLE001 - no mistake of ours may become the student's
        return None


def _samples(x: Any, facts: dict[str, Any] | None) -> int | None:
    return facts["shape"][0] if facts and facts["shape"] and _brings_no_batches(x) else None


def _number(value: Any) -> float:
    try:
        return float(value) if isinstance(value, int | float) else 0.0
    except OverflowError:  # thousands of digits
        return math.inf


def _whole(value: Any) -> int:
    """A whole number that the host takes, also of ``10**30`` or NaN, of which Keras complains."""
    number = _number(value)
    return int(max(-MOST_SAID, min(MOST_SAID, number))) if not math.isnan(number) else 0


def _brings_no_batches(x: Any) -> bool:
    return hasattr(x, "shape") or isinstance(x, list | tuple)
