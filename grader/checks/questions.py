"""Checks of answers to questions: a number, a word, a table; the right ones are not told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from grader.checks.answered import Answered
from grader.checks.comparing import Mistakes, difference, mistake, words
from grader.checks.names import means
from grader.checks.verdict import Unmet
from grader.records import GivenValue

AS_NUMBER = 'Write it in digits: 42, 0.5, "9/25" or "407,050".'


class Questions(Answered):
    """What a student answered in a variable of the handout's."""

    def expect_number(
        self,
        wanted: float,
        *,
        also: Sequence[str] = (),
        tolerance: float = 1e-6,
        mistakes: Mistakes = (),
        hint: str = "",
    ) -> None:
        """Expect a number as the answer to a question; ``"9/25"`` and ``"407,050"`` are numbers.

        The right number is not told.

        Args:
            wanted: The number.
            also: Texts that are right as well.
            tolerance: How far it may differ, as a share of it or of 1.
            mistakes: Wrong numbers, and what is wrong with each.
            hint: What to think of when it is another wrong number.

        Example:
            ``answers["error"].expect_number(0.36, mistakes={"0.6": "the difference alone"})``
        """
        found = self.given
        if found.kind == "text" and any(means(found.text, each) for each in also):
            return
        given = _as_number(found)
        if given is None:
            raise self._unmet("a number", words(found), AS_NUMBER)
        if difference(wanted, given, tolerance=tolerance, squeeze=True) is not None:
            why = mistake(mistakes, given, tolerance=tolerance)
            raise self._unmet("another number", words(found), why or hint)

    def expect_any_number(self) -> None:
        """Expect that there is a number, whichever.

        Example:
            ``answers["error"].expect_any_number()``
        """
        if _as_number(self.given) is None:
            raise self._unmet("a number", words(self.given), AS_NUMBER)

    def expect_choice(
        self,
        wanted: str,
        *,
        also: Sequence[str] = (),
        mistakes: Mapping[str, str] | None = None,
        hint: str = "",
    ) -> None:
        """Expect a name or word, in any of its spellings, or the thing of Keras' it names.

        The right one is not told.

        Args:
            wanted: The word.
            also: Words that are right as well.
            mistakes: Wrong words, and what is wrong with each.
            hint: What to think of when it is another wrong word.

        Example:
            ``answers["output"].expect_choice("softmax", mistakes={"relu": "no probabilities"})``
        """
        text = _as_word(self.given)
        if text is None:
            raise self._unmet("a word", words(self.given), "Write it as a text, in quotes.")
        if not means(text, wanted, also):
            why = next((why for wrong, why in (mistakes or {}).items() if means(text, wrong)), "")
            raise self._unmet("another answer", words(self.given), why or hint)

    def expect_table(
        self,
        wanted: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]],
        *,
        mistakes: Mapping[str, Mapping[str, str]] | None = None,
        hints: Mapping[str, str] | None = None,
    ) -> None:
        """Expect a dictionary of rows, each a dictionary of cells; all wrong cells are told.

        Args:
            wanted: Row → column → the right cell, or a tuple of all that are right; or row →
                several rows, of which one must hold.
            mistakes: ``"row.column"`` or ``"column"`` → wrong cell → what is wrong with it.
            hints: Column → what to think of when it is another wrong cell.

        Example:
            ``answers["table"].expect_table({"binary": {"units": 1, "activation": "sigmoid"}})``
        """
        wrong: list[Unmet] = []
        for row, cells in wanted.items():
            ways = [cells] if isinstance(cells, Mapping) else cells
            tried = [self._wrong_cells(row, way, mistakes or {}, hints or {}) for way in ways]
            fewest: list[Unmet] = min(tried, key=len)
            wrong += fewest
        if wrong:
            raise Unmet(
                expected="; ".join(dict.fromkeys(each.expected for each in wrong)),
                received="; ".join(dict.fromkeys(each.received for each in wrong)),
                hint=" ".join(dict.fromkeys(each.hint for each in wrong if each.hint)),
            )

    def _wrong_cells(
        self,
        row: str,
        cells: Mapping[str, Any],
        mistakes: Mapping[str, Mapping[str, str]],
        hints: Mapping[str, str],
    ) -> list[Unmet]:
        wrong = []
        for column, cell in cells.items():
            why = {**mistakes.get(column, {}), **mistakes.get(f"{row}.{column}", {})}
            try:
                _expect_cell(self[row][column], cell, why, hints.get(column, ""))
            except Unmet as error:
                wrong.append(error)
        return wrong


def _as_number(found: GivenValue) -> GivenValue | None:
    """A number, however it was written; ``None`` when it is none."""
    if found.kind != "text":
        return found if found.numbers is not None and len(found.numbers) == 1 else None
    text = found.text.strip().replace("_", "").replace(" ", "")
    try:
        value = float(Fraction(text.replace(",", "")))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return replace(found, kind="number", shape=(), numbers=(value,), text="")


def _as_word(found: GivenValue) -> str | None:
    if found.kind == "none":
        return "none"
    return found.text if found.kind in ("text", "name") else None


def _expect_cell(found: Questions, cell: Any, mistakes: Mapping[str, str], hint: str) -> None:
    right = cell if isinstance(cell, tuple) else (cell,)
    if all(isinstance(each, str) for each in right):
        found.expect_choice(right[0], also=right[1:], mistakes=mistakes, hint=hint)
    else:
        also = [str(each) for each in right[1:]]
        found.expect_number(right[0], also=also, mistakes=mistakes, hint=hint)
