"""One probe's answer, as checks see it: its value, or why there is none."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

from grader.checks.comparing import KEEP_DICTIONARY, KEEP_KEYS, plain_value, words
from grader.checks.names import canonical
from grader.checks.unanswered import Unanswered
from grader.checks.verdict import MissingFactError, Unmet
from grader.records import GivenValue


class Answered:
    """One probe's answer, or an entry of it."""

    def __init__(
        self,
        name: str,
        steps: Sequence[GivenValue],
        why: Unanswered,
        *,
        last: GivenValue | None,
        mutated: tuple[str, ...] = (),
    ) -> None:
        self._name = name
        self._steps = tuple(steps)
        self._why = why
        self._last = last
        self._mutated = mutated

    @property
    def given(self) -> GivenValue:
        """What was given, of several steps the last.

        Raises:
            Unmet: There is no answer; says why.
        """
        if self._last is None:
            raise self._why.error(len(self._steps) + 1)
        return self._last

    @property
    def value(self) -> Any:
        """The answer as plain Python: nested lists, numbers, texts, dictionaries.

        Example:
            ``assert probes["rank"].value == 2``
        """
        return plain_value(self.given)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Its shape; ``()`` for a number, ``None`` for what has none."""
        return self.given.shape

    @property
    def steps(self) -> tuple[Any, ...]:
        """What each step gave, as plain Python."""
        self.given  # noqa: B018 - raises when there is nothing
        return tuple(map(plain_value, self._steps))

    def __getitem__(self, key: str) -> Self:
        """Give an entry of a dictionary.

        Example:
            ``answers["quiz"]["squared_error"].expect_number(0.36)``

        Raises:
            Unmet: It is no dictionary, or has no such entry.
        """
        found, name = self.given, f"{self._name}[{key!r}]"
        if found.kind != "dict":
            raise self._unmet("a dictionary", words(found), KEEP_DICTIONARY)
        given = {canonical(known): item for known, item in self._entries(found)}
        if canonical(key) not in given:
            raise MissingFactError(expected=f"`{name}`", received=words(found), hint=KEEP_KEYS)
        entry = given[canonical(key)]
        return type(self)(name, [entry], self._why, last=entry)

    @staticmethod
    def _entries(found: GivenValue) -> Iterator[tuple[str, GivenValue]]:
        return zip(found.keys, found.items, strict=True)

    def _unmet(self, expected: str, received: str, hint: str = "") -> Unmet:
        if not hint and self._name.endswith(")"):
            hint = f"Type `{self._name}` into a cell of its own and follow it line by line."
        return Unmet(expected=f"`{self._name}` to give {expected}", received=received, hint=hint)
