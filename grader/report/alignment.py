"""The expected and the found network, side by side in the terminal.

What was found carries a stranger's words, so every cell is plain text.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.records import AlignedLayer
from grader.report.words import plain_text

SIGNS = {"same": " ", "changed": "≠", "missing": "−", "extra": "+"}
STYLES = {"same": "dim", "changed": "yellow", "missing": "red", "extra": "red"}
NUMBERS_DIFFER = "yellow"
MOST_LINES = 40


def show_alignment(alignment: Sequence[AlignedLayer], console: Console) -> None:
    """Print both networks line by line, and the arithmetic below; nothing when there are none."""
    if not alignment:
        return
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("")
    table.add_column("expected", overflow="fold")
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("parameters", justify="right", no_wrap=True)
    for line in alignment[:MOST_LINES]:
        style = STYLES[line.mark]
        numbers = NUMBERS_DIFFER if line.arithmetic else style
        table.add_row(
            Text(SIGNS[line.mark], style),
            Text(plain_text(line.expected), style),
            Text(_number(line.expected_params), numbers),
            Text(plain_text(line.found), style),
            Text(_number(line.found_params), numbers),
        )
    console.print(Padding(table, (0, 0, 0, 5)))
    if len(alignment) > MOST_LINES:
        console.print(Text(f"     and {len(alignment) - MOST_LINES:,} more", "dim"))
    for line in alignment[:MOST_LINES]:
        if line.arithmetic:
            what = plain_text(line.expected or line.found)
            console.print(Text(f"     {what}: {plain_text(line.arithmetic)}", "dim"))


def _number(params: int | None) -> str:
    return "" if params is None else f"{params:,}"
