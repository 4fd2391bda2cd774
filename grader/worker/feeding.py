"""Brings arrays into TensorFlow the short way.

Three things cost as much as the training of a small network, each time that Keras goes through
arrays, and none can be seen from outside:

- An array is copied twice, once by NumPy, so that nobody can change the tensor by changing the
  array, and once more because the copy does not begin where TensorFlow wants data to begin. Here
  the first copy begins there, and TensorFlow takes it as it is.
- With deterministic operations, TensorFlow writes a pipeline of batches anew when it is begun, so
  that nothing random in it runs out of order; to do so it makes up data as large as the real ones.
  Keras' own pipeline for arrays has nothing that could: it draws one order for each epoch, in one
  place, and gathers rows by it. It is begun as it was written.
- A thread of TensorFlow's wakes up now and then to choose how much such a pipeline does at a time
  (autotuning; here there is but one thread to do it). At the end it is told to stop before it could
  know that it shall; where all cores are busy it looks, finds nothing, and sleeps on for as long as
  it had meant to, while the training waits for it: up to the length of an epoch. It is not begun.

Any other pipeline (a generator, a ``tf.data`` of the student's own) is begun as ever, and so is
Keras' own where its making was replaced, where random operations have no seed, and beside threads
of the student's: determinism is one switch for all of them.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from keras.src import tree
from keras.src.backend.tensorflow import trainer
from keras.src.trainers.data_adapters import array_slicing
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
from tensorflow.python.eager import context
from tensorflow.python.framework import config, ops

ALIGNMENT = 64
"""Bytes on whose multiples TensorFlow wants data to begin (Eigen's largest alignment)."""
_TAKEN = frozenset(
    map(np.dtype, ("bool", "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
)
"""Types whose bytes mean the same to both."""


class DirectFeed:
    """Shortens the way of arrays into ``fit``, ``evaluate`` and ``predict``.

    Args:
        wanted: Whether to; else everything is left as it is.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self.copied = 0
        """Arrays that were copied once instead of twice."""
        self.begun = 0
        """How often a pipeline was begun as Keras had written it."""
        self.untuned = 0
        """Pipelines of Keras' for arrays that nobody tunes."""

    def install(self) -> None:
        """Let Keras feed arrays this way."""
        if not self._wanted:
            return
        feed, make = self, ArrayDataAdapter.get_tf_dataset
        convert = array_slicing.convert_to_sliceable

        def convert_to_sliceable(arrays: Any, target_backend: str | None = None) -> Any:
            """As Keras', which gives arrays where it is to give what TensorFlow takes."""
            found = convert(arrays, target_backend=target_backend)
            if target_backend != "tensorflow":
                return found
            return tree.map_structure(self._as_tensor, found)

        class TFEpochIterator(trainer.TFEpochIterator):  # type: ignore[misc]  # Keras has no types
            """Keras' own; what it goes through is left alone, and begun as it was written."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self._known = (
                    type(self.data_adapter) is ArrayDataAdapter
                    and ArrayDataAdapter.get_tf_dataset is make
                )
                # over several devices it would be something else
                batches: Any = super()._get_iterator()
                if self._known and isinstance(batches, tf.data.Dataset):
                    feed.untuned += 1
                    self._distributed_dataset = _untuned(batches)

            def _get_iterator(self) -> Any:
                batches = super()._get_iterator()
                return _Begun(batches, feed) if self._known else batches

        array_slicing.convert_to_sliceable = convert_to_sliceable
        trainer.TFEpochIterator = TFEpochIterator

    def _as_tensor(self, value: Any) -> Any:
        if type(value) is not np.ndarray or value.dtype not in _TAKEN or not value.size:
            return value
        here = context.context()
        here.ensure_initialized()
        self.copied += 1
        return ops.EagerTensor(_aligned(value), here.device_name, None)


class _Begun:
    """A pipeline of Keras' for arrays."""

    def __init__(self, batches: Any, feed: DirectFeed) -> None:
        self._batches = batches
        self._feed = feed

    def __iter__(self) -> Any:
        # An operation without a seed is an error where operations are deterministic, and stays one.
        if context.global_seed() is None or threading.active_count() > 1:
            return iter(self._batches)
        self._feed.begun += 1
        with _as_written():
            return iter(self._batches)


def _untuned(batches: Any) -> Any:
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


@contextlib.contextmanager
def _as_written() -> Iterator[None]:
    """Begin pipelines without writing them anew."""
    if not config.is_op_determinism_enabled():
        yield
        return
    config.disable_op_determinism()
    try:
        yield
    finally:
        tf.config.experimental.enable_op_determinism()


def _aligned(array: Any) -> Any:
    """Copy an array to where TensorFlow takes it without another copy."""
    room = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return copy
