"""The command line: arguments, printing, exit codes. Nothing else prints or exits.

Exit codes: 0 graded; 1 graded, not all passed (``check``, ``--strict``); 2 wrong usage or
assignment; 3 a person must look.
"""

from typing import Annotated

import typer

from grader.cli import store
from grader.cli.authoring import calibrate, validate
from grader.cli.checking import check
from grader.cli.common import OK
from grader.cli.grading import grade
from grader.cli.machine import data, doctor
from grader.cli.release import handout, new, release

app = typer.Typer(
    name="grader",
    help="Grades homework in which students build neural networks with Keras.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(short_help="Grade a class: run, examine, measure, report.")(grade)
app.command(short_help="Check your own work before handing it in.")(check)
app.command(short_help="Make a new assignment from its reference solution.")(new)
app.command(short_help="Make a handout anew from its solution.")(handout)
app.command(short_help="Write the students' pack, with nothing hidden in it.")(release)
app.command(short_help="Test an assignment before students do.")(validate)
app.command(short_help="Find out which accuracy luck does not decide.")(calibrate)
app.command(short_help="List and verify the data sets.")(data)
app.command(short_help="Say what this machine offers.")(doctor)
app.add_typer(store.app)


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - seldom wanted

        print(f"keras-grader {version('keras-grader')}")  # noqa: T201 - what was asked for
        raise typer.Exit(OK)


@app.callback()
def _options(
    version: Annotated[  # noqa: FBT002 - a flag whose callback does the work
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    pass
