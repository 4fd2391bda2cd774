"""The reference solution → the handout: what students start from.

The solution is a notebook in percent format (``# %%`` before each cell). What stands between
``### BEGIN SOLUTION`` and ``### END SOLUTION``, nbgrader's own marks, is replaced by a stub.
"""

import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from grader.errors import AssignmentError
from grader.intake.last_cell import SOURCE

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def handout(solution: Path, name: str) -> str:
    """Make the handout's notebook, the same bytes for the same solution.

    Args:
        solution: The reference, in percent format.
        name: The assignment's, written into the notebook's metadata so that ``grader check``
            knows it.

    Raises:
        AssignmentError: The solution's marks do not match.
    """
    try:
        text = solution.read_text("utf-8")
    except OSError as error:
        raise AssignmentError(f"{solution}: cannot be read: {error.strerror}.") from None
    notebook = jupytext.reads(_without_solutions(text, solution), fmt="py:percent")
    cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        make = (
            nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        )
        cells.append(make(cell.source, id=f"cell-{number}"))
    cells.append(check_cell())
    made = nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "grader": {"assignment": name},
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
    )
    return str(nbformat.writes(made)) + "\n"


def check_cell() -> Any:
    """Give a handout's last cell, by which students check themselves."""
    return nbformat.v4.new_code_cell(SOURCE, id="check")


def _without_solutions(text: str, solution: Path) -> str:
    lines: list[str] = []
    begun = 0
    for number, line in enumerate(text.splitlines(), start=1):
        mark = line.strip()
        if mark == BEGIN:
            if begun:
                raise AssignmentError(
                    f"{solution}:{number}: a second {BEGIN!r}; the first: line {begun}."
                )
            begun = number
            indent = re.match(r"\s*", line)
            lines += [f"{indent[0] if indent else ''}{stub}" for stub in STUB.splitlines()]
        elif mark == END:
            if not begun:
                raise AssignmentError(f"{solution}:{number}: {END!r} without {BEGIN!r}.")
            begun = 0
        elif not begun:
            lines.append(line)
    if begun:
        raise AssignmentError(f"{solution}:{begun}: {BEGIN!r} without {END!r}.")
    return "\n".join(lines) + "\n"
