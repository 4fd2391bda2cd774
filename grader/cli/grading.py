"""``grader grade``: the main job, for a class."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once. What
# shows results is imported when there are some: nothing that runs waits for it.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import (
    AssignmentArgument,
    DataOption,
    FreshOption,
    IsolationOption,
    StoreOption,
    WithoutOption,
    faults,
    leave,
    the_assignment,
    try_isolation,
    wishes_of,
)


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
    if not cluster:
        try_isolation(isolation)
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
        # not before: what is typed wrong is told at once
        from grader.office import open_office
        from grader.pipeline import grade as grade_all

        with (
            Watch(len(submissions), console) as watch,
            open_office(wanted, output, wishes, on_progress=watch.hear, say=watch.say) as office,
        ):
            watch.ready()
            reports = grade_all(
                submissions,
                wanted,
                office.desk,
                office.hands,
                jobs=office.jobs,
                note_attempts=True,
            )
            watch.over(office.notes)

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
    leave(reports, strict=strict)
