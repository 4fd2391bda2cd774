"""Evidence → the executed notebook: the student's cells with what they showed here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.records import CellRecord, ExecutionRecord, Submission
from grader.report.outputs import Outputs, inert_markdown
from grader.safe.inert import inert_json, several_lines

_METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def write_notebook(submission: Submission, execution: ExecutionRecord, path: Path) -> None:
    """Write the executed notebook (format 4.5); a script becomes a notebook of its cells.

    Nothing in it runs or is fetched when somebody opens it, trusted or not.

    It is put together from parts that were checked when they were read, so that a class of a
    thousand does not wait for as many validations.
    """
    cells = []
    number = 0
    outputs = Outputs()
    for cell in submission.notebook.get("cells", ()):
        if cell["cell_type"] == "code":
            known = number < len(execution.cells)
            number += 1
            record = execution.cells[number - 1] if known else None
            cells.append(_code(cell, number, record, outputs))
        else:
            cells.append(_text(cell))
    notebook = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    path.write_bytes(inert_json(notebook, indent=1) + b"\n")


def _code(
    cell: Mapping[str, Any], number: int, record: CellRecord | None, outputs: Outputs
) -> dict[str, Any]:
    ran = record is not None and record.outcome != "not_run"
    return {
        "cell_type": "code",
        "execution_count": number if ran else None,
        "id": cell["id"],
        "metadata": {},
        "outputs": [outputs.inert(output) for output in record.outputs] if record else [],
        "source": _lines(several_lines(cell["source"])),
    }


def _text(cell: Mapping[str, Any]) -> dict[str, Any]:
    is_markdown = cell["cell_type"] == "markdown"
    source = inert_markdown(cell["source"]) if is_markdown else several_lines(cell["source"])
    return {
        "cell_type": "markdown" if is_markdown else "raw",
        "id": cell["id"],
        # Without a type, nbconvert puts a raw cell into its HTML as it stands.
        "metadata": {} if is_markdown else {"format": "text/plain", "raw_mimetype": "text/plain"},
        "source": _lines(source),
    }


def _lines(text: str) -> list[str]:
    """Split a text as notebooks hold it, so that a difference shows line by line."""
    return text.splitlines(keepends=True)
