"""Checks of what a network is: its layers, shapes, activations and parameters."""

from dataclasses import dataclass, field, replace
from typing import Any

from grader.checks.verdict import Unmet, count
from grader.records import CompileFacts, LayerCard, ModelCard, Shape


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """A layer as the assignment wants it; what is not named may be anything."""

    kind: str
    """Its class, e.g. ``"Dense"``."""
    units: int | None = None
    """Units or filters."""
    activation: str | None = None
    """Canonical name."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Other arguments by Keras' names."""

    def __str__(self) -> str:
        """Give it as a student would say it."""
        return _words(self.kind, self.units, self.activation, self.settings)

    def differs(self, found: LayerCard) -> bool:
        """Whether a layer found is another one than this."""
        return (
            found.kind != self.kind
            or (self.units is not None and found.units != self.units)
            or (self.activation is not None and found.activation != self.activation)
            or any(found.settings.get(key) != value for key, value in self.settings.items())
        )


def dense(units: int, activation: str = "linear") -> WantedLayer:
    """A fully connected layer: ``dense(512, "relu")``."""
    return WantedLayer("Dense", units, activation)


def layer(
    kind: str, units: int | None = None, activation: str | None = None, **settings: Any
) -> WantedLayer:
    """Any layer by its class: ``layer("Conv2D", 32, "relu", padding="same")``."""
    return WantedLayer(kind, units, activation, settings)


def _words(kind: str, units: int | None, activation: str | None, settings: dict[str, Any]) -> str:
    inside = [str(units)] if units is not None else []
    inside += [activation] if activation else []
    inside += [f"{key}={value}" for key, value in settings.items()]
    return f"{kind}({', '.join(inside)})"


def layer_words(found: LayerCard) -> str:
    """A layer as a student would say it: ``Dense(512, relu)``."""
    activation = found.activation if found.kind.startswith(("Dense", "Conv")) else None
    settings = {} if found.settings.get("use_bias", True) else {"use_bias": False}
    return _words(found.kind, found.units, activation, settings)


class JudgedModel:
    """The model that came out of a submission, as checks see it."""

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

    def expect_layers(self, *wanted: WantedLayer) -> None:
        """Expect exactly these layers, in this order.

        How they are written does not matter, nor do layers that only reshape, prepare the input or
        regularise. Instead of its own activation the last layer may leave softmax or sigmoid to
        the loss (``from_logits=True``).

        Example:
            ``model.expect_layers(dense(512, "relu"), dense(10, "softmax"))``
        """
        found = self.card.learning_layers
        same_length = len(found) == len(wanted)
        differing = [
            place
            for place, (want, have) in enumerate(zip(wanted, found, strict=False))
            if want.differs(self._with_loss_activation(have, last=place == len(found) - 1))
        ]
        if same_length and not differing:
            return
        raise Unmet(
            expected=" → ".join(map(str, wanted)),
            received=" → ".join(map(layer_words, found)) or "a model without layers that learn",
            hint=self._layers_hint(wanted, found, differing),
        )

    def _with_loss_activation(self, have: LayerCard, *, last: bool) -> LayerCard:
        compiled = self.card.compiled
        if not (last and compiled and compiled.from_logits and have.activation == "linear"):
            return have
        activation = "sigmoid" if compiled.loss.startswith("binary") else "softmax"
        return replace(have, activation=activation)

    def _layers_hint(
        self,
        wanted: tuple[WantedLayer, ...],
        found: tuple[LayerCard, ...],
        differing: list[int],
    ) -> str:
        if len(found) != len(wanted):
            return f"{count(len(found), 'layer')} instead of {len(wanted)}."
        place = differing[0]
        want, have = wanted[place], found[place]
        if (
            want.kind == have.kind
            and want.units == have.units
            and want.activation != have.activation
        ):
            instead = f"{have.activation} instead of {want.activation}"
            return f"Look at the activation of layer {place + 1}: {instead}."
        if want.kind == have.kind and want.units != have.units:
            return f"Look at the units of layer {place + 1}: {have.units} instead of {want.units}."
        return f"Look at layer {place + 1}."

    def expect_trainable_params(self, wanted: int) -> None:
        """Expect exactly so many parameters that training changes.

        Example:
            ``model.expect_trainable_params(7850)``
        """
        if self.card.trainable_params == wanted:
            return
        table = "; ".join(
            f"{layer_words(found)}: {found.trainable_params:,}"
            for found in self.card.layers
            if found.params
        )
        frozen = self.card.non_trainable_params
        hint = f"Layer by layer: {table or 'none has any'}."
        if frozen and self.card.params == wanted:
            hint += f" {count(frozen, 'parameter')} are frozen (`trainable=False`)."
        elif any(found.settings.get("use_bias") is False for found in self.card.layers):
            hint += " A layer without biases lacks one parameter for each unit."
        raise Unmet(
            expected=count(wanted, "trainable parameter"),
            received=f"{self.card.trainable_params:,}",
            hint=hint,
        )
