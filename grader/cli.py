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
    from grader.records import Report, Submission
    from grader.report.progress import Watch
    from grader.workbench import Workbench

OK, NOT_ALL_PASSED, WRONG_USAGE, PERSON_NEEDED = 0, 1, 2, 3

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
    strict: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--strict", help="Exit with 1 unless everybody has full marks."),
    ] = False,
) -> None:
    """Grade a class: run each submission, examine and measure its model, report."""
    from rich.console import Console

    from grader.collect import collect
    from grader.report.progress import Watch
    from grader.report.terminal import show_circumstances, show_class

    console = Console(highlight=False)
    with _faults(console):
        wanted = _assignment(assignment)
        submissions = collect(paths)
        with Watch(len(submissions), console) as watch:
            bench = _bench(wanted, output, data, isolation, watch)
            reports = _grade(submissions, wanted, bench, jobs, hidden=True)
    show_class(reports, console)
    show_circumstances(reports[0], console)
    console.print(
        f"Results: {output}/grades.csv, {output}/submissions/<student>/report.json",
        markup=False,
    )
    _leave(reports, strict=strict)


@app.command(short_help="Check your own work before handing it in.")
def check(
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
        with Watch(1, console) as watch:
            bench = _bench(wanted, Path(folder), data, isolation, watch)
            report = _grade(submissions, wanted, bench, 1, hidden=False)[0]
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
            raise typer.Exit(WRONG_USAGE) from None


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


def _bench(
    assignment: "Assignment",
    results: Path,
    data: Path | None,
    isolation: str | None,
    watch: "Watch",
) -> "Workbench":
    from grader.datasets import load
    from grader.sandbox import open_sandbox
    from grader.sandbox.interface import LEVELS
    from grader.workbench import Workbench

    level = next((known for known in LEVELS if known == isolation), None)
    if isolation is not None and level is None:
        raise UsageError(
            f"--isolation {isolation}: there is no such level.",
            remedy=f"Known: {', '.join(LEVELS)}.",
        )
    sandbox = open_sandbox(level)
    watch.say(f"Preparing {assignment.settings.data.set} ...")
    dataset = load(assignment.settings.data.set, data_dir=data)
    return Workbench(
        sandbox=sandbox,
        dataset=dataset,
        results=results.resolve(),
        on_progress=watch.hear,
    )


def _grade(
    submissions: "list[Submission]",
    assignment: "Assignment",
    bench: "Workbench",
    jobs: int | None,
    *,
    hidden: bool,
) -> "list[Report]":
    from grader.batch import sensible_jobs
    from grader.pipeline import grade as grade_all

    jobs = jobs or sensible_jobs(assignment.settings.limits.memory_gib)
    return grade_all(submissions, assignment, bench, jobs=jobs, hidden=hidden)


def _leave(reports: "list[Report]", *, strict: bool) -> NoReturn:
    if any(report.needs_a_person for report in reports):
        raise typer.Exit(PERSON_NEEDED)
    if strict and any(report.points < report.out_of for report in reports):
        raise typer.Exit(NOT_ALL_PASSED)
    raise typer.Exit(OK)
