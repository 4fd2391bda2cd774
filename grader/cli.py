"""The command line: arguments, printing, exit codes. Nothing else prints or exits.

Exit codes: 0 graded; 1 graded, not all passed (``check``, ``--strict``); 2 wrong usage or
assignment; 3 a person must look.
"""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once.
# ruff: noqa: PLC0415

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from grader import cli_store
from grader.errors import GraderError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.assignment import Assignment
    from grader.office import Wishes
    from grader.records import Report, Submission
    from grader.report.progress import Watch

OK, NOT_ALL_PASSED, WRONG_USAGE, PERSON_NEEDED, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="grader",
    help="Grades homework in which students build neural networks with Keras.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_store.app)

AssignmentArgument = Annotated[
    str,
    typer.Argument(metavar="ASSIGNMENT", help="Name of an assignment, or its folder."),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder with mnist.npz, imdb.npz, ... [env: GRADER_DATA]",
    ),
]
IsolationOption = Annotated[
    str | None,
    typer.Option(
        "--isolation",
        metavar="LEVEL",
        help="namespaces, landlock, or none (no protection). Default: the strongest here.",
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
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Run everything again, whatever is known already.")
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="SHORTCUT",
        help="Go the long way: zygote, decoded-data, joined-steps. May be repeated.",
    ),
]


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        from importlib.metadata import version

        print(f"keras-grader {version('keras-grader')}")  # noqa: T201 - what was asked for
        raise typer.Exit(OK)


@app.callback()
def _options(
    version: Annotated[  # noqa: FBT002 - a flag whose callback does the work
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    pass


@app.command(short_help="Grade a class: run, examine, measure, report.")
def grade(  # noqa: PLR0913, PLR0917 - one argument an option
    assignment: AssignmentArgument,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Notebooks, scripts, folders or zips."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where results go.")
    ] = Path("results"),
    data: DataOption = None,
    isolation: IsolationOption = None,
    jobs: Annotated[
        int | None,
        typer.Option("-j", "--jobs", min=1, help="Submissions at a time. Default: what fits."),
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Work on the workers of this Dask scheduler: tcp://HOST:PORT or file:///PATH.",
        ),
    ] = "",
    store: StoreOption = None,
    fresh: FreshOption = False,  # noqa: FBT002 - a flag of the command line
    without: WithoutOption = None,
    timings: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--timings", help="Show where the time went.")
    ] = False,
    strict: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--strict", help="Exit with 1 unless everybody has full marks."),
    ] = False,
) -> None:
    """Grade a class: run each submission, examine and measure its model, report.

    What earlier calls found out is not run again, but judged anew: a call that was interrupted goes
    on where it stopped, and a changed check costs seconds.
    """
    from rich.console import Console

    from grader.collect import collect
    from grader.report.progress import Watch
    from grader.report.terminal import show_circumstances, show_class
    from grader.report.timings import show_timings

    console = Console(highlight=False)
    with _faults(console):
        wanted = _assignment(assignment)
        submissions = collect(paths)
        wishes = _wishes(
            data, isolation, jobs, store, fresh=fresh, without=without, cluster=cluster
        )
        with Watch(len(submissions), console) as watch:
            reports = _grade(submissions, wanted, output, wishes, watch, hidden=True)
    show_class(reports, console)
    show_circumstances(reports[0], console)
    if timings:
        show_timings(reports, watch.seconds, console)
    console.print(
        f"Results: {output}/grades.csv, {output}/submissions/<student>/report.json",
        markup=False,
    )
    _leave(reports, strict=strict)


@app.command(short_help="Check your own work before handing it in.")
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
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print the report as JSON, and nothing else.")
    ] = False,
    data: DataOption = None,
    isolation: IsolationOption = None,
    store: StoreOption = None,
    fresh: FreshOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Check your own work before handing it in: the visible checks, run the same way."""
    import json
    import tempfile

    from rich.console import Console

    from grader.collect import collect
    from grader.report.as_json import as_data
    from grader.report.progress import Watch
    from grader.report.terminal import show_circumstances, show_one

    console = Console(highlight=False, stderr=as_json)
    with _faults(console), tempfile.TemporaryDirectory(prefix="grader-") as folder:
        wanted = _assignment(assignment or _named_in(file))
        submissions = collect([file])
        if len(submissions) != 1:
            raise UsageError(
                f"{file}: holds {len(submissions)} submissions.",
                remedy="For a class, use `grader grade`.",
            )
        wishes = _wishes(data, isolation, 1, store, fresh=fresh)
        with Watch(1, console) as watch:
            report = _grade(submissions, wanted, Path(folder), wishes, watch, hidden=False)[0]
    if as_json:
        print(json.dumps(as_data(report, for_student=True), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        show_one(report, console)
        show_circumstances(report, console)
    _leave([report], strict=True)


@app.command(short_help="List and verify the data sets.")
def data(
    directory: DataOption = None,
    verify: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--verify", help="Read every prepared file again and compare its hash."),
    ] = False,
) -> None:
    """Say which data sets are there, from where, and whether they are what they should be."""
    from rich.console import Console

    from grader.report.inventory import show_data

    console = Console(highlight=False)
    with _faults(console):
        healthy = show_data(console, directory, verify_all=verify)
    if not healthy:
        raise typer.Exit(WRONG_USAGE)


@app.command(short_help="Say what this machine offers.")
def doctor() -> None:
    """Say what this machine offers, and what to do about what it lacks."""
    from rich.console import Console

    from grader.report.inventory import show_machine

    console = Console(highlight=False)
    with _faults(console):
        able = show_machine(console)
    if not able:
        raise typer.Exit(WRONG_USAGE)


# ------------------------------------------------------------------ what the commands share


class _faults:  # noqa: N801 - used as a word: `with _faults(console):`
    """Turns the grader's own errors into a sentence and exit code 2."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Print what is wrong and what to do, and leave."""
        if isinstance(error, GraderError):
            print(f"grader: {error}", file=sys.stderr)  # noqa: T201
            _abandon(WRONG_USAGE)
            raise typer.Exit(WRONG_USAGE) from None
        if isinstance(error, KeyboardInterrupt):
            print("grader: interrupted.", file=sys.stderr)  # noqa: T201
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


def _assignment(given: str) -> "Assignment":
    from grader.assignment import find_assignment, read_assignment

    return read_assignment(find_assignment(given))


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


def _wishes(  # noqa: PLR0913 - one argument an option
    data: Path | None,
    isolation: str | None,
    jobs: int | None,
    store: Path | None,
    *,
    fresh: bool,
    without: list[str] | None = None,
    cluster: str = "",
) -> "Wishes":
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


def _grade(
    submissions: "list[Submission]",
    assignment: "Assignment",
    results: Path,
    wishes: "Wishes",
    watch: "Watch",
    *,
    hidden: bool,
) -> "list[Report]":
    from grader.office import open_office
    from grader.pipeline import grade as grade_all

    with open_office(assignment, results, wishes, on_progress=watch.hear, say=watch.say) as office:
        watch.ready()
        reports = grade_all(
            submissions, assignment, office.desk, office.hands, jobs=office.jobs, hidden=hidden
        )
        watch.over(office.notes)
    return reports


def _leave(reports: "list[Report]", *, strict: bool) -> NoReturn:
    if any(report.needs_a_person for report in reports):
        raise typer.Exit(PERSON_NEEDED)
    if strict and any(report.points < report.out_of for report in reports):
        raise typer.Exit(NOT_ALL_PASSED)
    raise typer.Exit(OK)
