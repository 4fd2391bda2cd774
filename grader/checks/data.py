"""Checks of the arrays a student made: shapes, types and ranges of named variables."""

from collections.abc import Iterator, Mapping

from grader.checks.verdict import MissingFactError, Unmet
from grader.records import ArrayFacts


class Variables(Mapping[str, ArrayFacts]):
    """Facts of the arrays that had a name when the run ended, as checks see them."""

    def __init__(self, facts: Mapping[str, ArrayFacts]) -> None:
        self._facts = facts

    def __getitem__(self, name: str) -> ArrayFacts:
        """Give one array's facts.

        Raises:
            Unmet: There is no array of that name.
        """
        if name not in self._facts:
            near = ", ".join(f"`{known}`" for known in sorted(self._facts)[:10])
            raise MissingFactError(
                expected=f"an array called `{name}`",
                received=f"arrays called {near}" if near else "no arrays",
                hint="Keep the names that the handout gives.",
            )
        return self._facts[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of that name."""
        return name in self._facts

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._facts)

    def __len__(self) -> int:
        """Count the arrays."""
        return len(self._facts)

    def expect_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Expect an array's shape.

        Example:
            ``variables.expect_shape("x_train", (60000, 784))``
        """
        found = self[name].shape
        if found != shape:
            raise Unmet(expected=f"`{name}` of shape {shape}", received=f"shape {found}")
