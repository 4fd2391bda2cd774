import nbformat

from grader.records import CellRecord
from grader.report.notebook import write_notebook

PICTURE = {"text/plain": "x", "image/png": "aGk="}
OUTPUTS = (
    {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
    {"output_type": "display_data", "data": PICTURE, "metadata": {}},
    {
        "output_type": "execute_result",
        "data": {"text/plain": "1"},
        "metadata": {},
        "execution_count": 1,
    },
    {"output_type": "error", "ename": "KeyError", "evalue": "'acc'", "traceback": ["\ud800"]},
)


def test_the_executed_notebook_is_a_notebook_with_what_the_cells_showed(make, tmp_path):
    cells = [
        {"cell_type": "markdown", "id": "cell-1", "source": "# Title\ntext"},
        {"cell_type": "code", "id": "cell-2", "source": "print('a')\nprint('b')"},
        {"cell_type": "raw", "id": "cell-3", "source": "raw"},
        {"cell_type": "code", "id": "cell-4", "source": "never"},
    ]
    ran = CellRecord(number=1, outcome="ok", seconds=1.0, outputs=OUTPUTS)
    not_run = CellRecord(number=2, outcome="not_run", seconds=0.0)
    write_notebook(
        make.submission(notebook={"cells": cells}),
        make.execution(cells=(ran, not_run)),
        tmp_path / "executed.ipynb",
    )

    notebook = nbformat.read(tmp_path / "executed.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == [cell["source"] for cell in cells]
    assert notebook.cells[1].execution_count == 1
    assert notebook.cells[1].outputs[0].text == "a\nb\n"
    assert [output.output_type for output in notebook.cells[1].outputs] == [
        output["output_type"] for output in OUTPUTS
    ]
    assert notebook.cells[3].execution_count is None
    assert notebook.cells[3].outputs == []
