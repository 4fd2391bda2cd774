"""``grader validate`` and ``grader calibrate``: an assignment is tried before students do."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once.
# ruff: noqa: PLC0415

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.common import (
    NOT_ALL_PASSED,
    OK,
    AssignmentArgument,
    DataOption,
    FreshOption,
    IsolationOption,
    JsonOption,
    StoreOption,
    faults,
    the_assignment,
    wishes_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from grader.authoring.watching import Watching
    from grader.workbench import OnProgress

SolutionOption = Annotated[
    Path | None,
    typer.Option(
        "--solution",
        metavar="FILE",
        help="The reference. Default: solutions/<name>.py beside assignments/.",
    ),
]
FEWEST_RUNS = 3
"""Of two runs, a deviation says next to nothing."""
JobsOption = Annotated[
    int | None,
    typer.Option("-j", "--jobs", min=1, help="Runs at a time. Default: what fits."),
]


def validate(  # noqa: PLR0913, PLR0917 - one argument an option
    assignment: AssignmentArgument,
    solution: SolutionOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="KIND", help="Only mutants of this kind. May be repeated."),
    ] = None,
    each: Annotated[
        int,
        typer.Option("--each", min=0, metavar="N", help="At most N mutants of a kind; 0 for all."),
    ] = 6,
    list_only: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--list", help="Show the mutants with their diffs; run nothing.")
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    data: DataOption = None,
    isolation: IsolationOption = None,
    jobs: JobsOption = None,
    store: StoreOption = None,
    fresh: FreshOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Test an assignment before students do: its reference, its handout, and many mistakes.

    Exit codes: 0 the assignment is sound; 1 something is to be changed; 2 it cannot be read.
    """
    from rich.console import Console

    from grader.authoring.solution import find_solution
    from grader.authoring.validate import plan_of
    from grader.authoring.validate import validate as validate_plan
    from grader.report.trials import show_mutants, show_validation, validation_data

    console = Console(highlight=False, stderr=as_json and not list_only)
    with faults(console):
        wanted = the_assignment(assignment)
        plan = plan_of(wanted, find_solution(wanted, solution), only or (), each=each)
        if list_only:
            show_mutants(plan.mutants, console)
            raise typer.Exit(OK)
        wishes = wishes_of(data, isolation, jobs, store, fresh=fresh)
        found = validate_plan(plan, wishes, watching=_watching(console))
    if as_json:
        print(json.dumps(validation_data(found), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        show_validation(found, console)
    raise typer.Exit(OK if found.is_sound else NOT_ALL_PASSED)


def calibrate(  # noqa: PLR0913, PLR0917 - one argument an option
    assignment: AssignmentArgument,
    runs: Annotated[
        int, typer.Option("--runs", metavar="K", min=FEWEST_RUNS, help="How many seeds are tried.")
    ] = 10,
    solution: SolutionOption = None,
    write: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--write", help="Write the proposal into assignment.toml.")
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    data: DataOption = None,
    isolation: IsolationOption = None,
    jobs: JobsOption = None,
    store: StoreOption = None,
    fresh: FreshOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Run the reference with several seeds, and propose a threshold that luck does not decide."""
    from rich.console import Console

    from grader.authoring.calibrate import calibrate as calibrate_assignment
    from grader.authoring.calibrate import must_have_thresholds, write_thresholds
    from grader.authoring.solution import find_solution
    from grader.report.trials import calibration_data, show_calibration

    console = Console(highlight=False, stderr=as_json)
    with faults(console):
        wanted = the_assignment(assignment)
        wishes = wishes_of(data, isolation, jobs, store, fresh=fresh)
        file = find_solution(wanted, solution)
        if write:
            must_have_thresholds(wanted)
        found = calibrate_assignment(wanted, file, runs, wishes, watching=_watching(console))
        written = write_thresholds(wanted, found) if write else None
    if as_json:
        print(json.dumps(calibration_data(found), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        show_calibration(found, console)
    if written:
        console.print(
            f"Written to {written}. Change `version` there, and see whether the checks agree: "
            f"grader validate {assignment}",
            markup=False,
        )
    elif found.thresholds:
        console.print("To write it into assignment.toml, add --write.", markup=False)


# ------------------------------------------------------------------ what they share


def _watching(console: "Console") -> "Watching":
    """Show each round of a trial with a bar of its own."""

    @contextmanager
    def watching(total: int) -> Iterator["OnProgress"]:
        from grader.report.progress import Watch

        with Watch(total, console) as watch:
            watch.ready()
            yield watch.hear
            watch.over()

    return watching
