"""Whatever a student hands in as a notebook or script is read, or refused with a reason."""

import json

import nbformat
from hypothesis import example, given
from hypothesis import strategies as st

from grader.intake.collect import collect
from grader.records import ExecutionRecord
from grader.report.notebook import write_notebook

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "x"}},
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "execution_count": 1,
            "metadata": {"trusted": True, "tags": ["x"]},
            "source": ["import keras\n", "model = 1"],
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["a\n"]},
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>"}},
            ],
        },
        {
            "cell_type": "markdown",
            "id": "b",
            "metadata": {},
            "source": "![x](attachment:../../x.png) [y](javascript:alert(1)) <script>",
            "attachments": {"../../x.png": {"image/png": "aGk="}},
        },
        {"cell_type": "raw", "id": "c", "metadata": {}, "source": "<script>"},
    ],
}
OLD = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "x"},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {
                    "cell_type": "code",
                    "input": "x = 1",
                    "language": "python",
                    "collapsed": False,
                    "metadata": {},
                    "outputs": [{"output_type": "stream", "stream": "stdout", "text": "a"}],
                },
                {"cell_type": "heading", "level": 1, "source": "x", "metadata": {}},
            ],
        }
    ],
}
SCRIPT = """# ---
# jupyter:
#   kernelspec:
#     language: python
# ---

# %% [markdown]
# # Title

# %% {"trusted": true}
x = 1
"""


def _read(place, name, data, promptly):
    """Collect a file; whatever is in it can be passed on, hashed and written down."""
    file = place / name
    file.write_bytes(data)
    with promptly():
        (found,) = collect([file])
    if found.problem:
        assert not found.cells
        assert len(found.problem) < 1000
        return found
    assert any(cell.strip() for cell in found.cells)
    json.dumps(found.cells, allow_nan=False).encode("ascii")
    with promptly():
        write_notebook(found, ExecutionRecord(ending="exited"), place / "executed.ipynb")
    nbformat.validate(json.loads((place / "executed.ipynb").read_text("utf-8")))
    return found


@given(data=st.binary(max_size=300), kind=st.sampled_from(["a.ipynb", "a.py"]))
@example(data=b'{"nbformat": 4, "cells": ' + b"1" * 5000 + b"}", kind="a.ipynb")
@example(data=b'"' + b'\\"' * 200_000, kind="a.ipynb")
@example(data=b"[" * 2000, kind="a.ipynb")
@example(data=json.dumps({**NOTEBOOK, "metadata": {"kernelspec": None}}).encode(), kind="a.ipynb")
@example(data=json.dumps({**NOTEBOOK, "metadata": None}).encode(), kind="a.ipynb")
@example(data=b"# %%\n" * 6000, kind="a.py")
def test_any_bytes_are_a_submission_or_a_reason(tmp_path_factory, promptly, data, kind):
    _read(tmp_path_factory.getbasetemp(), kind, data, promptly)


@given(data=st.data(), whole=st.sampled_from([NOTEBOOK, OLD]))
def test_what_is_nearly_a_notebook_is_a_submission_or_a_reason(
    tmp_path_factory, promptly, warped, as_text, as_bytes, data, whole
):
    text = data.draw(as_text(data.draw(warped(whole))))
    _read(tmp_path_factory.getbasetemp(), "a.ipynb", data.draw(as_bytes(text)), promptly)


@given(data=st.data())
def test_damaged_files_are_a_submission_or_a_reason(tmp_path_factory, promptly, damaged, data):
    kind, whole = data.draw(
        st.sampled_from([("a.ipynb", json.dumps(NOTEBOOK).encode()), ("a.py", SCRIPT.encode())])
    )
    _read(tmp_path_factory.getbasetemp(), kind, data.draw(damaged(whole)), promptly)


MARKS = ("# %%", "# %% [markdown]", '# %% {"id": 1}', "# ---", "# jupyter:", "#   x: [", '"""', "x")


@given(lines=st.lists(st.sampled_from(MARKS) | st.text(max_size=8), max_size=20))
@example(lines=["# ---", "# jupyter:", "#   x: [", "# ---", "# %%", "x"])
def test_any_cell_marks_are_a_submission_or_a_reason(tmp_path_factory, promptly, lines):
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    _read(tmp_path_factory.getbasetemp(), "a.py", data, promptly)
