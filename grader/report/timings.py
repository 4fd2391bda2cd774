"""Where the time of a batch went, stage by stage."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from grader.records import Report

STAGES = {
    "executing": "student's code (sandbox)",
    "examining": "judge (sandbox)",
    "measuring": "accuracy",
    "checking": "checks",
    "reporting": "reports",
}


def show_timings(reports: Sequence[Report], phases: Mapping[str, float], console: Console) -> None:
    """Print the seconds of each stage.

    Stages of several submissions run side by side, so that their sum may exceed the wall time.

    Args:
        reports: Of the whole batch.
        phases: Wall time of the call: ``preparing``, ``grading``.
        console: Where to print.
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for heading in ("submissions", "seconds", "each", "slowest"):
        table.add_column(heading, justify="right")
    for stage, words in STAGES.items():
        spent = [report.seconds[stage] for report in reports if stage in report.seconds]
        if spent:
            table.add_row(
                words,
                f"{len(spent)}",
                f"{sum(spent):.2f}",
                f"{sum(spent) / len(spent):.4f}",
                f"{max(spent):.3f}",
            )
    fits = [sum(fit.seconds for fit in report.fits) for report in reports if report.fits]
    if fits:
        table.add_row(
            "of it in fit", f"{len(fits)}", f"{sum(fits):.2f}",
            f"{sum(fits) / len(fits):.4f}", f"{max(fits):.3f}",
        )  # fmt: skip
    console.print(table)
    whole = sum(phases.values())
    parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in phases.items())
    console.print(
        f"Wall time: {whole:.2f} s ({parts}), {whole / max(1, len(reports)):.3f} s a submission.",
        markup=False,
    )
