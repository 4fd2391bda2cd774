"""What was done to the expected network to make the one that was found.

Every difference between both networks is a fact; an *edit* is something a person does, and accounts
for several facts at once: two layers swapped, a block left out, padding changed on all
convolutions. The fewest edits that account for every fact are the explanation. It is *proved* when
the parameters and shapes that follow from it by arithmetic are those of the network found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from grader.checks.alignment import Pair, align
from grader.checks.layers import WantedLayer, brief, differing, sort_of
from grader.checks.network import (
    MOST_LAYERS,
    Comparison,
    instead,
    same_axes,
    unit_word,
    value_words,
)

MOST_EDITS = 2
"""More at once explain nothing: then the differences are listed."""
MOST_SENTENCES = 4
FIRST_SENTENCES = 2
"""Where too much differs to name it all."""
MOST_CANDIDATES = 150
LONGEST_RUN = 6
"""Layers in a row that are left out or doubled at one go."""
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


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that may have been done to the expected network."""

    explains: frozenset[Difference]
    """The differences it accounts for."""
    tell: Callable[[], str]
    """Says what it is; only of the chosen ones."""

    @property
    def sentence(self) -> str:
        """What it is, in the student's terms."""
        return self.tell()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a network is another one than expected."""

    edits: tuple[Edit, ...]
    """The fewest that account for every difference; of many, some that account for most."""
    complete: bool
    """Whether they account for every difference."""
    proved: bool
    """Whether the numbers of the network found follow from them by arithmetic."""

    @property
    def words(self) -> str:
        """All sentences."""
        if self.complete and len(self.edits) <= MOST_SENTENCES:
            return " ".join(edit.sentence for edit in self.edits)
        begun = " ".join(edit.sentence for edit in self.edits[:FIRST_SENTENCES])
        return f"{begun} The table shows where more differs."


def explain(compared: Comparison) -> Explanation:
    """Search the single and double edits of the expected network that make the one found."""
    if len(compared.found) > MOST_LAYERS:
        number = f"{len(compared.found):,}"
        sentence = f"There are {number} layers instead of {len(compared.wanted)}."
        return Explanation((Edit(frozenset(), lambda: sentence),), complete=True, proved=False)
    joints, proved = _joints(compared)
    elsewhere = {Difference("input")} if compared.other_input else set()
    elsewhere |= {Difference("joint", have=place) for place in joints}
    best: _Choice | None = None
    for pairs in dict.fromkeys(_alignments(compared)):
        facts = frozenset(elsewhere | set(_differences(compared, pairs)))
        edits = _fewest(facts, list(_candidates(compared, facts, pairs)))
        complete = facts == frozenset().union(*(edit.explains for edit in edits))
        choice = _Choice(edits, complete=complete, span=_span(compared, pairs))
        if best is None or choice.rank > best.rank:
            best = choice
    if best is None:  # pragma: no cover - there is always one alignment
        return Explanation((), complete=True, proved=proved)
    return Explanation(best.edits, complete=best.complete, proved=proved)


@dataclass(frozen=True, slots=True)
class _Choice:
    edits: tuple[Edit, ...]
    complete: bool
    span: int

    @property
    def rank(self) -> tuple[bool, int, int]:
        """All before some, few before many, near each other before far apart."""
        return self.complete, -len(self.edits), -self.span


def _span(compared: Comparison, pairs: Sequence[Pair]) -> int:
    rows = [
        row
        for row, (want, have) in enumerate(pairs)
        if want is None or have is None or differing(compared.expected[want], compared.said[have])
    ]
    return rows[-1] - rows[0] if rows else 0


def _alignments(compared: Comparison) -> Iterator[tuple[Pair, ...]]:
    yield compared.pairs
    yield align(compared.expected, compared.said, early=True)[0]
    if len(compared.expected) == len(compared.found):
        yield tuple((place, place) for place in range(len(compared.found)))


def _differences(compared: Comparison, pairs: Iterable[Pair]) -> Iterator[Difference]:
    for want, have in pairs:
        if want is None or have is None:
            yield Difference("extra" if want is None else "missing", want, have)
            continue
        for what in differing(compared.expected[want], compared.said[have]):
            yield Difference(what, want, have)


def _joints(compared: Comparison) -> tuple[list[int], bool]:
    """Where something stands between two layers that makes other numbers, or should and does not.

    Returns:
        The places in the network found, and whether with them all numbers follow.
    """
    found = compared.found
    start = compared.start
    if found and (start is None or compared.other_input):
        start = found[0].input_shape
    joints: list[int] | None = [] if compared.exactly else None
    for _ in range(len(found) + 1):
        predicted = compared.predicted(compared.said, found, start, joints)
        for place, (have, (shape, made)) in enumerate(zip(found, predicted, strict=True)):
            if shape is not None and not same_axes(shape, have.input_shape):
                if joints is None or place in joints or not place:
                    return joints or [], False
                joints.append(place)
                break
            if made.params != have.params or not (
                made.output_shape is None or same_axes(made.output_shape, have.output_shape)
            ):
                return joints or [], False
        else:
            return joints or [], True
    return joints or [], False


# ------------------------------------------------------------------ the search


def _fewest(facts: frozenset[Difference], candidates: list[Edit]) -> tuple[Edit, ...]:
    """Choose the fewest candidates that account for all facts; beyond two, the largest first."""
    candidates.sort(key=lambda edit: -len(edit.explains))
    del candidates[MOST_CANDIDATES:]
    for number in range(1, MOST_EDITS + 1):
        for chosen in combinations(candidates, number):
            if frozenset().union(*(edit.explains for edit in chosen)) == facts:
                return _in_order(chosen)
    left, taken = set(facts), []
    while left:
        best = max(candidates, key=lambda edit: len(edit.explains & left), default=None)
        if best is None or not best.explains & left:
            break
        left -= best.explains
        taken.append(best)
    return _in_order(taken)


def _in_order(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    def place(edit: Edit) -> int:
        return min((fact.want or fact.have or 0 for fact in edit.explains), default=0)

    return tuple(sorted(edits, key=place))


def _candidates(
    compared: Comparison, facts: frozenset[Difference], pairs: Sequence[Pair]
) -> Iterator[Edit]:
    say = _Sentences(compared, pairs)
    ordered = sorted(facts, key=lambda fact: (fact.want or 0, fact.have or 0, fact.what))
    by_what: dict[str, list[Difference]] = defaultdict(list)
    for fact in ordered:
        by_what[fact.what].append(fact)
        yield Edit(frozenset({fact}), partial(say.one, fact))
    missing, extra = by_what.pop("missing", []), by_what.pop("extra", [])
    yield from _runs(missing, extra, compared, say)
    yield from _moved(missing, extra, compared, say)
    yield from _swapped([fact for group in by_what.values() for fact in group], compared, say)
    for what in ("joint", "input"):
        by_what.pop(what, None)
    for what, group in by_what.items():
        yield from _alike(what, group, compared, say)


def _runs(
    missing: list[Difference], extra: list[Difference], compared: Comparison, say: "_Sentences"
) -> Iterator[Edit]:
    """Layers next to each other, and all of a kind, are left out or put in at one go."""
    for places in _neighbours([fact.want for fact in missing if fact.want is not None]):
        chosen = [Difference("missing", place) for place in places]
        yield Edit(frozenset(chosen), partial(say.run_missing, places))
    for places in _neighbours([fact.have for fact in extra if fact.have is not None]):
        yield Edit(
            frozenset(Difference("extra", None, place) for place in places),
            partial(say.run_extra, places),
        )
    for facts, network in ((missing, compared.expected), (extra, compared.said)):
        by_kind: dict[str, list[Difference]] = defaultdict(list)
        for fact in facts:
            place = fact.want if fact.want is not None else fact.have
            by_kind[network[place or 0].kind].append(fact)
        for group in by_kind.values():
            if len(group) > 1:
                yield Edit(frozenset(group), partial(say.of_a_kind, group))


def _neighbours(places: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every run of a few places in a row."""
    for begin in range(len(places)):
        for end in range(begin + 2, min(begin + LONGEST_RUN, len(places)) + 1):
            run = tuple(places[begin:end])
            if run[-1] - run[0] == len(run) - 1:
                yield run


def _moved(
    missing: list[Difference], extra: list[Difference], compared: Comparison, say: "_Sentences"
) -> Iterator[Edit]:
    for gone in missing:
        for come in extra:
            want, have = gone.want or 0, come.have or 0
            if not differing(compared.expected[want], compared.said[have]):
                yield Edit(frozenset({gone, come}), partial(say.moved, want, have))


def _swapped(facts: list[Difference], compared: Comparison, say: "_Sentences") -> Iterator[Edit]:
    lines = sorted({(fact.want, fact.have) for fact in facts if None not in (fact.want, fact.have)})
    for (want, have), (other_want, other_have) in combinations(lines, 2):
        if want is None or have is None or other_want is None or other_have is None:
            continue
        expected, said = compared.expected, compared.said
        if not differing(expected[want], said[other_have]) and not differing(
            expected[other_want], said[have]
        ):
            chosen = [fact for fact in facts if fact.want in (want, other_want)]
            yield Edit(
                frozenset(chosen), partial(say.exchanged, (want, have), (other_want, other_have))
            )


def _alike(
    what: str, facts: list[Difference], compared: Comparison, say: "_Sentences"
) -> Iterator[Edit]:
    """The same change to several layers: all hidden layers lost their activation."""
    groups: dict[tuple[str, str, str], list[Difference]] = defaultdict(list)
    for fact in facts:
        said, asked = compared.said[fact.have or 0], compared.expected[fact.want or 0]
        groups[asked.kind, said.kind, _value(what, said)].append(fact)
    for group in groups.values():
        if len(group) > 1:
            yield Edit(frozenset(group), partial(say.alike, what, group))


def _value(what: str, said: WantedLayer) -> str:
    if what == "units":
        return str(said.units)
    if what == "activation":
        return said.activation or ""
    return "" if what == "kind" else value_words(said, what)


# ------------------------------------------------------------------ the sentences


class _Sentences:
    def __init__(self, compared: Comparison, pairs: Sequence[Pair]) -> None:
        self._compared = compared
        self._pairs = pairs
        self._expected = compared.expected

    def one(self, fact: Difference) -> str:
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
        setting = what not in ("units", "activation")
        the = "the " if setting and not isinstance(asked.settings.get(what), bool) else ""
        return f"{name} has {the}{instead(what, asked, found)}."

    def alike(self, what: str, facts: Sequence[Difference]) -> str:
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
        if all(_value(what, one) == _value(what, first) for one in same):
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
        names = [self._name(place) for place in places]
        return f"{_capital(_listed(names))} are missing."

    def run_extra(self, places: Sequence[int]) -> str:
        said = self._compared.said
        run = [said[place] for place in places]
        words = " → ".join(str(brief(one)) for one in run)
        for begin in (places[0] - len(run), places[-1] + 1):
            beside = said[max(begin, 0) : begin + len(run)] if begin >= 0 else ()
            if len(beside) == len(run) and all(map(_equal, run, beside)):
                return f"{words} is there twice in a row."
        return f"{words} are too many."

    def of_a_kind(self, facts: Sequence[Difference]) -> str:
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
