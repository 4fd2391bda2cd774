"""A network found beside the one expected, with the numbers of both.

What an assignment leaves open may be anything, so the expected numbers are those of the expected
network with everything open as in the network found; read *exactly*, what is left open is what
Keras makes of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from grader.checks.alignment import Pair, align
from grader.checks.arithmetic import UNCHANGED, Numbers, flat, numbers
from grader.checks.layers import (
    WantedLayer,
    as_said,
    brief,
    compared_places,
    defaults,
    differing,
    sort_of,
)
from grader.records import AlignedLayer, CompileFacts, ModelCard, Shape

MOST_LAYERS = 200
"""A network of more is shown without being compared line by line."""


@dataclass(frozen=True, slots=True)
class FoundLayer:
    """A layer that is compared, with what Keras says of it."""

    said: WantedLayer
    """In the assignment's words."""
    params: int
    """All its parameters."""
    input_shape: Shape
    """What it takes."""
    output_shape: Shape
    """What it gives."""
    before: tuple[WantedLayer, ...]
    """Layers that are not compared and change the shape between the layer before and this one."""


def found_layers(card: ModelCard, wanted: Sequence[WantedLayer]) -> tuple[FoundLayer, ...]:
    """The layers of a model that an assignment compares."""
    made: list[FoundLayer] = []
    last = -1
    for place in compared_places(card, wanted):
        found = card.layers[place]
        between = [as_said(other) for other in card.layers[last + 1 : place]]
        made.append(
            FoundLayer(
                as_said(found),
                found.params,
                found.input_shape,
                found.output_shape,
                tuple(said for said in between if said.kind not in UNCHANGED),
            )
        )
        last = place
    return _with_loss_activation(made, wanted, card.compiled)


def _with_loss_activation(
    found: list[FoundLayer], wanted: Sequence[WantedLayer], compiled: CompileFacts | None
) -> tuple[FoundLayer, ...]:
    """Count softmax or sigmoid in the loss as the last layer's, where that is what is wanted."""
    if compiled and compiled.from_logits:
        activation = "sigmoid" if compiled.loss.startswith("binary") else "softmax"
        last = [place for place, one in enumerate(found) if sort_of(one.said.kind) == "layer"][-1:]
        asked = [want.activation for want in wanted if sort_of(want.kind) == "layer"][-1:]
        if last and found[last[0]].said.activation == "linear" and asked == [activation]:
            said = replace(found[last[0]].said, activation=activation)
            found[last[0]] = replace(found[last[0]], said=said)
    return tuple(found)


@dataclass(frozen=True)
class Comparison:
    """The network an assignment expects and the one that was found."""

    wanted: tuple[WantedLayer, ...]
    """As the assignment says it."""
    found: tuple[FoundLayer, ...]
    """The layers that are compared."""
    input_shape: Shape | None = None
    """What the expected network takes; ``None`` when that is left open."""
    exactly: bool = False
    """Whether what is not named is what Keras makes of it."""

    @cached_property
    def expected(self) -> tuple[WantedLayer, ...]:
        """The wanted layers, with Keras' defaults where they are read exactly."""
        if not self.exactly:
            return self.wanted
        return tuple(
            replace(want, settings={**defaults(want.kind), **want.settings}) for want in self.wanted
        )

    @cached_property
    def said(self) -> tuple[WantedLayer, ...]:
        """The layers found, in the assignment's words."""
        return tuple(one.said for one in self.found)

    @cached_property
    def start(self) -> Shape | None:
        """What the first expected layer takes."""
        if self.input_shape is not None:
            first = self.expected[0].kind if self.expected else ""
            return flat(self.input_shape) if first == "Dense" else self.input_shape
        return self.found[0].input_shape if self.found else None

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Both networks side by side."""
        return align(self.expected, self.said)[0]

    @property
    def met(self) -> bool:
        """Whether nothing differs."""
        return (
            len(self.wanted) == len(self.found)
            and not any(map(differing, self.expected, self.said))
            and not self.other_input
        )

    @property
    def other_input(self) -> bool:
        """Whether the network found takes something else than expected."""
        if self.input_shape is None or not self.found or self.start is None:
            return False
        return same_axes(self.start, self.found[0].input_shape) is False

    def predicted(
        self,
        layers: Sequence[WantedLayer],
        partners: Sequence[FoundLayer | None],
        start: Shape | None,
        as_found: Collection[int] | None = None,
    ) -> list[tuple[Shape | None, Numbers]]:
        """Work out what each layer takes, has and gives.

        Args:
            layers: The network.
            partners: The layer found that stands beside each; it says what a layer leaves open.
            start: What the first layer takes.
            as_found: Places before which lies what was found there; elsewhere a dense layer behind
                images is flattened. ``None``: everywhere.
        """
        made: list[tuple[Shape | None, Numbers]] = []
        shape, before = start, ""
        for place, (said, partner) in enumerate(zip(layers, partners, strict=True)):
            if place:
                if partner is not None and (as_found is None or place in as_found):
                    shape = _through(partner, shape, partners[place - 1])
                else:
                    shape = _flattened(before, said.kind, shape)
            result = numbers(_filled(said, partner), shape)
            twin = partner is not None and partner.said.kind == said.kind
            if result.params is None and partner and twin and shape == partner.input_shape:
                result = Numbers(partner.params, partner.output_shape)
            made.append((shape, result))
            shape = result.output_shape
            before = before if said.kind in UNCHANGED else said.kind
        return made

    def side_by_side(self) -> tuple[AlignedLayer, ...]:
        """Both networks line by line, with the arithmetic where their numbers differ."""
        if len(self.found) > MOST_LAYERS:
            return ()
        partner_of = {want: have for want, have in self.pairs if want is not None}
        partners = [
            None if (have := partner_of[place]) is None else self.found[have]
            for place in range(len(self.expected))
        ]
        expected = self.predicted(self.expected, partners, self.start, () if self.exactly else None)
        return tuple(
            self._line(want, have, expected[want] if want is not None else None)
            for want, have in self.pairs
        )

    def _line(
        self, want: int | None, have: int | None, expected: tuple[Shape | None, Numbers] | None
    ) -> AlignedLayer:
        wanted = "" if want is None else str(self.wanted[want])
        params = expected[1].params if expected else None
        if have is None:
            return AlignedLayer(expected=wanted, found="", mark="missing", expected_params=params)
        found = self.found[have]
        if want is None or expected is None:
            words = str(brief(found.said))
            return AlignedLayer(expected="", found=words, mark="extra", found_params=found.params)
        asked = self.expected[want]
        other = differing(asked, found.said)
        same = params is None or params == found.params
        return AlignedLayer(
            expected=wanted,
            found=str(brief(found.said, *other)),
            mark="changed" if other else "same",
            difference=", ".join(instead(what, asked, found.said) for what in other),
            expected_params=params,
            found_params=found.params,
            arithmetic="" if same else _arithmetic(expected, found, asked),
        )


def same_axes(one: Shape, other: Shape) -> bool:
    """Whether two shapes agree but for the batch; an axis that is not known agrees with any."""
    return len(one) == len(other) and all(
        left is None or right is None or left == right
        for left, right in zip(one[1:], other[1:], strict=True)
    )


def _through(partner: FoundLayer, shape: Shape | None, last: FoundLayer | None) -> Shape | None:
    entered = shape
    for between in partner.before:
        shape = numbers(between, shape).output_shape
    if shape is None and entered is not None and last and entered == last.output_shape:
        return partner.input_shape
    return shape


def _flattened(before: str, kind: str, shape: Shape | None) -> Shape | None:
    """Flatten what a dense layer takes from images or from a table of words."""
    flattens = "Conv" in before or "Pooling" in before or before == "Embedding"
    return flat(shape) if shape and kind == "Dense" and flattens else shape


def _filled(said: WantedLayer, partner: FoundLayer | None) -> WantedLayer:
    """Fill in what is left open as it was found; biases, which nobody names, are there."""
    own = partner.said if partner and partner.said.kind == said.kind else None
    usual = defaults(said.kind)
    bias = {"use_bias": usual["use_bias"]} if "use_bias" in usual else {}
    return replace(
        said,
        units=said.units if said.units is not None or own is None else own.units,
        settings={**usual, **(own.settings if own else {}), **bias, **said.settings},
    )


# ------------------------------------------------------------------ words


def unit_word(kind: str) -> str:
    """What the units of a layer are called."""
    return "filters" if "Conv" in kind else "units"


def instead(what: str, want: WantedLayer, have: WantedLayer) -> str:
    """One difference: ``"256 units instead of 512"``."""
    if what == "kind":
        return f"{brief(have)} instead of {brief(want)}"
    if what == "units":
        return f"{_units(have)} instead of {want.units}"
    if what == "activation":
        given = "no activation" if have.activation == "linear" else f"{have.activation}"
        asked = "none" if want.activation == "linear" else want.activation
        return f"{given} instead of {asked}"
    if what == "use_bias" and have.settings.get(what) is False:
        return "use_bias=False"
    mine, theirs = value_words(have, what), value_words(want, what)
    words = f"{what.replace('_', ' ')} {mine}"
    if what == "layer":
        words = f"{mine} inside"
    elif isinstance(want.settings.get(what), bool):
        words = f"{what}={mine}"
    return f"{words} instead of {theirs}"


def _units(said: WantedLayer) -> str:
    word = unit_word(said.kind)
    if said.units is None:
        return f"no {word}"
    return f"{said.units:,} {word.removesuffix('s') if said.units == 1 else word}"


def value_words(said: WantedLayer, key: str) -> str:
    """A setting's value, short enough for a sentence."""
    bare = WantedLayer("", settings={"rate": said.settings.get(key, "nothing")})
    return str(bare)[1:-1]


def _arithmetic(
    expected: tuple[Shape | None, Numbers], found: FoundLayer, asked: WantedLayer
) -> str:
    """``"401,920 = (784 + 1) × 512; yours 401,408 = 784 × 512: use_bias=False"``."""
    other = differing(asked, found.said)
    shape, wanted = expected
    mine = numbers(found.said, found.input_shape)
    words = f"{wanted.params:,}" + (f" = {wanted.formula}" if wanted.formula else "")
    words += f"; yours {found.params:,}"
    if mine.formula and mine.params == found.params:
        words += f" = {mine.formula}"
    reasons = []
    if "units" in other:
        reasons.append(_units(found.said))
    if found.said.settings.get("use_bias") is False and asked.settings.get("use_bias", True):
        reasons.append("use_bias=False")
    if "kernel_size" in other:
        reasons.append(f"kernel size {value_words(found.said, 'kernel_size')}")
    if shape and found.input_shape and shape[-1] != found.input_shape[-1]:
        width = found.input_shape[-1]
        if width is not None:
            reasons.append(f"{width:,} {'channels' if 'Conv' in found.said.kind else 'inputs'}")
    return words + (f": {', '.join(reasons)}" if reasons else "")
