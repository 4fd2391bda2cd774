"""Takes several steps in one call of TensorFlow where nobody watches single steps.

For a small network most of ``fit`` and of ``evaluate`` is the way from Python into TensorFlow and
back. Between two batches nothing of the student's runs unless a callback asks for it, so a loop
inside TensorFlow may take the very same steps in the very same order: the step is the function that
Keras has made and traced, the batches come from Keras' own iterator, and weights, optimizer,
history and metrics come out bit by bit as without. Where a student could notice, steps are taken
one by one:

- a callback has a method for batches, or the list of callbacks is a class of the student's own;
- the data is no array (a generator or pipeline may have a life of its own), or the number of steps
  is given;
- the model joins steps itself, runs eagerly, is compiled by XLA or for several devices, or
  overrides how Keras trains or evaluates;
- the step calls back into Python, prints, or draws from a generator that is no variable
  (``tf.random.normal``): such an operation keeps a state for each function it is in.

``predict`` is never touched.
"""

import contextlib
import functools
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
from .one_trace import make_ahead

LONG = 0.05
"""Seconds that joined steps may take: as often does Keras draw its progress bar, and as soon does
a budget of seconds end a training."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One of the two ways in which Keras goes through batches."""

    name: str
    """The method of a model."""
    function: str
    """The model's attribute with what Keras calls for each batch."""
    begins: str
    """The method of a list of callbacks that is called before the first batch."""
    own: tuple[str, ...]
    """The methods of a model that make a difference to its steps."""
    watching: tuple[str, ...]
    """The methods of a callback that see single steps."""


_TRAINING = _Way(
    name="fit",
    function="train_function",
    begins="on_train_begin",
    own=("fit", "train_step", "make_train_function", "_make_function", "reset_metrics"),
    watching=("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
)
_TESTING = _Way(
    name="evaluate",
    function="test_function",
    begins="on_test_begin",
    own=("evaluate", "test_step", "make_test_function", "_make_function", "reset_metrics"),
    watching=("on_test_batch_begin", "on_test_batch_end"),
)
_WATCHING = frozenset(_TRAINING.watching + _TESTING.watching)
_CALLS = frozenset({"Case", "If", "PartitionedCall", "StatefulPartitionedCall", "While"})
_VARIABLES = frozenset(
    {"Assert", "ReadVariableOp", "VarHandleOp", "VarIsInitializedOp", "VariableShape"}
)


class JoinedSteps:
    """Joins the steps of ``fit`` and ``evaluate``.

    Args:
        most: How many steps to take in one call; 0 or 1 to leave everything as it is.
        one_trace: Whether to have joined steps traced once where that cannot be noticed.
    """

    def __init__(self, most: int, *, one_trace: bool = False) -> None:
        self.most = most
        self.one_trace = one_trace
        self.made_ahead = 0
        """How many models had their optimizer made ready before a step was traced."""
        self.calls: list[int] = []
        """How many steps each call of TensorFlow took that could have joined them."""
        self._here = _Here()
        self._untouched: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Let Keras' iterator over batches give groups of them; after every other wrapper."""
        if self.most <= 1:
            return
        self._wrap_evaluate()
        for way in (_TRAINING, _TESTING):
            after(keras.callbacks.CallbackList, way.begins, self._callbacks_are_known)
            for owner, names in (
                (keras.Model, way.own),
                (keras.callbacks.CallbackList, way.watching),
                (ProgbarLogger, way.watching),
                (keras.callbacks.History, way.watching),
            ):
                self._untouched += [(owner, name, getattr(owner, name)) for name in names]
        here = self._here

        class TFEpochIterator(trainer.TFEpochIterator):  # type: ignore[misc]  # Keras has no types
            """Keras' own; the one that a call makes for its data gives groups."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                self.joining, here.waiting = here.waiting, None
                super().__init__(*args, **kwargs)

            def _enumerate_iterator(self) -> Iterator[tuple[int, int, Any]]:
                batches: Iterator[tuple[int, int, Any]] = super()._enumerate_iterator()
                return batches if self.joining is None else self.joining.batches(self, batches)

        trainer.TFEpochIterator = TFEpochIterator

    def fit(self, model: Any) -> contextlib.AbstractContextManager[None]:
        """Join the steps of this model's ``fit`` for as long as it runs."""
        return contextlib.nullcontext() if self.most <= 1 else self._joining(model, _TRAINING)

    def _wrap_evaluate(self) -> None:
        original = keras.Model.evaluate

        @functools.wraps(original)
        def evaluate(model: Any, *args: Any, **kwargs: Any) -> Any:
            # within `fit` the data is the same for every epoch, and so is its iterator
            known = kwargs.get("_use_cached_eval_dataset") and model._eval_epoch_iterator
            with self._joining(model, _TESTING, known):
                return original(model, *args, **kwargs)

        keras.Model.evaluate = evaluate

    @contextlib.contextmanager
    def _joining(self, model: Any, way: _Way, known: Any = None) -> Iterator[None]:
        """Join the steps of one call.

        Args:
            model: Whose.
            way: Which method is called.
            known: The iterator over its batches, if it makes none.
        """
        call = _Call(self, model, way)
        before = self._here.waiting
        if known:
            known.joining = call
        else:
            self._here.waiting = call
        self._here.calls.append(call)
        try:
            yield
        finally:
            self._here.calls.remove(call)
            self._here.waiting = before
            call.put_back()

    def is_watched(self, model: Any, way: _Way, callbacks: Any) -> bool:
        """Whether anything but Keras' own code may see single steps of a call."""
        return (
            any(getattr(owner, name) is not original for owner, name, original in self._untouched)
            or any(
                getattr(type(model), name) is not getattr(keras.Model, name) or name in vars(model)
                for name in way.own
            )
            or type(callbacks) is not keras.callbacks.CallbackList
            or any(_watches(callback, way) for callback in callbacks.callbacks)
        )

    def _callbacks_are_known(self, callbacks: Any, *_: Any, **__: Any) -> None:
        call = self._here.calls[-1] if self._here.calls else None
        if call and call.callbacks is None and call.model is callbacks.model:
            call.callbacks = callbacks


class _Here(threading.local):
    """What goes on in one thread."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        """Those running, the innermost last."""
        self.waiting: _Call | None = None
        """The one that has not made its iterator yet."""


def _watches(callback: Any, way: _Way) -> bool:
    """Whether a callback has a method of its own for batches."""
    if type(callback) in {ProgbarLogger, keras.callbacks.History}:
        return bool(vars(callback).keys() & _WATCHING)
    return not all(is_default(getattr(callback, name, None)) for name in way.watching)


@dataclass(frozen=True, slots=True)
class _Group:
    """Takes the place of an iterator: the next batches of it, to be taken in one call."""

    batches: Any
    count: int


class _Call:
    """One running call of ``fit`` or ``evaluate``."""

    def __init__(self, joined: JoinedSteps, model: Any, way: _Way) -> None:
        self.model = model
        self.callbacks: Any = None
        self._joined = joined
        self._way = way
        self._steps: _Steps | None = None

    def batches(
        self, data: Any, batches: Iterator[tuple[int, int, Any]]
    ) -> Iterator[tuple[int, int, Any]]:
        """Give the batches of an epoch, in groups where that makes no difference.

        Args:
            data: Keras' iterator, at the beginning of an epoch.
            batches: What it would give: first step, last step, source of batches.
        """
        steps = self._steps_for(data)
        if steps is None:
            return batches
        self._steps = steps
        setattr(self.model, self._way.function, steps)
        return self._groups(steps, batches, data._num_batches)

    def _groups(
        self, steps: "_Steps", batches: Iterator[tuple[int, int, Any]], total: int
    ) -> Iterator[tuple[int, int, Any]]:
        for first, last, source in batches:
            if steps.unfit or getattr(self.model, self._way.function) is not steps:
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
        if self._steps is not None and getattr(self.model, self._way.function) is self._steps:
            setattr(self.model, self._way.function, self._steps.single)

    def _steps_for(self, data: Any) -> "_Steps | None":
        """Get what takes steps in groups, if this may be done."""
        model = self.model
        known = getattr(model, self._way.function)
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
            or self._joined.is_watched(model, self._way, self.callbacks)
        ):
            return None
        step = _step_of(known)
        if step is None:
            return None
        if self._joined.one_trace and self._way is _TRAINING:
            self._joined.made_ahead += make_ahead(model, data._distributed_dataset.element_spec)
        # Kept with Keras' function, so that a model is traced once and forgotten as a whole.
        steps: _Steps = vars(known).setdefault("joined", _Steps(known, step))
        return None if steps.unfit else steps


def _step_of(function: Any) -> Any:
    """Find the compiled step in the function that Keras made; ``None`` in any other."""
    if getattr(function, "__module__", None) != trainer.__name__:
        return None
    step = inspect.getclosurevars(function).nonlocals.get("one_step_on_data")
    return step if hasattr(getattr(step, "__wrapped__", None), "get_concrete_function") else None


class _UnfitError(Exception):
    """The step does more than compute."""


class _Steps:
    """A model's train or test function that also takes groups.

    Args:
        single: The function that Keras made.
        step: The compiled step within it, which takes one batch.
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
        """Take the next batch, or a group, and give the last step's metrics."""
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
