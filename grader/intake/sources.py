"""The bytes of a notebook or script → a notebook of ours, with the student's sources and no more.

Saved outputs, attachments and metadata are a stranger's, and nobody needs them here.
"""

import json
import re
import warnings
from collections.abc import Mapping
from typing import Any

import nbformat

from grader.safe.inert import printable
from grader.safe.nesting import depth

MIB = 1 << 20
LARGEST_NOTEBOOK = 50 * MIB
LARGEST_SCRIPT = 2 * MIB
MOST_CELLS = 5000
DEEPEST_JSON = 64


class UnreadableError(Exception):
    """Why a file is no notebook or script, in words for the student."""


def _text(data: bytes) -> str:
    if not data.strip():
        raise UnreadableError("the file is empty")
    codec = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"the file is not {codec} text: byte {error.start} is wrong"
        ) from None


def read_script(data: bytes) -> dict[str, Any]:
    """Read a script; cell marks (``# %%``) make several cells of it.

    Raises:
        UnreadableError: It is none.
    """
    if len(data) > LARGEST_SCRIPT:
        raise UnreadableError(f"the script is larger than {LARGEST_SCRIPT // MIB} MiB")
    text = _text(data)
    marks = sum(1 for _ in re.finditer(r"^# %%", text, re.MULTILINE))
    if marks > MOST_CELLS:
        raise UnreadableError(f"it has more than {MOST_CELLS} cells")
    if marks:
        return {"cells": _percent_cells(text)}
    return dict(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text, id="script")]))


def _percent_cells(text: str) -> list[Mapping[str, Any]]:
    import jupytext  # noqa: PLC0415 - half a second, and few scripts have cell marks

    try:
        cells = jupytext.reads(text, fmt="py:percent")["cells"]
        return [_clean_cell(number, cell) for number, cell in enumerate(cells)]
    except Exception as error:  # noqa: BLE001 - jupytext raises whatever a strange head makes it raise
        raise UnreadableError(
            f"the script's cell marks cannot be read: {type(error).__name__}: {error}"[:300]
        ) from None


def read_notebook(data: bytes) -> dict[str, Any]:
    """Read a notebook of any format up to 4.

    Raises:
        UnreadableError: It is none, or in another language.
    """
    if len(data) > LARGEST_NOTEBOOK:
        raise UnreadableError(f"the notebook is larger than {LARGEST_NOTEBOOK // MIB} MiB")
    text = _text(data)
    try:
        if depth(text) > DEEPEST_JSON:
            raise UnreadableError(f"the notebook's JSON is nested more than {DEEPEST_JSON} deep")
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(
            f"the file is no notebook: line {error.lineno} is not JSON ({error.msg})"
        ) from None
    except ValueError:  # Python refuses to read numbers of more digits
        raise UnreadableError("the file is no notebook: it holds a number without end") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("nbformat"), int):
        raise UnreadableError("the file is JSON, but no notebook: it has no nbformat")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old notebooks lack cell ids, which nobody needs here
            notebook = nbformat.reads(json.dumps(_without_outputs(raw)), as_version=4)
        cells = [_clean_cell(number, cell) for number, cell in enumerate(notebook["cells"])]
    except Exception as error:  # noqa: BLE001 - nbformat raises whatever malformed input makes it raise
        raise UnreadableError(
            f"the notebook is malformed: {type(error).__name__}: {error}"[:300]
        ) from None
    language = _language(notebook)
    if language not in ("python", ""):
        raise UnreadableError(
            f"the notebook is written in {printable(language[:40])}, not in Python"
        )
    return {"cells": cells}


def _language(notebook: Mapping[str, Any]) -> str:
    kernel: Any = notebook
    for key in ("metadata", "kernelspec"):
        found = kernel.get(key)
        kernel = found if isinstance(found, Mapping) else {}
    return str(kernel.get("language", "python")).lower()


def _without_outputs(raw: dict[str, Any]) -> dict[str, Any]:
    """Drop saved outputs before anything is validated: nobody reads them, and they may be huge.

    Raises:
        ValueError: There are too many cells.
    """
    sheets = raw.get("worksheets")
    for sheet in [raw, *(sheets if isinstance(sheets, list) else ())]:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        if not isinstance(cells, list):
            continue
        if len(cells) > 2 * MOST_CELLS:
            raise ValueError(f"it has more than {2 * MOST_CELLS} cells")
        for cell in cells:
            if isinstance(cell, dict) and "outputs" in cell:
                cell["outputs"] = []
    return raw


def _clean_cell(number: int, cell: Any) -> Mapping[str, Any]:
    """A cell of ours with the student's source: no outputs, attachments or metadata."""
    source, kind = cell["source"], cell["cell_type"]
    if not isinstance(source, str):
        raise TypeError(f"cell {number + 1} has no text as its source")
    if kind not in ("code", "markdown", "raw"):
        raise TypeError(f"cell {number + 1} is of no known type")
    return {"cell_type": kind, "id": f"cell-{number + 1}", "metadata": {}, "source": source}
