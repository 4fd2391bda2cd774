"""``grader store``: list, verify, export, import and prune what submissions did."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once.
# ruff: noqa: PLC0415

import contextlib
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.errors import GraderError, StoreError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.store import Store

WRONG_USAGE = 2
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_BYTES = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([a-z]*)")

app = typer.Typer(
    name="store",
    help="Look after the evidence: what submissions did, kept so that nothing runs twice.",
    short_help="List, verify, export and prune what is known of past runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="The evidence store. [env: GRADER_STORE]"),
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A zip archive.")]


@app.command("list", short_help="List what is kept.")
def list_entries(
    store: StoreOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, metavar="N", help="Show so many; 0 shows all.")
    ] = 50,
) -> None:
    """List what is kept, newest first, with its size."""
    from grader.report.shelf import show_entries

    console = _console()
    with _faults(), _opened(store) as opened:
        show_entries(opened.entries(), console, most=limit)
        console.print(f"Evidence store: {opened.folder}", markup=False)


@app.command(short_help="Read everything and compare its hash.")
def verify(store: StoreOption = None) -> None:
    """Read everything and compare its hash. Exit code 2 when something is wrong."""
    from grader.report.shelf import show_problem

    console = _console()
    wrong = leftovers = 0
    with _faults(), _opened(store) as opened:
        for problem in opened.verify():
            show_problem(problem, console)
            leftovers += problem.sweepable
            wrong += not problem.sweepable
        folder = opened.folder
    if wrong:
        console.print(f"{folder}: {wrong} wrong.", markup=False)
        raise typer.Exit(WRONG_USAGE)
    swept = f" Leftovers that do no harm: {leftovers}." if leftovers else ""
    console.print(f"{folder}: everything that is kept is sound.{swept}", markup=False)


@app.command(short_help="Write what is kept into one zip archive.")
def export(file: FileArgument, store: StoreOption = None) -> None:
    """Write what is kept into one zip archive: index.json, and blobs by their hash."""
    console = _console()
    with _faults(), _opened(store) as opened:
        number = opened.export(file)
    console.print(f"{file}: {number:,} written. It holds students' work.", markup=False)


@app.command("import", short_help="Take in what was exported elsewhere.")
def take_in(file: FileArgument, store: StoreOption = None) -> None:
    """Take in what was exported elsewhere. Whoever made it says what submissions did."""
    from grader.store import Store, default_folder

    console = _console()
    with _faults(), Store(store or default_folder()) as opened:
        number = opened.merge(file)
        console.print(f"{opened.folder}: {number:,} new from {file}.", markup=False)


@app.command(short_help="Remove what is old or takes too much room.")
def prune(
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Remove what is older: 90d, 12h, 2w."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="SIZE", help="Keep the newest that fit: 5GB, 500MB."),
    ] = None,
    damaged: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--damaged", help="Remove what is damaged. Reads everything.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--dry-run", help="Remove nothing; say what would be removed.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Remove what is old or takes too much room, and always what others left unfinished.

    What is removed is run again when it is next wanted. A grader may run meanwhile.
    """
    from grader.report.shelf import show_pruned

    console = _console()
    with _faults():
        age = None if older_than is None else timedelta(hours=_amount(older_than, _HOURS, "90d"))
        size = None if keep is None else int(_amount(keep, _BYTES, "5GB"))
        with _opened(store) as opened:
            pruned = opened.prune(older_than=age, keep_bytes=size, damaged=damaged, dry_run=dry_run)
            show_pruned(pruned, console, dry_run=dry_run)


# ------------------------------------------------------------------ what the commands share


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turn the grader's own errors into a sentence and exit code 2."""
    try:
        yield
    except GraderError as error:
        print(f"grader: {error}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(WRONG_USAGE) from None


@contextlib.contextmanager
def _opened(named: Path | None) -> Iterator["Store"]:
    """Open a store that is there; looking at it makes none."""
    from grader.store import Store, default_folder, is_store

    folder = named or default_folder()
    if not is_store(folder):
        raise StoreError(
            f"There is no evidence store in {folder}.",
            remedy="`grader grade` makes one. For another: grader store list --store DIR",
        )
    with Store(folder) as store:
        yield store


def _amount(text: str, units: dict[str, int], example: str) -> float:
    found = _AMOUNT.fullmatch(text.strip().lower())
    if not found or found[2] not in units:
        known = ", ".join(unit for unit in units if unit)
        raise UsageError(f"{text!r} is no amount.", remedy=f"Like {example}; units: {known}.")
    return float(found[1]) * units[found[2]]
