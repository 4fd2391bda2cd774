"""Evidence → the executed notebook: the student's cells with what they showed here."""

from pathlib import Path

import nbformat

from grader.records import ExecutionRecord, Submission


def write_notebook(submission: Submission, execution: ExecutionRecord, path: Path) -> None:
    """Write the executed notebook (format 4); a script becomes a notebook of its cells."""
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            },
            "language_info": {"name": "python"},
        }
    )
    number = 0
    for cell in submission.notebook.get("cells", ()):
        if cell["cell_type"] != "code":
            make = (
                nbformat.v4.new_markdown_cell
                if cell["cell_type"] == "markdown"
                else nbformat.v4.new_raw_cell
            )
            notebook.cells.append(make(cell["source"], id=cell["id"]))
            continue
        record = execution.cells[number] if number < len(execution.cells) else None
        number += 1
        ran = record is not None and record.outcome != "not_run"
        notebook.cells.append(
            nbformat.v4.new_code_cell(
                cell["source"],
                id=cell["id"],
                execution_count=number if ran else None,
                outputs=[nbformat.from_dict(dict(output)) for output in record.outputs]
                if record
                else [],
            )
        )
    nbformat.write(notebook, path)
