"""Ends training where the assignment's budget ends, as ``model.stop_training = True`` would.

What was learnt until then remains, ``fit`` returns its history, and the student's next line runs.
Counted is what happens in ``fit``, validation included; a training loop of the student's own
(``train_on_batch``, ``GradientTape``) is not covered and has the run's wall time as its only limit.
"""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import keras

from .hooks import after

NEVER = sys.maxsize
"""An epoch to begin with that no ``fit`` reaches."""

StoppedBy = Literal["", "epochs", "seconds"]


class Training:
    """One running call of ``fit``."""

    def __init__(self, model: Any, number: int) -> None:
        self.model = model
        self.number = number
        self.callbacks: Any = None
        """The list of callbacks that Keras made for it."""
        self.stopped_by: StoppedBy = ""
        self.began = True
        """Whether there was anything left when it began."""
        self.is_last_epoch = False


class Budget:
    """What all calls of ``fit`` may take.

    Args:
        epochs: Most epochs for one model; ``None`` for any number.
        seconds: Most wall seconds for all calls together; ``None`` for any.
    """

    def __init__(self, epochs: int | None = None, seconds: float | None = None) -> None:
        self.epochs = epochs
        self.seconds = seconds
        self._epochs_of: Counter[int] = Counter()
        self._seconds = 0.0
        self._since = 0.0
        self._running: list[Training] = []

    def install(self) -> None:
        """Hook into Keras' list of callbacks, where the student's own callbacks do not see it."""
        if self.epochs is None and self.seconds is None:
            return
        after(keras.callbacks.CallbackList, "on_train_begin", self._train_begins)
        after(keras.callbacks.CallbackList, "on_epoch_begin", self._epoch_begins)
        after(keras.callbacks.CallbackList, "on_train_batch_end", self._batch_ended)
        after(keras.callbacks.CallbackList, "on_epoch_end", self._epoch_ended)

    @contextlib.contextmanager
    def fit(self, model: Any, number: int) -> Iterator[Training]:
        """Count a call of ``fit`` for as long as it runs.

        Args:
            model: What is trained.
            number: The recorder's number for it.
        """
        training = Training(model, number)
        if not self._running:
            self._since = time.perf_counter()
        self._running.append(training)
        first_epoch = getattr(model, "_initial_epoch", None)
        try:
            yield training
        finally:
            self._running.remove(training)
            if not self._running:
                self._seconds += time.perf_counter() - self._since
            if not training.began:
                model._initial_epoch = first_epoch
            if training.stopped_by:
                self._tell(training)

    def _train_begins(self, callbacks: Any) -> None:
        training = next(
            (
                training
                for training in reversed(self._running)
                if training.callbacks is None and training.model is callbacks.model
            ),
            None,
        )
        if training is None:
            return
        training.callbacks = callbacks
        if _epochs(callbacks) > 0 and (reason := self._exhausted(training)):
            # `stop_training` is only looked at after an update; an epoch that is never reached
            # leaves `fit` with nothing to do.
            training.model._initial_epoch = NEVER
            training.began, training.stopped_by = False, reason

    def _epoch_begins(self, callbacks: Any, epoch: int, *_: Any, **__: Any) -> None:
        if training := self._training(callbacks):
            training.is_last_epoch = epoch + 1 >= _epochs(callbacks)

    def _batch_ended(self, callbacks: Any, batch: int, *_: Any, **__: Any) -> None:
        training = self._training(callbacks)
        if training is None or self.seconds is None or self._elapsed() < self.seconds:
            return
        is_last = training.is_last_epoch and batch + 1 == callbacks.params.get("steps")
        if not is_last and not training.model.stop_training:
            training.model.stop_training = True
            training.stopped_by = "seconds"

    def _epoch_ended(self, callbacks: Any, epoch: int, *_: Any, **__: Any) -> None:
        training = self._training(callbacks)
        if training is None:
            return
        self._epochs_of[training.number] += 1
        if training.model.stop_training or epoch + 1 >= _epochs(callbacks):
            return  # it ends anyway
        if reason := self._exhausted(training):
            training.model.stop_training = True
            training.stopped_by = reason

    def _training(self, callbacks: Any) -> Training | None:
        return next((known for known in self._running if known.callbacks is callbacks), None)

    def _exhausted(self, training: Training) -> StoppedBy:
        if self.epochs is not None and self._epochs_of[training.number] >= self.epochs:
            return "epochs"
        if self.seconds is not None and self._elapsed() >= self.seconds:
            return "seconds"
        return ""

    def _elapsed(self) -> float:
        return self._seconds + (time.perf_counter() - self._since if self._running else 0.0)

    def _tell(self, training: Training) -> None:
        allowed = (
            _counted(self.epochs or 0, "epoch") + " of training for one model"
            if training.stopped_by == "epochs"
            else _counted(self.seconds or 0, "second") + " of training in all"
        )
        what = "Training ended early" if training.began else "The model was not trained further"
        with contextlib.suppress(Exception):  # the student may have replaced or closed the stream
            print(f"{what}: this assignment allows {allowed}.", file=sys.stderr)  # noqa: T201


def _epochs(callbacks: Any) -> int:
    return int((callbacks.params or {}).get("epochs", NEVER))


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" + ("" if number == 1 else "s")
