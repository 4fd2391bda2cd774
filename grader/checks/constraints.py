"""Checks that leave a network to its author within limits."""

from typing import Literal

from grader.checks.facts import ModelFacts
from grader.checks.layers import (
    ALIASES,
    WantedLayer,
    as_said,
    can_have_activation,
    differing,
    layer,
    layer_words,
    same_value,
)
from grader.checks.verdict import Unmet, count
from grader.records import LayerCard

Where = Literal["hidden layers", "all layers"]
"""Which of the layers that learn are meant."""


class Constraints(ModelFacts):
    """Expectations of what a network contains, in which order, and how it begins."""

    def expect_count(
        self,
        what: str | WantedLayer,
        *,
        exactly: int | None = None,
        at_least: int = 0,
        at_most: int | None = None,
    ) -> None:
        """Expect a number of layers of a class, or of layers with these settings.

        Example:
            ``model.expect_count("Conv2D", at_least=2, at_most=4)``
        """
        wanted = _wanted(what)
        if exactly is not None:
            at_least = at_most = exactly
        found = [one for one in self.layers if not differing(wanted, as_said(one))]
        if at_least <= len(found) and (at_most is None or len(found) <= at_most):
            return
        if exactly is not None:
            number = f"{exactly}"
        elif at_most is None:
            number = f"at least {at_least}"
        else:
            number = f"{at_least} to {at_most}" if at_least else f"at most {at_most}"
        raise Unmet(
            expected=f"{number} × {_name(what)}",
            received=f"{len(found)}",
            hint=self._near(wanted, found),
        )

    def expect_layer_after(self, wanted: WantedLayer, *, after: str | WantedLayer) -> None:
        """Expect a layer somewhere after the last one of a class.

        Example:
            ``model.expect_layer_after(dropout(), after="Conv2D")``
        """
        anchor = _wanted(after)
        said = [as_said(one) for one in self.layers]
        anchors = [place for place, one in enumerate(said) if not differing(anchor, one)]
        expected = f"{wanted} somewhere after the last {_name(after)}"
        if not anchors:
            raise Unmet(
                expected=expected, received=f"no {_name(after)}", hint=self._near(anchor, [])
            )
        places = [place for place, one in enumerate(said) if not differing(wanted, one)]
        if any(place > anchors[-1] for place in places):
            return
        if places:
            last = layer_words(self.layers[places[-1]])
            raise Unmet(
                expected=expected,
                received=f"{last} before it",
                hint=f"Layer {places[-1] + 1} of {len(said)} is the last such one; "
                f"the last {_name(after)} is layer {anchors[-1] + 1}.",
            )
        behind = [one for one in self.layers[anchors[-1] + 1 :] if one.kind == wanted.kind]
        raise Unmet(
            expected=expected,
            received=layer_words(behind[0]) if behind else f"no {wanted.kind} there",
            hint="" if behind else self._near(wanted, []),
        )

    def expect_hidden_activation(self, *allowed: str) -> None:
        """Expect one of these activations on every hidden dense or convolutional layer.

        Example:
            ``model.expect_hidden_activation("relu", "elu")``
        """
        for place, found in self._hidden_with_activation:
            given = self.activation_of(found)
            if given not in allowed:
                raise Unmet(
                    expected=f"{' or '.join(allowed)} on every hidden layer",
                    received=f"{layer_words(found)} as layer {place}",
                    hint=_linear_hint(given),
                )

    def expect_no_activation_missing(self) -> None:
        """Expect that every hidden dense or convolutional layer has some activation.

        Example:
            ``model.expect_no_activation_missing()``
        """
        missing = [
            (place, found)
            for place, found in self._hidden_with_activation
            if self.activation_of(found) == "linear"
        ]
        if missing:
            layers = ", ".join(f"{layer_words(found)} as layer {at}" for at, found in missing[:5])
            raise Unmet(
                expected="an activation on every hidden layer",
                received=layers,
                hint=_linear_hint("linear"),
            )

    def expect_regularizer(
        self, wanted: str, strength: float | None = None, *, on: Where = "hidden layers"
    ) -> None:
        """Expect a penalty on the weights of each of these layers.

        Args:
            wanted: ``"l1"``, ``"l2"`` or ``"l1_l2"``.
            strength: Its coefficient; any but 0 when left out.
            on: Which layers.

        Example:
            ``model.expect_regularizer("l2", 0.001, on="hidden layers")``
        """
        expected = f"{wanted}{'' if strength is None else f'({strength:g})'} on {on}"
        for place, found in self._chosen(on):
            given = found.settings.get("kernel_regularizer")
            coefficients = _coefficients(given)
            asked = [part for part in ("l1", "l2") if part in wanted.lower()]
            values = [coefficients.get(part, 0.0) for part in asked]
            others = [part for part in coefficients if part not in asked and coefficients[part]]
            right = not others and all(
                value > 0 if strength is None else same_value(value, strength) for value in values
            )
            if not (values and right):
                raise Unmet(
                    expected=expected,
                    received=f"{_penalty(coefficients)} in layer {place}, {layer_words(found)}",
                    hint=""
                    if coefficients
                    else "It belongs to the weights of the layer (`kernel_regularizer=`).",
                )
        if not self._chosen(on):
            raise Unmet(expected=expected, received=f"no {on}")

    def expect_initializer(self, *allowed: str, on: Where = "hidden layers") -> None:
        """Expect that the weights of each of these layers begin in one of these ways.

        Example:
            ``model.expect_initializer("he_normal", "he_uniform")``
        """
        expected = f"weights that begin as {' or '.join(allowed)} on {on}"
        for place, found in self._chosen(on):
            given = found.settings.get("kernel_initializer")
            if not any(same_value(given, name) for name in allowed):
                name = given.get("class") if isinstance(given, dict) else given
                raise Unmet(
                    expected=expected,
                    received=f"{str(name)[:60]} in layer {place}, {layer_words(found)}",
                    hint="Keras begins with GlorotUniform unless it is told otherwise."
                    if same_value(given, "glorot_uniform")
                    else "",
                )
        if not self._chosen(on):
            raise Unmet(expected=expected, received=f"no {on}")

    @property
    def _hidden_with_activation(self) -> list[tuple[int, LayerCard]]:
        return [
            (place, found)
            for place, found in self._chosen("hidden layers")
            if can_have_activation(found.kind)
        ]

    def _chosen(self, on: Where) -> list[tuple[int, LayerCard]]:
        """Layers with weights, each with its number; normalisation has no kernel."""
        weighty = [
            found
            for found in self.card.learning_layers
            if found.params and not found.kind.endswith(("Normalization", "Embedding"))
        ]
        numbered = list(enumerate(weighty, start=1))
        return numbered[:-1] if on == "hidden layers" else numbered

    def _near(self, wanted: WantedLayer, found: list[LayerCard]) -> str:
        """Say which layers of the class are there, when others than the wanted ones are."""
        others = [one for one in self.layers if one.kind == wanted.kind and one not in found]
        if others:
            words = ", ".join(layer_words(one) for one in others[:5])
            return f"Another one is there: {words}."
        kinds = dict.fromkeys(one.kind for one in self.layers)
        return f"The model has {count(len(self.layers), 'layer')}: {', '.join([*kinds][:8])}."


def _wanted(what: str | WantedLayer) -> WantedLayer:
    return layer(what) if isinstance(what, str) else what


def _name(what: str | WantedLayer) -> str:
    return ALIASES.get(what, what) if isinstance(what, str) else str(what)


def _linear_hint(given: str) -> str:
    return (
        "Without an activation, this layer and the next are together no more than one linear layer."
        if given == "linear"
        else ""
    )


def _coefficients(given: object) -> dict[str, float]:
    """The coefficients of a penalty as Keras describes it."""
    if not isinstance(given, dict):
        return {}
    return {
        part: float(given[part])
        for part in ("l1", "l2")
        if isinstance(given.get(part), int | float)
    }


def _penalty(coefficients: dict[str, float]) -> str:
    words = [f"{part}({value:g})" for part, value in coefficients.items()]
    return " and ".join(words) or "no penalty on the weights"
