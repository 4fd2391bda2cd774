"""Usual slips that would account for a number of parameters all by themselves.

Where an assignment names a number and no network, the network found is taken, one or two usual
slips are undone, and the number is worked out anew. What gives the wanted number is named, unless
too many things do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from grader.checks.layers import WantedLayer, flatten
from grader.checks.network import Comparison, FoundLayer, found_layers
from grader.checks.sentences import old_convolution, strides_by_mistake
from grader.records import ModelCard

MOST_LAYERS = 60
MOST_SLIPS = 12
"""Of more, two at once are too many to be tried, and too many would be the reason."""
MOST_ANSWERS = 2


@dataclass(frozen=True, slots=True)
class Slip:
    """Something that may have been done by mistake, and the layers without it."""

    places: frozenset[int]
    """Layers it was done to."""
    settings: dict[str, object]
    """What they would have without it."""
    sentence: str
    """What it is, in the student's terms."""
    flattened: bool = False
    """Whether without it their inputs would be flattened."""


def suspects(card: ModelCard, wanted: int) -> list[str]:
    """Name the slips without which the model would have the wanted number of parameters."""
    found = found_layers(card, ())
    if not found or len(found) > MOST_LAYERS or card.non_trainable_params:
        return []
    compared = Comparison((), found)
    slips = list(_slips(found))
    for number in (1, 2) if len(slips) <= MOST_SLIPS else (1,):
        answers = [
            chosen for chosen in combinations(slips, number) if _total(compared, chosen) == wanted
        ]
        if answers and len(answers) <= MOST_ANSWERS:
            return [" ".join(slip.sentence for slip in chosen) for chosen in answers]
        if answers:
            of_padding = all("padding" in slip.settings for chosen in answers for slip in chosen)
            return ["The padding of the convolutions makes the difference."] if of_padding else []
    return []


def _total(compared: Comparison, slips: tuple[Slip, ...]) -> int | None:
    layers: list[WantedLayer] = list(compared.said)
    partners: list[FoundLayer] = list(compared.found)
    for slip in slips:
        for place in slip.places:
            settings = {**layers[place].settings, **slip.settings}
            layers[place] = replace(layers[place], settings=settings)
            if slip.flattened:
                before = (*partners[place].before, flatten())
                partners[place] = replace(partners[place], before=before)
    total = 0
    for _, made in compared.predicted(layers, partners, compared.start):
        if made.params is None:
            return None
        total += made.params
    return total


def _slips(found: tuple[FoundLayer, ...]) -> Iterator[Slip]:
    said = [one.said for one in found]
    bare = [at for at, one in enumerate(said) if one.settings.get("use_bias") is False]
    if len(bare) > 1:
        sentence = "The biases are what is missing (use_bias=False): one parameter for each unit."
        yield Slip(frozenset(bare), {"use_bias": True}, sentence)
    for at in bare:
        sentence = (
            f"The biases of layer {at + 1} are what is missing (use_bias=False): "
            "one parameter for each unit."
        )
        yield Slip(frozenset({at}), {"use_bias": True}, sentence)
    stepping = [at for at, one in enumerate(said) if strides_by_mistake(one)]
    if stepping:
        sentence = f"The strides make the difference: {old_convolution(said[stepping[0]])}."
        yield Slip(frozenset(stepping), {"strides": 1}, sentence)
    for at, (one, last) in enumerate(zip(found[1:], found, strict=False), start=1):
        images = last.said.kind.startswith("Conv") and one.said.kind == "Dense"
        if images and len(one.input_shape) > 2:  # noqa: PLR2004 - a batch of vectors has two axes
            sentence = f"Nothing flattens the input of layer {at + 1}, {one.input_shape}."
            yield Slip(frozenset({at}), {}, sentence, flattened=True)
    convolutions = [at for at, one in enumerate(said) if one.kind.startswith("Conv")]
    several = [convolutions] if len(convolutions) > 1 else []
    for chosen in [*several, *([at] for at in convolutions)]:
        paddings = {str(said[at].settings.get("padding")) for at in chosen}
        if len(paddings) == 1:
            (padding,) = paddings
            other = "valid" if padding == "same" else "same"
            which = (
                f"layer {chosen[0] + 1}" if len(chosen) == 1 else f"all {len(chosen)} convolutions"
            )
            yield Slip(
                frozenset(chosen),
                {"padding": other},
                f"The padding of {which} may make the difference: it is '{padding}'.",
            )
