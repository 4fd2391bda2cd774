"""A solution's code cells, read once, and edits of them that leave every other character as it is.

The trees of all cells stand in one module with one numbering of lines, so that a mutation looks at
the whole program; an edit replaces a stretch of the text and never crosses a cell's border.
"""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

_MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
CONTEXT = 0
"""Unchanged lines shown around a changed one."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One replaced stretch of the joined text."""

    start: int
    """Where it begins."""
    end: int
    """Where it ends; equal to the start for an insertion."""
    text: str
    """What stands there now."""


@dataclass(frozen=True, slots=True)
class Change:
    """One way to get it wrong."""

    what: str
    """In a few words, e.g. ``"512 → 511"``."""
    edits: tuple[Edit, ...]
    """What is changed for it."""


class Program:
    """A solution as mutations see it.

    Args:
        cells: The source of each code cell.
        names: Variables that the assignment's text asks for by name.
        checked: Variables that a check looks at.
    """

    def __init__(
        self, cells: Sequence[str], names: Sequence[str] = (), checked: Sequence[str] = ()
    ) -> None:
        self.cells = tuple(cells)
        self.names = tuple(dict.fromkeys((*checked, *names)))
        self.checked = tuple(checked)
        self.text = "\n".join(self.cells)
        self.unread: list[int] = []
        """Cells that are no Python, counted from 1; they stay as they are."""
        self._starts = list(accumulate((len(cell) + 1 for cell in self.cells), initial=0))[:-1]
        self._lines = list(accumulate((len(line) + 1 for line in self.text.split("\n")), initial=0))
        self.tree = ast.Module(body=list(self._statements()), type_ignores=[])
        self._parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def _statements(self) -> Iterator[ast.stmt]:
        before = 0
        for number, cell in enumerate(self.cells, start=1):
            try:
                # IPython's own lines are no Python; what stands around them is.
                tree = ast.parse(_MAGIC.sub(r"\1pass", cell))
            except SyntaxError:
                self.unread.append(number)
            else:
                yield from ast.increment_lineno(tree, before).body
            before += cell.count("\n") + 1

    # -------------------------------------------------------------- looking

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node, in the order of the text."""
        return sorted(_placed(self.tree), key=self.span)

    def calls(self, *names: str) -> list[ast.Call]:
        """Calls of functions, classes or methods by their last name, in the order of the text."""
        return [
            node
            for node in self.nodes
            if isinstance(node, ast.Call) and last_name(node.func) in names
        ]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands in the joined text."""
        return (
            self._offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0)),
            self._offset(getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 0)),
        )

    def _offset(self, line: int, column: int) -> int:
        """A position in characters; Python counts columns in bytes of UTF-8."""
        start = self._lines[line - 1]
        row = self.text[start : self._lines[line] - 1]
        return start + len(row.encode()[:column].decode(errors="ignore"))

    def source(self, node: ast.AST) -> str:
        """A node as it is written."""
        start, end = self.span(node)
        return self.text[start:end]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around a node."""
        return self._parents.get(node)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that a node stands in."""
        while not isinstance(node, ast.stmt):
            node = self._parents[node]
        return node

    def function(self, node: ast.AST) -> ast.AST | None:
        """The function that a node stands in, if any."""
        around = self.parent(node)
        while around is not None and not isinstance(around, ast.FunctionDef | ast.Lambda):
            around = self.parent(around)
        return around

    def settled(self, node: ast.expr | None) -> ast.expr | None:
        """A name that is given a constant once → that constant; anything else is itself."""
        if not isinstance(node, ast.Name):
            return node
        values = [
            each.value
            for each in self.nodes
            if isinstance(each, ast.Assign)
            and any(isinstance(name, ast.Name) and name.id == node.id for name in each.targets)
        ]
        return values[0] if len(values) == 1 and isinstance(values[0], ast.Constant) else node

    def module(self, name: str, *members: str) -> str:
        """How the program calls a module, or an expression that gives it.

        Example:
            ``program.module("numpy")`` → ``"np"``, or ``"__import__('numpy')"``
        """
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    if alias.name in (name, *members):
                        return alias.asname or alias.name
        return f"__import__({name!r})"

    # -------------------------------------------------------------- changing

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Write something else in a node's place."""
        return Edit(*self.span(node), text)

    def drop(self, statement: ast.stmt) -> Edit:
        """Take a statement out; what stands around it stays well-formed."""
        return self.replace(statement, "pass")

    def drop_element(self, node: ast.AST) -> Edit:
        """Take out an element of a list or an argument of a call, with the comma beside it."""
        start, end = self.span(node)
        after = re.match(r"\s*,[^\S\n]*", self.text[end:])
        if after:
            line = self.text.rfind("\n", 0, start) + 1
            if not self.text[line:start].strip() and self.text[end + after.end() :][:1] == "\n":
                return Edit(line, end + after.end() + 1, "")
            return Edit(start, end + after.end(), "")
        before = re.search(r",\s*$", self.text[:start])
        return Edit(before.start() if before else start, end, "")

    def after(self, statement: ast.stmt, *lines: str) -> Edit:
        """Write lines below a statement, as far to the right as it stands."""
        end = self.span(statement)[1]
        indent = " " * statement.col_offset
        return Edit(end, end, "".join(f"\n{indent}{line}" for line in lines))

    def before(self, statement: ast.stmt, *lines: str) -> Edit:
        """Write lines above a statement."""
        start = self.span(statement)[0]
        indent = " " * statement.col_offset
        return Edit(start, start, "".join(f"{line}\n{indent}" for line in lines))

    def argument(self, call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
        """The value of a call's argument, by keyword or by position."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value
        if position is not None and position < len(call.args):
            return call.args[position]
        return None

    def with_argument(self, call: ast.Call, name: str, value: str) -> Edit:
        """Give a keyword argument its value, new or instead of another."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return self.replace(keyword.value, value)
        end = self.span(call)[1] - 1  # before the closing parenthesis
        inside = self.text[:end].rstrip()
        comma = "" if inside.endswith(("(", ",")) else ", "
        if inside.endswith(","):
            comma = " "
        return Edit(len(inside), len(inside), f"{comma}{name}={value}")

    def without_argument(self, call: ast.Call, name: str) -> Edit | None:
        """Take a keyword argument out of a call."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return self.drop_element(keyword)
        return None

    def where(self, edits: Sequence[Edit]) -> str:
        """The place of the first edit: ``"cell 4, line 3"``."""
        first = min(edits)
        cell = max(number for number, start in enumerate(self._starts) if start <= first.start)
        text = self.text[self._starts[cell] : first.start]
        return f"cell {cell + 1}, line {text.count(chr(10)) + 1}"

    def changed(self, edits: Sequence[Edit]) -> tuple[str, ...]:
        """The cells with edits made."""
        made = []
        for start, cell in zip(self._starts, self.cells, strict=True):
            text = cell
            for edit in sorted(edits, reverse=True):
                if start <= edit.start and edit.end <= start + len(cell):
                    text = text[: edit.start - start] + edit.text + text[edit.end - start :]
            made.append(text)
        return tuple(made)


def _placed(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes whose place in the text is known; within f-strings Python 3.11 gives wrong ones."""
    for child in ast.iter_child_nodes(node):
        if hasattr(child, "lineno"):
            yield child
        if not isinstance(child, ast.JoinedStr):
            yield from _placed(child)


def last_name(node: ast.AST) -> str:
    """``keras.layers.Dense`` → ``"Dense"``; empty for what has no name."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def first_name(node: ast.AST) -> str:
    """``plt.figure().show`` → ``"plt"``; empty for what does not begin with a name."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def whole(node: ast.expr | None) -> int | None:
    """A constant whole number's value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return None if isinstance(node.value, bool) else node.value
    return None


def diff(before: Sequence[str], after: Sequence[str]) -> str:
    """The changed lines, ``-`` before and ``+`` after."""
    lines = difflib.unified_diff(
        "\n".join(before).splitlines(), "\n".join(after).splitlines(), lineterm="", n=CONTEXT
    )
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
