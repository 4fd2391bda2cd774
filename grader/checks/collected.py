"""Test functions as pytest found them → checks with titles and points, or complaints."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.settings import Settings

MARKERS = (
    "points(n): what the check is worth",
    "requires(name, ...): checks that must have passed, or this one is skipped",
)
NEEDED_TABLES: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "fits": ("model",),
    "history": ("model",),
    "held_out": ("data", "model"),
    "probes": ("probes",),
    "answers": ("probes",),
}
"""What a fixture stands on in ``assignment.toml``."""


@dataclass(frozen=True, slots=True)
class Check:
    """A test function, read."""

    item: pytest.Item
    """What pytest runs."""
    name: str
    """The test function, and its parameters."""
    title: str
    """Its docstring's first line, and its parameters."""
    points: float
    """What it is worth."""
    requires: tuple[str, ...]
    """Which checks must have passed."""
    hidden: bool
    """Not shown to students."""

    @property
    def facts(self) -> tuple[str, ...]:
        """The fixtures it asks for, directly or not."""
        return tuple(getattr(self.item, "fixturenames", ()))


class Reader:
    """Reads the checks of an assignment, and complains where students would be told too little.

    Args:
        settings: The assignment's.
        hidden: The files, resolved, whose checks students do not see.
    """

    def __init__(self, settings: Settings, hidden: Collection[Path]) -> None:
        self.complaints: list[str] = []
        """What is wrong with them, and where."""
        self._settings = settings
        self._hidden = hidden

    def read(self, items: Sequence[pytest.Item]) -> list[Check]:
        """Read what pytest collected, in its order."""
        checks: list[Check] = []
        known: set[str] = set()
        for item in items:
            check = self._read(item)
            if check.name in {other.name for other in checks}:
                self._complain(item, f"there is a second check called {check.name}")
            for name in check.requires:
                if name not in known:
                    self._complain(item, f"requires {name!r}, which is no check before it")
            checks.append(check)
            known |= {check.name, check.name.partition("[")[0]}
        return checks

    def _read(self, item: pytest.Item) -> Check:
        function = getattr(item, "function", None)
        title = (inspect.getdoc(function) or "").partition("\n")[0].strip()
        marks = list(item.iter_markers("points"))
        points = marks[0].args[0] if marks and len(marks[0].args) == 1 else None
        if not title:
            self._complain(item, "has no docstring: its first line is the title that students read")
        if not isinstance(points, int | float) or isinstance(points, bool) or points < 0:
            self._complain(item, "has no points: write @pytest.mark.points(2) above it")
            points = 0
        parameters = item.name.partition("[")[2].removesuffix("]")
        check = Check(
            item=item,
            name=item.name,
            title=f"{title} [{parameters}]" if parameters else title,
            points=float(points),
            requires=tuple(
                str(name) for mark in item.iter_markers("requires") for name in mark.args
            ),
            hidden=item.path.resolve() in self._hidden,
        )
        for name in check.facts:
            if missing := self._missing_tables(name):
                self._complain(
                    item,
                    f"asks for `{name}`, and assignment.toml has no {' and no '.join(missing)}",
                )
        return check

    def _missing_tables(self, fixture: str) -> list[str]:
        """The tables of ``assignment.toml`` that a fixture stands on and that are not there."""
        return [
            f"[{table}]"
            for table in NEEDED_TABLES.get(fixture, ())
            if not getattr(self._settings, table)
        ]

    def _complain(self, item: pytest.Item, what: str) -> None:
        path, line, _ = item.location
        place = f"{item.path.parent.name}/{Path(path).name}" + (
            f":{line + 1}" if line is not None else ""
        )
        self.complaints.append(f"{place}: {item.name}: {what}.")
