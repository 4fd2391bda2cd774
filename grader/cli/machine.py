"""``grader data`` and ``grader doctor``: what this machine has."""

# Heavy modules are imported by the command that needs them: `grader --help` answers at once.
# ruff: noqa: PLC0415

from typing import Annotated

import typer

from grader.cli.common import (
    NOT_ALL_PASSED,
    WRONG_USAGE,
    DataOption,
    faults,
)


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
    with faults(console):
        healthy = show_data(console, directory, verify_all=verify)
    if not healthy:
        raise typer.Exit(WRONG_USAGE)


def doctor(
    attack: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--attack",
            help="Attack the isolation that grading would use, as a hostile submission would.",
        ),
    ] = False,
) -> None:
    """Say what this machine offers, and what to do about what it lacks."""
    from rich.console import Console

    from grader.report.inventory import show_machine

    console = Console(highlight=False)
    if attack:
        from grader.report.attacks import show_attacks

        with faults(console):
            held = show_attacks(console)
        if not held:
            raise typer.Exit(NOT_ALL_PASSED)
        return
    with faults(console):
        able = show_machine(console)
    if not able:
        raise typer.Exit(WRONG_USAGE)
