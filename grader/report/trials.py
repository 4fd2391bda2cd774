"""What validation and calibration found → the terminal and JSON."""

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.checks.verdict import count
from grader.measure import as_read
from grader.report.words import plain_text
from grader.safe.plain import plain
from grader.trials import Calibration, Complaint, Fate, MutantTried, Spread, Validation

MARKS = {True: Text("✓", "green"), False: Text("✗", "red")}
STYLES: dict[Fate, str] = {
    "caught": "green",
    "survived": "red",
    "equivalent": "dim",
    "harmless": "yellow",
    "person": "magenta",
}
WORDS: dict[Fate, str] = {
    "caught": "caught",
    "survived": "NOT caught",
    "equivalent": "the same as the reference",
    "harmless": "declared harmless",
    "person": "for a person to judge",
}
MINUTE = 60


# ------------------------------------------------------------------ validation


def show_validation(found: Validation, console: Console) -> None:
    """Print checks, mutants, what to change, and the verdict."""
    _show_checks(found, console)
    _show_kinds(found.mutants, console)
    for mutant in found.mutants:
        if mutant.fate not in ("caught", "harmless"):
            _show_mutant(mutant, console)
    for note in found.notes:
        console.print(Text(f" · {plain_text(note)}", "dim"))
    if found.complaints:
        console.print(Text("\nTo be changed", "bold"))
    for number, complaint in enumerate(found.complaints, start=1):
        _show_complaint(number, complaint, console)
    _show_verdict(found, console)


def _show_checks(found: Validation, console: Console) -> None:
    console.print(Text(f"Checks of {found.assignment}", "bold"))
    table = Table(expand=False)
    table.add_column("check", overflow="fold")
    table.add_column("points", justify="right")
    table.add_column("reference", justify="center")
    table.add_column("handout", justify="center")
    table.add_column("mutants", justify="right")
    for check in found.checks:
        table.add_row(
            Text(check.name + (" (hidden)" if check.hidden else "")),
            f"{check.points:g}",
            MARKS[check.passed_by_reference],
            MARKS[not check.failed_by_handout],
            str(check.failed_by),
        )
    points = found.points
    table.add_row(
        Text("points", "bold"),
        f"{points['out_of']:g}",
        f"{points['reference']:g}",
        f"{points['handout']:g}",
        "",
    )
    console.print(table)


def _show_kinds(mutants: Sequence[MutantTried], console: Console) -> None:
    console.print(Text("Mutants of the reference: a mistake in each", "bold"))
    table = Table(expand=False)
    table.add_column("mistake", overflow="fold")
    table.add_column("mutants", justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("caught by", overflow="fold")
    table.add_column("s", justify="right", no_wrap=True)
    for kind in dict.fromkeys(mutant.kind for mutant in mutants):
        every = [mutant for mutant in mutants if mutant.kind == kind]
        for fate, indirectly in dict.fromkeys((each.fate, each.indirectly) for each in every):
            same = [each for each in every if (each.fate, each.indirectly) == (fate, indirectly)]
            checks = dict.fromkeys(name for mutant in same for name in mutant.caught_by)
            table.add_row(
                Text(kind),
                str(len(same)),
                Text("indirectly", "yellow") if indirectly else Text(WORDS[fate], STYLES[fate]),
                Text(", ".join(checks) or plain_text(same[0].reason)),
                f"{sum(mutant.seconds for mutant in same):.0f}",
            )
    console.print(table)


def _show_mutant(mutant: MutantTried, console: Console) -> None:
    line = Text(f"\n{mutant.name} ", "bold")
    line.append(WORDS[mutant.fate], STYLES[mutant.fate])
    line.append(f": {mutant.what}; {mutant.where}", "default")
    console.print(line)
    _show_diff(mutant.diff, console)


def _show_diff(diff: str, console: Console) -> None:
    for row in diff.splitlines():
        style = "red" if row.startswith("-") else "green"
        console.print(Text(f"  {row}", style), soft_wrap=True)


def _show_complaint(number: int, complaint: Complaint, console: Console) -> None:
    line = Text(f"{number:>3}. ", "bold")
    line.append(f"{complaint.about}: ", "yellow")
    line.append(plain_text(complaint.what), "default")
    console.print(line)
    if complaint.remedy:
        console.print(Text(f"     {plain_text(complaint.remedy)}", "dim"))


def _show_verdict(found: Validation, console: Console) -> None:
    told = [
        f"{found.count(fate)} {words}"
        for fate, words in WORDS.items()
        if found.count(fate) or fate == "caught"
    ]
    console.print(Text(f"\n{count(len(found.mutants), 'mutant')}: {', '.join(told)}."))
    if found.left_out:
        more = f"{count(found.left_out, 'more mutant')} of the same kinds: --each 0 tries them all."
        console.print(Text(more, "dim"))
    console.print(Text(f"Data: {found.data}", "dim"))
    console.print(Text(f"It took {_duration(found.seconds)}.", "dim"))
    if found.only:
        console.print(
            Text("Not all kinds of mutants were tried: nothing is said about the rest.", "yellow")
        )
    if found.is_sound:
        console.print(Text(f"{found.assignment} is sound.", "bold green"))
    else:
        number = count(len(found.complaints), "thing")
        console.print(Text(f"{found.assignment}: {number} to change.", "bold red"))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def show_mutants(mutants: Sequence[Any], console: Console) -> None:
    """Print mutants that were not run.

    Args:
        mutants: With ``name``, ``kind.name``, ``what``, ``where`` and ``diff``.
        console: Where.
    """
    for mutant in mutants:
        line = Text(f"{mutant.name}", "bold")
        line.append(f"  {mutant.kind.name}: {mutant.what}; {mutant.where}", "default")
        console.print(line)
        _show_diff(mutant.diff, console)
    kinds = len({mutant.kind.name for mutant in mutants})
    console.print(f"{count(len(mutants), 'mutant')} of {count(kinds, 'kind')}.")


def validation_data(found: Validation) -> dict[str, Any]:
    """Give a validation as plain JSON data."""
    return {**plain(found), "is_sound": found.is_sound}


# ------------------------------------------------------------------ calibration


def show_calibration(found: Calibration, console: Console) -> None:
    """Print the runs, their spread, and the thresholds that they allow."""
    for each in found.models:
        what = each.metric.replace("_", " ")
        whose = f"the reference's `{each.model}`" if each.model else "the reference"
        console.print(Text(f"{found.assignment}: {what} of {whose}", "bold"))
        _show_spread(each, console)
        console.print(
            f"Proposed: {each.key} = {each.proposed.bound:g}, margin = {each.margin:g}. "
            f"At least {100 * found.share:g} % of correct solutions reach it, "
            f"with a confidence of {100 * found.confidence:g} %."
        )
    console.print(Text(f"Data: {found.data}", "dim"))
    for note in found.notes:
        console.print(Text(f" · {plain_text(note)}", "dim"))
    console.print(Text(f"It took {_duration(found.seconds)}.", "dim"))


def _show_spread(found: Spread, console: Console) -> None:
    is_accuracy, what = found.metric == "accuracy", found.metric.replace("_", " ")
    table = Table(expand=False)
    table.add_column("seed", justify="right")
    table.add_column(what, justify="right")
    for seed, value in found.runs.items():
        table.add_row(str(seed), as_read(found.metric, value))
    console.print(table)
    values, mean = found.runs.values(), as_read(found.metric, found.mean)
    spread = (
        f"mean {mean}, standard deviation {100 * found.deviation:.2f} %"
        if is_accuracy
        else f"geometric mean {mean}, times or divided by {math.exp(found.deviation):.2f}"
    )
    console.print(
        f"{count(len(found.runs), 'run')} on {found.samples:,} held-out samples: {spread}, "
        f"{as_read(found.metric, min(values))} to {as_read(found.metric, max(values))}."
    )
    console.print(Text("How often a correct solution misses a threshold by bad luck", "bold"))
    chances = Table(expand=False)
    chances.add_column("threshold")
    chances.add_column(found.key.replace("_", " "), justify="right", no_wrap=True)
    chances.add_column("chance", justify="right", no_wrap=True)
    chances.add_column("95 % interval", justify="right")
    chances.add_column("seen", justify="right", no_wrap=True)
    chances.add_column("by counting alone", justify="right")
    for name, chance in (("present", found.present), ("proposed", found.proposed)):
        if chance is None:
            continue
        chances.add_row(
            name,
            as_read(found.metric, chance.bound),
            _percent(chance.missed),
            f"{_percent(chance.low)} to {_percent(chance.high)}",
            f"{chance.seen} of {len(found.runs)}",
            f"up to {_percent(chance.most)}",
        )
    console.print(chances)


def _percent(share: float) -> str:
    """A share with two telling digits; very small ones by their bound."""
    least = 0.0001
    return f"< {100 * least:g} %" if 0 <= share < least else f"{100 * share:.2g} %"


def calibration_data(found: Calibration) -> dict[str, Any]:
    """Give a calibration as plain JSON data."""
    data: dict[str, Any] = plain(found)
    return data
