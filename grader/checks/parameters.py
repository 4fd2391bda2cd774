"""Checks of how many parameters a model has, with the arithmetic behind a wrong number."""

from collections.abc import Sequence

from grader.checks.arithmetic import numbers
from grader.checks.edits import explain
from grader.checks.facts import ModelFacts
from grader.checks.layers import WantedLayer, as_said, layer_words
from grader.checks.network import Comparison, found_layers
from grader.checks.suspects import suspects
from grader.checks.verdict import Unmet, count
from grader.records import AlignedLayer, LayerCard, Shape

MOST_SHOWN = 20


class Parameters(ModelFacts):
    """Expectations of the number of parameters."""

    def expect_trainable_params(
        self,
        wanted: int,
        *,
        layers: Sequence[WantedLayer] = (),
        input_shape: Shape | None = None,
    ) -> None:
        """Expect exactly so many parameters that training changes.

        Args:
            wanted: How many.
            layers: The network that has them. A wrong number is then explained by what was done to
                this network; what it leaves open is what Keras makes of it.
            input_shape: What that network takes.

        Example:
            ``model.expect_trainable_params(7850)``
        """
        if self.card.trainable_params == wanted:
            return
        alignment: tuple[AlignedLayer, ...] = ()
        if layers:
            hint, alignment = self._beside(tuple(layers), input_shape)
        else:
            hint = self._reasons(wanted)
        raise Unmet(
            expected=count(wanted, "trainable parameter"),
            received=f"{self.card.trainable_params:,}",
            hint=hint,
            alignment=alignment,
        )

    def expect_params(self, *, at_least: int = 0, at_most: int | None = None) -> None:
        """Expect a number of parameters within limits, trainable or not.

        Example:
            ``model.expect_params(at_most=300_000)``
        """
        if self.params < at_least:
            raise Unmet(
                expected=f"at least {count(at_least, 'parameter')}",
                received=f"{self.params:,}",
                hint=self._table(),
            )
        if at_most is not None and self.params > at_most:
            raise Unmet(
                expected=f"at most {count(at_most, 'parameter')}",
                received=f"{self.params:,}",
                hint=self._where_most_are(),
            )

    def expect_fewer_params_than(self, limit: int, what: str = "") -> None:
        """Expect fewer parameters than something else has, trainable or not.

        Example:
            ``model.expect_fewer_params_than(932_362, "the dense network")``
        """
        if self.params >= limit:
            raise Unmet(
                expected=f"fewer than {count(limit, 'parameter')}"
                + (f", which is what {what} has" if what else ""),
                received=f"{self.params:,}",
                hint=self._where_most_are(),
            )

    def expect_layer_params(self, *wanted: int) -> None:
        """Expect so many parameters in each layer that has any, in order.

        Example:
            ``model.expect_layer_params(401_920, 5_130)``
        """
        found = [one for one in self.layers if one.params]
        if [one.params for one in found] == list(wanted):
            return
        lines = [
            f"layer {place}, {layer_words(one)}: {one.params:,}{_how(one)} instead of {asked:,}"
            for place, (one, asked) in enumerate(zip(found, wanted, strict=False), start=1)
            if one.params != asked
        ]
        if len(found) != len(wanted):
            have = count(len(found), "layer")
            lines.insert(0, f"{have} with parameters instead of {len(wanted)}")
        raise Unmet(
            expected=" + ".join(f"{number:,}" for number in wanted) + " parameters",
            received=" + ".join(f"{one.params:,}" for one in found[:MOST_SHOWN]) or "none",
            hint=_sentence("; ".join(lines[:MOST_SHOWN])),
        )

    def _beside(
        self, wanted: tuple[WantedLayer, ...], input_shape: Shape | None
    ) -> tuple[str, tuple[AlignedLayer, ...]]:
        compared = Comparison(wanted, found_layers(self.card, wanted), input_shape, exactly=True)
        hint = explain(compared).words
        if not hint or (self.card.non_trainable_params and compared.met):
            hint = self._reasons(None)
        return hint, compared.side_by_side()

    def _reasons(self, wanted: int | None) -> str:
        hint = self._table()
        frozen = self.card.non_trainable_params
        if frozen and wanted in (None, self.card.params):
            return f"{hint} {count(frozen, 'parameter')} are frozen (`trainable=False`)."
        found = [] if wanted is None else suspects(self.card, wanted)
        if found:
            return f"{hint} {' Or: '.join(found)}"
        if any(one.settings.get("use_bias") is False for one in self.layers):
            hint += " A layer without biases lacks one parameter for each unit."
        return hint

    def _table(self) -> str:
        lines = [
            f"{layer_words(found)}: {found.trainable_params:,}{_how(found)}"
            for found in self.layers
            if found.params
        ]
        if len(lines) > MOST_SHOWN:
            lines[MOST_SHOWN:] = [f"and {len(lines) - MOST_SHOWN:,} more"]
        return f"Layer by layer: {'; '.join(lines) or 'none has any'}."

    def _where_most_are(self) -> str:
        most = max(self.layers, key=lambda found: found.params, default=None)
        if most is None or not most.params:
            return ""
        share = f"{100 * most.params / self.params:.0f} %" if self.params else "Most"
        return f"{share} of them are in {layer_words(most)}: {most.params:,}{_how(most)}."


def _how(found: LayerCard) -> str:
    """`` = (784 + 1) × 512``, where that is how the number comes about."""
    made = numbers(as_said(found), found.input_shape)
    right = made.formula and made.params == found.params == found.trainable_params
    return f" = {made.formula}" if right else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
