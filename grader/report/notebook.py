"""Evidence → the executed notebook: the student's cells with what they showed here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.plain import plain_json
from grader.records import CellRecord, ExecutionRecord, Submission

_METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def write_notebook(submission: Submission, execution: ExecutionRecord, path: Path) -> None:
    """Write the executed notebook (format 4.5); a script becomes a notebook of its cells.

    It is put together from parts that were checked when they were read, so that a class of a
    thousand does not wait for as many validations.
    """
    cells = []
    number = 0
    for cell in submission.notebook.get("cells", ()):
        if cell["cell_type"] == "code":
            known = number < len(execution.cells)
            number += 1
            cells.append(_code(cell, number, execution.cells[number - 1] if known else None))
        else:
            kind = "markdown" if cell["cell_type"] == "markdown" else "raw"
            cells.append(
                {
                    "cell_type": kind,
                    "id": cell["id"],
                    "metadata": {},
                    "source": _lines(cell["source"]),
                }
            )
    notebook = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    path.write_bytes(plain_json(notebook, indent=1) + b"\n")


def _code(cell: Mapping[str, Any], number: int, record: CellRecord | None) -> dict[str, Any]:
    ran = record is not None and record.outcome != "not_run"
    return {
        "cell_type": "code",
        "execution_count": number if ran else None,
        "id": cell["id"],
        "metadata": {},
        "outputs": [_output(output) for output in record.outputs] if record else [],
        "source": _lines(cell["source"]),
    }


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {**output, "text": _lines(output["text"])}
    return dict(output)


def _lines(text: str) -> list[str]:
    """Split a text as notebooks hold it, so that a difference shows line by line."""
    return text.splitlines(keepends=True)
