"""The model that came out of a submission, as checks ask it."""

from grader.checks.layers import can_have_activation
from grader.records import CompileFacts, LayerCard, ModelCard, Shape


class ModelFacts:
    """What is known of the judged model."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        """Everything known about it."""

    @property
    def layers(self) -> tuple[LayerCard, ...]:
        """All layers in normal form."""
        return self.card.layers

    @property
    def trainable_params(self) -> int:
        """Parameters that training changes."""
        return self.card.trainable_params

    @property
    def params(self) -> int:
        """All parameters."""
        return self.card.params

    @property
    def input_shape(self) -> Shape:
        """What it takes, e.g. ``(None, 784)``."""
        return self.card.input_shape

    @property
    def output_shape(self) -> Shape:
        """What it gives, e.g. ``(None, 10)``."""
        return self.card.output_shape

    @property
    def compiled(self) -> CompileFacts | None:
        """Loss, optimizer and metrics."""
        return self.card.compiled

    def activation_of(self, found: LayerCard) -> str:
        """A layer's activation, also where batch normalisation stands between both."""
        if found.activation != "linear" or not can_have_activation(found.kind):
            return found.activation
        behind = self.card.layers[self.card.layers.index(found) + 1 :]
        for other in behind:
            if other.kind in ("BatchNormalization", "LayerNormalization"):
                continue
            if other.activation != "linear" and not other.params:
                return other.activation
            if other.role == "layer" and "Pooling" not in other.kind:
                break
        return "linear"
