"""What several commands share: options, faults as sentences, how a command leaves."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once.
# ruff: noqa: PLC0415

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from grader.errors import GraderError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.assignment import Assignment
    from grader.office import Wishes
    from grader.records import Report

OK, NOT_ALL_PASSED, WRONG_USAGE, PERSON_NEEDED, INTERRUPTED = 0, 1, 2, 3, 130

AssignmentArgument = Annotated[
    str,
    typer.Argument(metavar="ASSIGNMENT", help="Name of an assignment, or its folder."),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder with mnist.npz, imdb.npz, cifar-10-batches-py, ... [env: GRADER_DATA]",
    ),
]
IsolationOption = Annotated[
    str | None,
    typer.Option(
        "--isolation",
        metavar="LEVEL",
        help="namespaces, landlock, uid, or none (no protection). Default: the strongest here.",
    ),
]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        help="Where evidence is kept, so that nothing runs twice. [env: GRADER_STORE]",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Run everything again, whatever is known already.")
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="SHORTCUT",
        help="Go the long way: zygote, decoded-data, joined-steps, one-trace, direct-feed. "
        "May be repeated.",
    ),
]


def say(text: str) -> None:
    """Tell whoever watches, beside the results; a file in it may be called anything."""
    from grader.safe.inert import printable

    print("\n".join(map(printable, text.split("\n"))), file=sys.stderr, flush=True)  # noqa: T201


class faults:  # noqa: N801 - used as a word: `with faults(console):`
    """Turns the grader's own errors into a sentence and exit code 2."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Print what is wrong and what to do, and leave."""
        if isinstance(error, GraderError):
            say(f"grader: {error}")
            _abandon(WRONG_USAGE)
            raise typer.Exit(WRONG_USAGE) from None
        if isinstance(error, KeyboardInterrupt):
            say("grader: interrupted.")
            _abandon(INTERRUPTED)


def _abandon(status: int) -> None:
    """End at once where submissions still run: their sandboxes die with this process."""
    import os
    import threading

    from grader.batch import THREADS

    if any(thread.name.startswith(THREADS) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def try_isolation(level: str | None) -> None:
    """Begin to try the isolation: until it is needed there is enough to import and to read."""
    from grader.sandbox import try_ahead

    try_ahead(level)


def the_assignment(given: str) -> "Assignment":
    """Find and read an assignment; see :func:`grader.assignment.find_assignment`."""
    from grader.assignment import find_assignment, read_assignment

    return read_assignment(find_assignment(given))


def wishes_of(  # noqa: PLR0913 - one argument an option
    data: Path | None,
    isolation: str | None,
    jobs: int | None,
    store: Path | None,
    *,
    fresh: bool,
    without: list[str] | None = None,
    cluster: str = "",
) -> "Wishes":
    """Understand what was asked for.

    Raises:
        UsageError: There is no such level or shortcut.
    """
    from dataclasses import fields

    from grader.office import Wishes
    from grader.sandbox.interface import LEVELS
    from grader.workbench import Shortcuts

    level = next((known for known in LEVELS if known == isolation), None)
    if isolation is not None and level is None:
        raise UsageError(
            f"--isolation {isolation}: there is no such level.",
            remedy=f"Known: {', '.join(LEVELS)}.",
        )
    known = [field.name for field in fields(Shortcuts)]
    given = [name.replace("-", "_") for name in without or ()]
    for name in given:
        if name not in known:
            raise UsageError(
                f"--without {name}: there is no such shortcut.",
                remedy=f"Known: {', '.join(each.replace('_', '-') for each in known)}.",
            )
    return Wishes(
        data=data,
        isolation=level,
        jobs=jobs,
        shortcuts=Shortcuts(**dict.fromkeys(given, False)),
        store=store,
        fresh=fresh,
        cluster=cluster,
    )


def leave(reports: "list[Report]", *, strict: bool) -> NoReturn:
    """End with the exit code that these reports deserve."""
    if any(report.needs_a_person for report in reports):
        raise typer.Exit(PERSON_NEEDED)
    if strict and any(report.points < report.out_of for report in reports):
        raise typer.Exit(NOT_ALL_PASSED)
    raise typer.Exit(OK)
