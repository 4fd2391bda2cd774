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
from grader.checks.layers import differing
from grader.checks.network import (
    MOST_LAYERS,
    Comparison,
    same_axes,
)
from grader.checks.sentences import Difference, Sentences, value_of

MOST_EDITS = 2
"""More at once explain nothing: then the differences are listed."""
MOST_SENTENCES = 4
FIRST_SENTENCES = 2
"""Where too much differs to name it all."""
MOST_CANDIDATES = 150
LONGEST_RUN = 6
"""Layers in a row that are left out or doubled at one go."""


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
    say = Sentences(compared, pairs)
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
    missing: list[Difference], extra: list[Difference], compared: Comparison, say: "Sentences"
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
    missing: list[Difference], extra: list[Difference], compared: Comparison, say: "Sentences"
) -> Iterator[Edit]:
    for gone in missing:
        for come in extra:
            want, have = gone.want or 0, come.have or 0
            if not differing(compared.expected[want], compared.said[have]):
                yield Edit(frozenset({gone, come}), partial(say.moved, want, have))


def _swapped(facts: list[Difference], compared: Comparison, say: "Sentences") -> Iterator[Edit]:
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
    what: str, facts: list[Difference], compared: Comparison, say: "Sentences"
) -> Iterator[Edit]:
    """The same change to several layers: all hidden layers lost their activation."""
    groups: dict[tuple[str, str, str], list[Difference]] = defaultdict(list)
    for fact in facts:
        said, asked = compared.said[fact.have or 0], compared.expected[fact.want or 0]
        groups[asked.kind, said.kind, value_of(what, said)].append(fact)
    for group in groups.values():
        if len(group) > 1:
            yield Edit(frozenset(group), partial(say.alike, what, group))
