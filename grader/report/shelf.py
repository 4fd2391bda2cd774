"""The evidence store, in words: what is kept, what is wrong with it, what was pruned."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.report.words import plain_text
from grader.store import Entry, Problem, Pruned

_STEP = 1000
_UNITS = ("kB", "MB", "GB", "TB")


def show_entries(entries: Iterable[Entry], console: Console, *, most: int = 0) -> None:
    """Print one line an entry, and the totals.

    Args:
        entries: Newest first.
        console: Where to.
        most: How many lines; 0 for all.
    """
    table = Table(title="Evidence, newest first", title_justify="left")
    table.add_column("when", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("student", overflow="fold")
    table.add_column("assignment", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("key", no_wrap=True)
    number = total = 0
    for entry in entries:
        number, total = number + 1, total + entry.size
        if most and number > most:
            continue
        table.add_row(
            f"{entry.made.astimezone():%Y-%m-%d %H:%M}",
            entry.kind,
            Text(plain_text(entry.about.get("student", ""))),
            Text(plain_text(entry.about.get("assignment", ""))),
            size_words(entry.size),
            entry.key[:12],
        )
    if number:
        console.print(table)
    if most and number > most:
        console.print(f"{_count(number - most, 'entry', 'entries')} more: --limit 0 shows all.")
    console.print(f"{_count(number, 'entry', 'entries')}, {size_words(total)}.")


def show_problem(problem: Problem, console: Console) -> None:
    """Print what is wrong and what to do about it."""
    style = "yellow" if problem.sweepable else "red"
    console.print(Text(f" ✗ {plain_text(problem.what)}", style))
    for line in problem.remedy.splitlines():
        console.print(Text(f"     {plain_text(line)}", "dim"))


def show_pruned(pruned: Pruned, console: Console, *, dry_run: bool) -> None:
    """Print what was removed, or what would be."""
    parts = [
        _count(pruned.entries, "entry", "entries"),
        _count(pruned.blobs, "blob", "blobs"),
        _count(pruned.leftovers, "unfinished file", "unfinished files"),
    ]
    verb = "Would remove" if dry_run else "Removed"
    console.print(f"{verb} {', '.join(parts)}: {size_words(pruned.bytes)}.")


def size_words(size: int) -> str:
    """A size as people say it: ``"1.2 MB"``."""
    if size < _STEP:
        return f"{size} B"
    power = 1
    while size >= _STEP ** (power + 1) and power < len(_UNITS):
        power += 1
    return f"{size / _STEP**power:.1f} {_UNITS[power - 1]}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
