"""What was done to a network, in the student's terms: "Layer 2 has 256 units instead of 512"."""

from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks.alignment import Pair
from grader.checks.layers import WantedLayer, brief, differing, sort_of
from grader.checks.network import Comparison, instead, unit_word, value_words

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
PLURALS = {"Conv1D": "convolutions", "Conv2D": "convolutions", "Conv3D": "convolutions"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact in which two networks differ."""

    what: str
    """``missing``, ``extra``, ``input``, ``joint``, ``kind``, ``units``, ``activation`` or a
    setting's name."""
    want: int | None = None
    """The place in the expected network."""
    have: int | None = None
    """The place in the network found."""


class Sentences:
    """Says what was done to the expected network, by one alignment of both."""

    def __init__(self, compared: Comparison, pairs: Sequence[Pair]) -> None:
        self._compared = compared
        self._pairs = pairs
        self._expected = compared.expected

    def one(self, fact: Difference) -> str:
        """Say a single difference."""
        match fact:
            case Difference("input"):
                return self._input()
            case Difference("joint", _, int(have)):
                return self._joint(have)
            case Difference("missing", int(want)):
                name = self._name(want)
                if sort_of(self._expected[want].kind) == "layer":
                    name += f", {self._compared.wanted[want]},"
                return f"{_capital(name)} is missing."
            case Difference("extra", _, int(have)):
                return self._extra(have)
            case Difference(what, int(want), int(have)):
                return self._changed(what, want, have)
            case _:  # pragma: no cover - every difference is one of these
                return ""

    def _changed(self, what: str, want: int, have: int) -> str:
        asked, found = self._expected[want], self._compared.said[have]
        name = _capital(self._name(want))
        if what == "kind":
            return f"{name} is {brief(found)} instead of {self._compared.wanted[want]}."
        if what == "activation" and found.activation != "linear":
            return f"{name} has the activation {instead(what, asked, found)}."
        if what == "use_bias" and found.settings.get(what) is False:
            return f"{name} has no biases (use_bias=False)."
        if what == "strides" and strides_by_mistake(found):
            return f"{name} has the {instead(what, asked, found)}: {old_convolution(found)}."
        setting = what not in ("units", "activation", "layer")
        the = "the " if setting and not isinstance(asked.settings.get(what), bool) else ""
        return f"{name} has {the}{instead(what, asked, found)}."

    def alike(self, what: str, facts: Sequence[Difference]) -> str:
        """Say one change that was made to several layers."""
        found = self._compared.said[facts[0].have or 0]
        on = self._all(facts)
        if what == "kind":
            kind = self._expected[facts[0].want or 0].kind
            return f"{_capital(_number(len(facts)))} {kind} layers are {found.kind} instead."
        if what == "units":
            return f"{found.units} {unit_word(found.kind)} on {on}."
        if what == "activation":
            if found.activation == "linear":
                return f"No activation on {on}."
            return f"The activation is {found.activation} on {on}."
        if what == "use_bias" and found.settings.get(what) is False:
            return f"No biases (use_bias=False) on {on}."
        words = f"The {what.replace('_', ' ')} is {_quoted(found, what)} on {on}"
        if isinstance(found.settings.get(what), bool):
            words = f"{what}={value_words(found, what)} on {on}"
        if what == "strides" and strides_by_mistake(found):
            words += f": {old_convolution(found)}"
        return f"{words}."

    def _all(self, facts: Sequence[Difference]) -> str:
        """``all four convolutions`` where all found have it, else ``layers 2 and 4``."""
        what, first = facts[0].what, self._compared.said[facts[0].have or 0]
        same = [one for one in self._compared.said if one.kind == first.kind]
        if all(value_of(what, one) == value_of(what, first) for one in same):
            return _all_of(len(same), first.kind)
        return _listed([self._name(fact.want or 0) for fact in facts])

    def _extra(self, have: int) -> str:
        said = self._compared.said
        for beside in (have - 1, have + 1):
            if 0 <= beside < len(said) and _equal(said[have], said[beside]):
                return f"{brief(said[have])} is there twice in a row."
        after = f"after {self._before(have)}" if have else "at the beginning"
        return f"{brief(said[have])} {after} is one too many."

    def run_missing(self, places: Sequence[int]) -> str:
        """Say that layers in a row are missing."""
        names = [self._name(place) for place in places]
        return f"{_capital(_listed(names))} are missing."

    def run_extra(self, places: Sequence[int]) -> str:
        """Say that layers in a row are too many, or there twice."""
        said = self._compared.said
        run = [said[place] for place in places]
        words = " → ".join(str(brief(one)) for one in run)
        for begin in (places[0] - len(run), places[-1] + 1):
            beside = said[max(begin, 0) : begin + len(run)] if begin >= 0 else ()
            if len(beside) == len(run) and all(map(_equal, run, beside)):
                return f"{words} is there twice in a row."
        return f"{words} are too many."

    def of_a_kind(self, facts: Sequence[Difference]) -> str:
        """Say that several layers of one class are missing or too many."""
        missing = facts[0].what == "missing"
        network = self._expected if missing else self._compared.said
        places = [(fact.want if missing else fact.have) or 0 for fact in facts]
        kind = network[places[0]].kind
        among = sum(one.kind == kind for one in network)
        if not missing:
            return f"{_capital(_number(len(facts)))} {kind} layers are too many."
        if len(facts) == among:
            return f"{_capital(_all_of(among, kind))} are missing."
        return f"{_capital(_listed([self._name(place) for place in places]))} are missing."

    def moved(self, want: int, have: int) -> str:
        """Say which layer stands elsewhere; of two neighbours, the one that does not learn."""
        pairs = self._pairs
        ends = sorted(row for row, pair in enumerate(pairs) if pair in ((want, None), (None, have)))
        passed = pairs[ends[0] + 1 : ends[1]] if len(ends) == 2 else ()  # noqa: PLR2004 - from, to
        if len(passed) == 1:
            other, place = passed[0]
            if other is not None and place is not None and self._learns(want):
                if self._learns(other):
                    return self.swapped(*sorted((want, other)))
                want, have = other, place
        return self._elsewhere(want, have)

    def exchanged(self, one: tuple[int, int], other: tuple[int, int]) -> str:
        """Say that two layers stand in each other's place."""
        if other[0] == one[0] + 1 and self._learns(one[0]) != self._learns(other[0]):
            if self._learns(one[0]):
                return self._elsewhere(other[0], one[1])
            return self._elsewhere(one[0], other[1])
        return self.swapped(one[0], other[0])

    def _elsewhere(self, want: int, have: int) -> str:
        name = _capital(self._name(want))
        now, due = self._behind(self._compared.said, have), self._behind(self._expected, want)
        if now == due:
            return f"{name} stands in another place."
        return f"{name} stands {now} instead of {due}."

    def _learns(self, want: int) -> bool:
        return sort_of(self._expected[want].kind) == "layer"

    @staticmethod
    def _behind(network: Sequence[WantedLayer], place: int) -> str:
        """``after layer 2``: after the nearest layer before it that does more than regularise."""
        for before in range(place - 1, -1, -1):
            if sort_of(network[before].kind) != "regularisation":
                return f"after {_name(network, before)}"
        return "at the beginning"

    def swapped(self, want: int, other: int) -> str:
        """Say that two layers have changed places."""
        return f"{_capital(_listed([self._name(want), self._name(other)]))} are swapped."

    def _input(self) -> str:
        found = self._compared.found[0].input_shape
        wanted = self._compared.start
        which = f"input of {self._name(0)}" if self._expected else "input"
        return f"The {which} is {found} instead of {wanted}."

    def _joint(self, have: int) -> str:
        found = self._compared.found[have]
        between = " → ".join(brief(said).kind for said in found.before)
        which = self._before(have + 1)
        if between:
            return f"{between} before {which} makes its input {found.input_shape}."
        return f"Nothing flattens the input of {which}, {found.input_shape}."

    def _name(self, want: int) -> str:
        return _name(self._expected, want)

    def _before(self, have: int) -> str:
        return _name(self._compared.said, have - 1)


def _name(network: Sequence[WantedLayer], place: int) -> str:
    """``layer 2`` among those that learn; of other sorts ``the second Dropout``."""
    kind = network[place].kind
    if sort_of(kind) == "layer":
        number = sum(sort_of(one.kind) == "layer" for one in network[: place + 1])
        return f"layer {number}"
    among = sum(one.kind == kind for one in network)
    number = sum(one.kind == kind for one in network[: place + 1])
    if among == 1:
        return f"the {kind}"
    which = ORDINALS[number - 1] if number <= len(ORDINALS) else f"{number}th"
    return f"the {which} {kind}"


def _equal(one: WantedLayer, other: WantedLayer) -> bool:
    return not differing(brief(one), other) and not differing(brief(other), one)


def strides_by_mistake(found: WantedLayer) -> bool:
    """Whether a convolution steps by its kernel's size, as ``Conv2D(32, 3, 3)`` does today."""
    strides = found.settings.get("strides")
    return found.kind.startswith("Conv") and strides not in (None, 1) and (
        strides == found.settings.get("kernel_size")
    )  # fmt: skip


def old_convolution(found: WantedLayer) -> str:
    """What that way of writing means."""
    size = value_words(found, "strides")
    code = f"{found.kind}({found.units}, {size}, {size})"
    return f"`{code}` means strides of {size} today, not a {size} × {size} kernel"


def _quoted(said: WantedLayer, key: str) -> str:
    words = value_words(said, key)
    return f"'{words}'" if isinstance(said.settings.get(key), str) else words


def _listed(names: Sequence[str]) -> str:
    """Join names, saying once what they share: ``layers 1 and 2``, ``the first and third Dropout``.

    ``layer 2`` and ``the first Dropout`` share nothing.
    """
    if len(names) == 1:
        return names[0]
    if all(name.startswith("layer ") for name in names):
        return f"layers {_joined([name.removeprefix('layer ') for name in names])}"
    parts = [name.split(" ") for name in names]
    if all(len(part) == 3 and part[2] == parts[0][2] for part in parts):  # noqa: PLR2004 - the, first, Dropout
        return f"the {_joined([part[1] for part in parts])} {parts[0][2]}"
    return _joined(names)


def _joined(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _all_of(number: int, kind: str) -> str:
    what = PLURALS.get(kind, f"{kind} layers")
    return f"both {what}" if number == 2 else f"all {_number(number)} {what}"  # noqa: PLR2004 - both


def _number(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def value_of(what: str, said: WantedLayer) -> str:
    """What a layer has in one respect."""
    if what == "units":
        return str(said.units)
    if what == "activation":
        return said.activation or ""
    return "" if what == "kind" else value_words(said, what)
