"""How a check says no: expected, received, and what to try."""

from dataclasses import dataclass

from grader.records import AlignedLayer, CheckWord

EVERY_WORD: tuple[CheckWord, ...] = ("expected", "received", "hint")


class Unmet(AssertionError):  # noqa: N818 - it reads as what it is: an expectation unmet
    """An expectation that a submission does not meet.

    Args:
        expected: What ought to be, in the student's terms.
        received: What is.
        hint: What to try, or why it matters; never the solution.
        alignment: The expected and the found network side by side.
        tells: Which of the three may tell what was measured on held-out data. Where the check has
            been told it, all of them, unless this says which.
    """

    def __init__(
        self,
        *,
        expected: str,
        received: str,
        hint: str = "",
        alignment: tuple[AlignedLayer, ...] = (),
        tells: tuple[CheckWord, ...] = (),
    ) -> None:
        super().__init__(
            f"expected {expected}. Received: {received}." + (f" {hint}" if hint else "")
        )
        self.expected = expected
        self.received = received
        self.hint = hint
        self.alignment = alignment
        self.tells = tells


class MissingFactError(Unmet):
    """There is nothing to judge, and it is the student's doing."""


class BrokenFactError(Exception):
    """There is nothing to judge, and it is not the student's doing."""


@dataclass(slots=True)
class Told:
    """What the check that is running has been told, and could therefore tell."""

    measured: bool = False
    """What was measured on held-out data."""


def count(number: float, thing: str) -> str:
    """``count(1, "epoch")`` → ``"1 epoch"``, ``count(7850, "weight")`` → ``"7,850 weights"``."""
    shown = f"{number:,}".removesuffix(".0")
    return f"{shown} {thing}" if number == 1 else f"{shown} {thing}s"
