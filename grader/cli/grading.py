"""``grader grade`` and ``grader check``: the main job, for a class and for oneself."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once. What
# shows results is imported when there are some: nothing that runs waits for it.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from grader.cli.common import (
    NOT_ALL_PASSED,
    OK,
    PERSON_NEEDED,
    AssignmentArgument,
    DataOption,
    FreshOption,
    IsolationOption,
    StoreOption,
    WithoutOption,
    faults,
    the_assignment,
    wishes_of,
)
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.office import Wishes
    from grader.records import Report, Submission
    from grader.report.progress import Watch


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

    from grader.intake.collect import collect
    from grader.report.progress import Watch

    console = Console(highlight=False)
    with faults(console):
        wanted = the_assignment(assignment)
        submissions = collect(paths)
        wishes = wishes_of(
            data, isolation, jobs, store, fresh=fresh, without=without, cluster=cluster
        )
        with Watch(len(submissions), console) as watch:
            reports = _grade(submissions, wanted, output, wishes, watch, hidden=True)

    from grader.report.overview import show_overview
    from grader.report.terminal import show_circumstances, show_class
    from grader.report.timings import show_timings

    show_class(reports, console)
    show_overview(reports, console)
    show_circumstances(reports[0], console)
    if timings:
        show_timings(reports, watch.seconds, console)
    console.print(
        f"Results: {output}/grades.csv, {output}/submissions/<student>/report.json",
        markup=False,
    )
    _leave(reports, strict=strict)


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
    import tempfile

    from rich.console import Console

    from grader.intake.collect import collect
    from grader.report.progress import Watch

    console = Console(highlight=False, stderr=as_json)
    with faults(console), tempfile.TemporaryDirectory(prefix="grader-") as folder:
        wanted = the_assignment(assignment or _named_in(file))
        submissions = collect([file])
        if len(submissions) != 1:
            raise UsageError(
                f"{file}: holds {len(submissions)} submissions.",
                remedy="For a class, use `grader grade`.",
            )
        wishes = wishes_of(data, isolation, 1, store, fresh=fresh)
        with Watch(1, console) as watch:
            report = _grade(submissions, wanted, Path(folder), wishes, watch, hidden=False)[0]

    from grader.report.as_json import as_data
    from grader.report.terminal import show_circumstances, show_one
    from grader.safe.inert import inert_json

    if as_json:
        print(inert_json(as_data(report, for_student=True), indent=2).decode())  # noqa: T201
    else:
        show_one(report, console)
        show_circumstances(report, console)
    _leave([report], strict=True)


# ------------------------------------------------------------------ what they share


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
            submissions,
            assignment,
            office.desk,
            office.hands,
            jobs=office.jobs,
            hidden=hidden,
            note_attempts=hidden,
        )
        watch.over(office.notes)
    return reports


def _leave(reports: "list[Report]", *, strict: bool) -> NoReturn:
    if any(report.needs_a_person for report in reports):
        raise typer.Exit(PERSON_NEEDED)
    if strict and any(report.points < report.out_of for report in reports):
        raise typer.Exit(NOT_ALL_PASSED)
    raise typer.Exit(OK)


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
