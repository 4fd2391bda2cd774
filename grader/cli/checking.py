"""``grader check``: a student looks at a piece of work before it is handed in."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once. What
# shows results is imported when there are some: nothing that runs waits for it.
# ruff: noqa: PLC0415

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.common import (
    DataOption,
    FreshOption,
    IsolationOption,
    JsonOption,
    StoreOption,
    faults,
    leave,
    say,
    the_assignment,
    try_isolation,
    wishes_of,
)
from grader.errors import GraderError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.records import Report, Submission

_State = tuple[tuple[str, int, int], ...]
"""Of each file its name, when it was written, and its size."""
LOOK_S = 0.1
"""Seconds between two looks at a file that is watched."""


def check(  # noqa: PLR0913, PLR0917 - one argument an option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your notebook or script.")],
    assignment: Annotated[
        str | None,
        typer.Option(
            "-a",
            "--assignment",
            metavar="ASSIGNMENT",
            help="Default: what the handout says it is.",
        ),
    ] = None,
    watch: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--watch", help="Check again whenever it is saved, until Ctrl-C."),
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    data: DataOption = None,
    isolation: IsolationOption = None,
    store: StoreOption = None,
    fresh: FreshOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Check your own work before handing it in: the visible checks, run the same way."""
    try_isolation(isolation)
    import tempfile

    from rich.console import Console

    from grader.report.progress import Watch

    console = Console(highlight=False, stderr=as_json)
    with (
        faults(console),
        tempfile.TemporaryDirectory(prefix="grader-") as folder,
        ExitStack() as stack,
    ):
        wanted = the_assignment(assignment or _named_in(file))
        wishes = wishes_of(data, isolation, 1, store, fresh=fresh)
        # not before: what is typed wrong is told at once
        from grader.office import Office, open_office
        from grader.pipeline import grade

        progress = Watch(1, console)
        office: Office | None = None
        reports: list[Report] = []
        for submission in _versions(file, watch=watch):
            with progress:
                # kept open while the file is watched: Keras is imported once for all versions
                office = office or stack.enter_context(
                    open_office(
                        wanted,
                        Path(folder),
                        wishes,
                        on_progress=progress.hear,
                        say=progress.say,
                    )
                )
                if watch:
                    office.hands.get_ready()  # the first version may be known, the next is not
                progress.ready()
                reports = grade([submission], wanted, office.desk, office.hands, hidden=False)
                progress.over(office.notes)
            _show(reports[0], console, as_json=as_json)
    leave(reports, strict=True)


def _show(report: "Report", console: "Console", *, as_json: bool) -> None:
    from grader.report.as_json import as_data
    from grader.report.terminal import show_circumstances, show_one
    from grader.safe.inert import inert_json

    if as_json:
        print(  # noqa: T201
            inert_json(as_data(report, for_student=True), indent=2).decode(), flush=True
        )
    else:
        show_one(report, console)
        show_circumstances(report, console)


# ------------------------------------------------------------------ one file, again and again


def _versions(file: Path, *, watch: bool) -> "Iterator[Submission]":
    """Give what the file holds; if it is watched, again whenever it holds something else.

    It is looked at, not listened to: nothing that is saved while a version is checked gets lost,
    and it works where homes lie on another machine.
    """
    seen = _state(file)
    yield _the_submission(file)
    while watch:
        say(f"Waiting for {file} to be saved; Ctrl-C ends this.")
        try:
            seen = _next_state(file, seen)
        except KeyboardInterrupt:
            return
        try:
            submission = _the_submission(file)
        except GraderError as error:
            say(f"grader: {error}")
        else:
            yield submission


def _the_submission(file: Path) -> "Submission":
    from grader.intake.collect import collect

    submissions = collect([file])
    if len(submissions) != 1:
        raise UsageError(
            f"{file}: holds {len(submissions)} submissions.",
            remedy="For a class, use `grader grade`.",
        )
    return submissions[0]


def _next_state(file: Path, seen: _State) -> _State:
    """Wait until a file is there that is another one than was seen, and is written to its end."""
    last = seen
    while True:
        time.sleep(LOOK_S)
        now = _state(file)
        if now and now == last != seen:
            return now
        last = now


def _state(file: Path) -> _State:
    """What changes when a file, or one in a folder, is saved."""
    found = []
    for path in sorted(file.rglob("*")) if file.is_dir() else [file]:
        with suppress(OSError):
            about = path.stat()
            found.append((str(path), about.st_mtime_ns, about.st_size))
    return tuple(found)


def _named_in(file: Path) -> str:
    """The assignment that a handout says it belongs to."""
    from grader.assignment import named_in

    name = named_in(file)
    if name is None:
        raise UsageError(
            f"{file}: does not say which assignment it belongs to.",
            remedy=f"Say so: grader check {file} --assignment mnist_softmax",
        )
    return name
