"""What a model is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.records.trainings import CompileFacts
from grader.records.words import Role, Shape, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCard:
    """One layer in normal form."""

    name: str
    """The student's or Keras' name for it."""
    kind: str
    """Its class, e.g. ``"Dense"``."""
    role: Role
    """What it is there for."""
    units: int | None
    """Units of a dense or recurrent layer, filters of a convolution."""
    activation: str
    """Canonical name, ``"linear"`` without one; an activation layer behind it is folded in here."""
    input_shape: Shape
    """What it takes."""
    output_shape: Shape
    """What it gives."""
    trainable_params: int
    """Parameters that training changes."""
    non_trainable_params: int
    """Parameters that it does not."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Other arguments by Keras' names: ``use_bias``, ``rate``, ``kernel_size``, …"""

    @property
    def params(self) -> int:
        """All its parameters."""
        return self.trainable_params + self.non_trainable_params


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What the model answered to the held-out inputs in one form."""

    form: str
    """How the inputs were presented, e.g. ``"vectors of 784, scaled to 0…1"``."""
    shape: tuple[int, int]
    """Samples, numbers a sample."""
    sha256: str
    """Hash of the rows, which are raw little-endian float32; the evidence store has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One description for every way of building a model."""

    layers: tuple[LayerCard, ...]
    """In topological order, nested models inlined, input layers dropped, activations folded in."""
    input_shape: Shape
    """What the model takes."""
    output_shape: Shape
    """What it gives."""
    trainable_params: int
    """Parameters that training changes, shared ones counted once; never the optimizer's."""
    non_trainable_params: int
    """Parameters that it does not."""
    compiled: CompileFacts | None
    """Loss, optimizer and metrics by canonical names."""
    predictions: tuple[Predictions, ...] = ()
    """Answers to the held-out inputs, one entry for each form that was tried."""
    judge_problem: str = ""
    """Why there are no predictions, from a fixed vocabulary."""
    where: Where = "judge"
    """Who described it."""

    @property
    def params(self) -> int:
        """All parameters."""
        return self.trainable_params + self.non_trainable_params

    @property
    def learning_layers(self) -> tuple[LayerCard, ...]:
        """The layers that learn or compute: no plumbing, preprocessing or regularisation."""
        return tuple(layer for layer in self.layers if layer.role == "layer")
