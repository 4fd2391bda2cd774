"""An assignment's own Keras layers: a file of the instructor's, which students are given as well.

Here its names are read, never run: only a judge runs it, and the student's process.
"""

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLayers:
    """The file that ``layers`` in ``assignment.toml`` names."""

    file: str
    """Its name; students import it without the ``.py``."""
    source: str
    """Its text."""
    names: frozenset[str]
    """The classes and functions that it defines."""


def read_own_layers(file: str, source: str) -> OwnLayers:
    """Find out what a file defines.

    Args:
        file: Its name.
        source: Its text.

    Raises:
        ValueError: It is no Python, or defines nothing; says which, and where.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"is not Python: line {error.lineno}: {error.msg}") from None
    names = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    if not names:
        raise ValueError("defines neither a class nor a function")
    return OwnLayers(file=file, source=source, names=frozenset(names))
