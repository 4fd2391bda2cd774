"""Checks of what goes into a model and what comes out of it."""

from grader.checks.facts import ModelFacts
from grader.checks.layers import layer_words
from grader.checks.verdict import Unmet
from grader.records import LayerCard, Shape

CHANNELS = (1, 3)
"""Grey and colour."""
IMAGE_AXES = 4
"""Batch, height, width, channels."""


class Shapes(ModelFacts):
    """Expectations of a model's two ends."""

    def expect_input_shape(self, *allowed: Shape) -> None:
        """Expect that the model takes one of these shapes; ``None`` stands for any length.

        Example:
            ``model.expect_input_shape((None, 28, 28, 1), (None, 784))``
        """
        if any(_fits(shape, self.input_shape) for shape in allowed):
            return
        raise Unmet(
            expected=f"an input of {_either(allowed)}",
            received=f"{self.input_shape}",
            hint=_input_hint(allowed[0], self.input_shape) if allowed else "",
        )

    def expect_output_shape(self, *allowed: Shape) -> None:
        """Expect that the model gives one of these shapes; ``None`` stands for any length.

        Example:
            ``model.expect_output_shape((None, 10))``
        """
        if any(_fits(shape, self.output_shape) for shape in allowed):
            return
        hint = ""
        if allowed and len(self.output_shape) > len(allowed[0]):
            hint = self._unflattened()
        elif allowed and len(self.output_shape) == len(allowed[0]):
            last = self._last
            hint = f"The last layer is {layer_words(last)}." if last else ""
        raise Unmet(
            expected=f"an output of {_either(allowed)}",
            received=f"{self.output_shape}",
            hint=hint,
        )

    def expect_output(self, activation: str, units: int | None = None) -> None:
        """Expect an activation, and so many units, of the last layer.

        Softmax and sigmoid may be left to the loss (``from_logits=True``).

        Example:
            ``model.expect_output("softmax", units=10)``
        """
        last = self._last
        wanted = activation if units is None else f"{units} units with {activation}"
        if last is None:
            raise Unmet(
                expected=f"a last layer of {wanted}", received="a model without layers that learn"
            )
        given = self.activation_of(last)
        logits = self.compiled is not None and self.compiled.from_logits is True
        by_loss = ""
        if logits and given == "linear" and self.compiled:
            by_loss = "sigmoid" if self.compiled.loss.startswith("binary") else "softmax"
        if activation not in (given, by_loss):
            hint = f"Its numbers have another range than those of {activation}, or another sum."
            if given == "linear":
                hint = f"Nothing makes {activation} of what the last layer gives."
            raise Unmet(
                expected=f"{activation} on the last layer",
                received="no activation" if given == "linear" else given,
                hint=hint,
            )
        if units is not None and last.units != units:
            raise Unmet(
                expected=f"{units} units on the last layer",
                received=f"{layer_words(last)}",
                hint="There is one unit for each number that the model answers.",
            )

    @property
    def _last(self) -> LayerCard | None:
        learning = [found for found in self.card.learning_layers if found.units is not None]
        return learning[-1] if learning else None

    def _unflattened(self) -> str:
        for found in self.layers:
            if found.kind == "Dense" and len(found.input_shape) > 2:  # noqa: PLR2004 - vectors have two
                return (
                    f"{layer_words(found)} takes {found.input_shape}: a dense layer works on the "
                    "last axis alone, and nothing before it makes one vector of a sample."
                )
            if found.settings.get("return_sequences") is True and found is self._last_recurrent:
                return f"{layer_words(found)} gives one vector for each step."
        return ""

    @property
    def _last_recurrent(self) -> LayerCard | None:
        found = [one for one in self.layers if "return_sequences" in one.settings]
        return found[-1] if found else None


def _fits(wanted: Shape, found: Shape) -> bool:
    return len(wanted) == len(found) and all(
        want in (None, have) for want, have in zip(wanted, found, strict=True)
    )


def _either(allowed: tuple[Shape, ...]) -> str:
    return " or ".join(map(str, allowed))


def _input_hint(wanted: Shape, found: Shape) -> str:
    if len(wanted) == IMAGE_AXES:
        if len(found) == IMAGE_AXES - 1 and wanted[-1] in CHANNELS:
            return "An image has a third axis for its channels, also when there is only one."
        if found and len(found) == IMAGE_AXES and found[1] == wanted[-1] != found[-1]:
            return "The channels come last."
    if found and found[0] is not None and _fits(wanted, (None, *found[1:])):
        return "The first axis is the batch, which is left open."
    if len(found) != len(wanted):
        return f"It has {len(found)} axes with the batch, and not {len(wanted)}."
    return ""
