"""``grader new``, ``handout`` and ``release``: from a solution to a students' pack."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import (
    AssignmentArgument,
    DataOption,
    IsolationOption,
    StoreOption,
    faults,
    the_assignment,
    wishes_of,
)


def release(
    assignment: AssignmentArgument,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="PLACE", help="A new folder, or a file.zip."),
    ],
    data: DataOption = None,
) -> None:
    """Write the students' pack: handout, visible checks, settings, data, and nothing hidden.

    It is searched for names, titles and lines of the hidden checks before anything is written.
    """
    from rich.console import Console

    from grader.authoring.pack import pack, write_pack
    from grader.checks.verdict import count

    console = Console(highlight=False)
    with faults(console):
        made = pack(the_assignment(assignment), data)
        write_pack(made, output)
        for name, content in made.files.items():
            console.print(f"  {name}  {len(content):,} bytes", markup=False)
        for what, checks in (("visible", made.visible), ("hidden", made.hidden)):
            worth = count(sum(check.points for check in checks), "point")
            console.print(f"{count(len(checks), f'{what} check')}, worth {worth}.")
        if made.left_out:
            console.print(f"Left out of assignment.toml: {', '.join(made.left_out)}.")
        console.print(f"{output}: nothing hidden stands in it.", markup=False)


def handout(
    assignment: AssignmentArgument,
    solution: Annotated[
        Path, typer.Option("--from", metavar="SOLUTION", help="The reference, in percent format.")
    ],
) -> None:
    """Make an assignment's handout anew from its reference solution."""
    from rich.console import Console

    from grader.authoring.release import handout as make

    console = Console(highlight=False)
    with faults(console):
        wanted = the_assignment(assignment)
        file = wanted.folder / "handout.ipynb"
        file.write_text(make(solution, wanted.name), "utf-8")
        console.print(f"{file}: made from {solution}.", markup=False)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    solution: Annotated[
        Path,
        typer.Option("--from", metavar="SOLUTION", help="The reference, in percent format."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Default: assignments/NAME."),
    ] = None,
    data: DataOption = None,
    isolation: IsolationOption = None,
    store: StoreOption = None,
) -> None:
    """Make a new assignment from its reference solution, and see that it holds.

    The reference is run and looked at; what it is becomes settings and checks, each with a comment
    on how to ask for less.
    """
    from rich.console import Console

    from grader.authoring.new import new_assignment
    from grader.report.progress import Watch
    from grader.report.terminal import show_proposal

    console = Console(highlight=False)
    with faults(console):
        place = output or Path("assignments") / name
        wishes = wishes_of(data, isolation, 1, store, fresh=False)
        with Watch(2, console) as watch:
            made = new_assignment(name, solution, place, wishes, watch)
    show_proposal(made.reference, made.untouched, console)
    console.print(f"Understood: {made.understood}.", markup=False)
    for line in made.dropped:
        console.print(f"Left out: {line}", markup=False)
    console.print(
        f"{place}: written. Loosen its checks, then: grader grade {place} {solution}", markup=False
    )
