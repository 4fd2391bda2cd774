"""Writes the notebooks that are graded."""

import time
from collections.abc import Sequence
from pathlib import Path

import nbformat

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
"""The kernel that every notebook names."""


def new_seed() -> int:
    """A seed that no earlier run had."""
    return time.time_ns() // 1_000_000 % 2**30


def write_notebook(path: Path, title: str, cells: Sequence[str]) -> None:
    """Write a notebook of one text cell and some code cells.

    Args:
        path: Where to.
        title: The text cell.
        cells: The source of each code cell.
    """
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": KERNEL},
        cells=[
            nbformat.v4.new_markdown_cell(title),
            *(nbformat.v4.new_code_cell(source) for source in cells),
        ],
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    nbformat.write(notebook, path)
