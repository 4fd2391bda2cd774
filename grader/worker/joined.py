"""Runs several training steps in one call of TensorFlow where nobody watches single steps.

For a small network most of ``fit`` is the way from Python into TensorFlow and back. Between two
batches nothing of the student's runs unless a callback asks for it, so a loop inside TensorFlow
may take the very same steps in the very same order: the step is the function that Keras has made
and traced, the batches come from Keras' own iterator, and weights, optimizer and history come out
bit by bit as without. Where a student could notice, steps are taken one by one:

- a callback has a method for batches, or the list of callbacks is a class of the student's own;
- the data is no array (a generator or pipeline may have a life of its own), or
  ``steps_per_epoch`` is given;
- the model joins steps itself, runs eagerly, is compiled by XLA or for several devices, or
  overrides how Keras trains;
- the step calls back into Python, prints, or draws from a generator that is no variable
  (``tf.random.normal``): such an operation keeps a state for each function it is in.

``evaluate`` and ``predict`` are never touched, nor is validation within ``fit``.
"""

import contextlib
import inspect
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import trainer
from keras.src.callbacks.progbar_logger import ProgbarLogger
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
from keras.src.utils.python_utils import is_default
from tensorflow.python.framework import op_def_registry

from .hooks import after

LONG = 0.05
"""Seconds that joined steps may take: as often does Keras draw its progress bar, and as soon does
a budget of seconds end a training."""

_WATCHING = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
_TRAINING = ("fit", "train_step", "make_train_function", "_make_function", "reset_metrics")
_CALLS = frozenset({"Case", "If", "PartitionedCall", "StatefulPartitionedCall", "While"})
_VARIABLES = frozenset(
    {"Assert", "ReadVariableOp", "VarHandleOp", "VarIsInitializedOp", "VariableShape"}
)


class JoinedSteps:
    """Joins the steps of ``fit``.

    Args:
        most: How many steps to take in one call; 0 or 1 to leave everything as it is.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.calls: list[int] = []
        """How many steps each call of TensorFlow took that could have joined them."""
        self._here = threading.local()
        self._fits: list[_Fit] = []
        self._untouched: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Let Keras' iterator over batches give groups of them; after every other wrapper."""
        if self.most <= 1:
            return
        for owner, names in (
            (keras.Model, _TRAINING),
            (keras.callbacks.CallbackList, _WATCHING),
            (ProgbarLogger, _WATCHING),
            (keras.callbacks.History, _WATCHING),
        ):
            self._untouched += [(owner, name, getattr(owner, name)) for name in names]
        after(keras.callbacks.CallbackList, "on_train_begin", self._callbacks_are_known)
        here = self._here

        class TFEpochIterator(trainer.TFEpochIterator):  # type: ignore[misc]  # Keras has no types
            """Keras' own; the one that a ``fit`` makes for its training data gives groups."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                self._fit: _Fit | None = getattr(here, "waiting", None)
                here.waiting = None
                super().__init__(*args, **kwargs)

            def _enumerate_iterator(self) -> Iterator[tuple[int, int, Any]]:
                batches: Iterator[tuple[int, int, Any]] = super()._enumerate_iterator()
                return batches if self._fit is None else self._fit.epoch(self, batches)

        trainer.TFEpochIterator = TFEpochIterator

    @contextlib.contextmanager
    def fit(self, model: Any) -> Iterator[None]:
        """Join the steps of this model's ``fit`` for as long as it runs."""
        if self.most <= 1:
            yield
            return
        fit = _Fit(self, model)
        self._fits.append(fit)
        self._here.waiting = fit
        try:
            yield
        finally:
            self._here.waiting = None
            self._fits.remove(fit)
            fit.put_back()

    def is_watched(self, model: Any, callbacks: Any) -> bool:
        """Whether anything but Keras' own code may see single steps of a training."""
        return (
            any(getattr(owner, name) is not original for owner, name, original in self._untouched)
            or any(
                getattr(type(model), name) is not getattr(keras.Model, name) or name in vars(model)
                for name in _TRAINING
            )
            or type(callbacks) is not keras.callbacks.CallbackList
            or any(map(_watches, callbacks.callbacks))
        )

    def _callbacks_are_known(self, callbacks: Any, *_: Any, **__: Any) -> None:
        for fit in self._fits:
            if fit.callbacks is None and fit.model is callbacks.model:
                fit.callbacks = callbacks


def _watches(callback: Any) -> bool:
    """Whether a callback has a method of its own for batches."""
    if type(callback) in {ProgbarLogger, keras.callbacks.History}:
        return bool(vars(callback).keys() & _WATCHING)
    return not all(is_default(getattr(callback, name, None)) for name in _WATCHING)


@dataclass(frozen=True, slots=True)
class _Group:
    """Takes the place of an iterator: the next batches of it, to be learnt from in one call."""

    batches: Any
    count: int


class _Fit:
    """One running call of ``fit``."""

    def __init__(self, joined: JoinedSteps, model: Any) -> None:
        self.model = model
        self.callbacks: Any = None
        self._joined = joined
        self._steps: _Steps | None = None

    def epoch(
        self, data: Any, batches: Iterator[tuple[int, int, Any]]
    ) -> Iterator[tuple[int, int, Any]]:
        """Give an epoch's batches, in groups where that makes no difference.

        Args:
            data: Keras' iterator, at the beginning of an epoch.
            batches: What it would give: first step, last step, source of batches.
        """
        steps = self._steps_for(data)
        if steps is None:
            return batches
        self._steps = self.model.train_function = steps
        return self._groups(steps, batches, data._num_batches)

    def _groups(
        self, steps: "_Steps", batches: Iterator[tuple[int, int, Any]], total: int
    ) -> Iterator[tuple[int, int, Any]]:
        for first, last, source in batches:
            if steps.unfit or self.model.train_function is not steps:
                yield first, last, source
                continue
            count = min(steps.pace, total - first)
            # Nothing is read here, but Keras counts its steps.
            for _ in range(count - 1):
                next(batches)
            start = time.perf_counter()
            yield first, first + count - 1, _Group(source, count)
            if count == steps.pace:
                steps.keep_pace(time.perf_counter() - start, self._joined.most)
            self._joined.calls.append(count)

    def put_back(self) -> None:
        """Leave the model with the function that Keras made for it."""
        if self._steps is not None and self.model.train_function is self._steps:
            self.model.train_function = self._steps.single

    def _steps_for(self, data: Any) -> "_Steps | None":
        """Get what takes steps in groups, if this may be done."""
        model = self.model
        known = model.train_function
        if isinstance(known, _Steps):
            known = known.single
        if (
            self.callbacks is None
            or model.steps_per_execution != 1
            or model.run_eagerly
            or model.jit_compile
            or model._distribute_strategy is not None
            or tf.distribute.has_strategy()
            or tf.config.functions_run_eagerly()
            or type(data.data_adapter) is not ArrayDataAdapter
            or data.steps_per_epoch is not None
            or (data._num_batches or 0) <= 1
            or not all(
                type(spec) is tf.TensorSpec
                for spec in tf.nest.flatten(data._distributed_dataset.element_spec)
            )
            or self._joined.is_watched(model, self.callbacks)
        ):
            return None
        step = _step_of(known)
        if step is None:
            return None
        # Kept with Keras' function, so that a model is traced once and forgotten as a whole.
        steps: _Steps = vars(known).setdefault("joined", _Steps(known, step))
        return None if steps.unfit else steps


def _step_of(function: Any) -> Any:
    """Find the compiled step in the train function that Keras made; ``None`` in any other."""
    if getattr(function, "__module__", None) != trainer.__name__:
        return None
    step = inspect.getclosurevars(function).nonlocals.get("one_step_on_data")
    return step if hasattr(getattr(step, "__wrapped__", None), "get_concrete_function") else None


class _UnfitError(Exception):
    """The step does more than compute."""


class _Steps:
    """A model's train function that also takes groups.

    Args:
        single: The function that Keras made.
        step: The compiled step within it, which learns from one batch.
    """

    def __init__(self, single: Any, step: Any) -> None:
        self.single = single
        self.unfit = False
        """Whether the step turned out to be one that must not be joined."""
        self.pace = 1
        """How many steps to take at a time."""
        self._step = step
        self._run = tf.function(self._loop, autograph=False, reduce_retracing=True)

    def __call__(self, batches: Any) -> Any:
        """Learn from the next batch, or from a group, and give the last step's metrics."""
        if not isinstance(batches, _Group):
            return self.single(batches)
        if not self.unfit:
            try:
                return self._run(batches.batches, tf.constant(batches.count))
            except _UnfitError:
                self.unfit = True
        return self.single(batches.batches)

    def keep_pace(self, seconds: float, most: int) -> None:
        """Take more steps at a time while they are short, fewer when they are long."""
        if seconds < LONG / 2:
            self.pace = min(2 * self.pace, most)
        elif seconds > LONG:
            self.pace = max(1, self.pace // 2)

    def _loop(self, batches: Any, count: Any) -> Any:
        traced = self._step.__wrapped__.get_concrete_function(batches.element_spec)
        if not _only_computes(traced.graph):
            raise _UnfitError
        metrics = tf.nest.map_structure(_nothing_like, traced.structured_outputs)
        _, metrics = tf.while_loop(
            lambda done, _: done < count,
            lambda done, _: (done + 1, self._step(batches.get_next())),
            (tf.constant(0), metrics),
            parallel_iterations=1,
        )
        return metrics


def _nothing_like(metric: Any) -> Any:
    if not isinstance(metric, tf.Tensor) or not metric.shape.is_fully_defined():
        raise _UnfitError
    return tf.zeros(metric.shape, metric.dtype)


def _only_computes(graph: Any) -> bool:
    """Whether a step changes nothing but variables."""
    written = graph.as_graph_def()
    functions = {function.signature.name for function in written.library.function}
    nodes = [*written.node, *(node for one in written.library.function for node in one.node_def)]
    return all(kind in functions or _is_harmless(kind) for kind in {node.op for node in nodes})


def _is_harmless(kind: str) -> bool:
    definition = op_def_registry.get(kind)
    if definition is None:
        return False
    return (
        not definition.is_stateful
        or kind in _CALLS | _VARIABLES
        or kind.startswith("Resource")
        or (kind.startswith("Assign") and kind.endswith("VariableOp"))
    )
