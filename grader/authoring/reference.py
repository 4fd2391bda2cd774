"""The docstrings of the checks → the reference page: ``python -m grader.authoring.reference``.

What is public is found and not listed: a new fixture, method or helper stands in the page as soon
as it has a docstring.
"""

import ast
import dataclasses
import importlib
import inspect
import itertools
import pkgutil
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

import grader.checks
from grader.checks.collected import MARKERS

EXPECT = "expect_"
_SECTION = re.compile(r"^(Args|Example|Examples|Raises|Returns|Yields|Attributes):$", re.MULTILINE)
_MODULE = re.compile(r"\b(?:grader|typing|types|numpy|collections\.abc)(?:\.[a-z_]+)*\.(?=\w)")
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")
_HEAD = """\
# The vocabulary of checks

<!-- Made from the docstrings by `make docs`: a change here is lost. -->

{intro}

An `expect_…` method says nothing when its expectation is met, and raises `Unmet` with *expected*,
*received* and a hint for the student when it is not. Where a fact is missing because of the
student, the check fails by itself with that reason.
[Write an assignment](write-an-assignment.md) shows how checks become an assignment.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """A fact that a check may ask for."""

    name: str
    """What the check's argument is called."""
    doc: str
    """Its docstring."""
    gives: Any
    """The type of the fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """A docstring in Google's style, taken apart."""

    text: str
    """All before the first section."""
    sections: Mapping[str, str]
    """Heading → its lines, without their indentation."""

    @classmethod
    def of(cls, thing: object) -> "Doc":
        """Take the docstring of a function, class or property apart."""
        text = inspect.getdoc(thing) or ""
        parts = _SECTION.split(text)
        sections = {
            name: textwrap.dedent(lines.strip("\n")).rstrip()
            for name, lines in zip(parts[1::2], parts[2::2], strict=True)
        }
        return cls(text=parts[0].strip(), sections=sections)

    @property
    def example(self) -> str:
        """The code of its example, without marks; empty when there is none."""
        found = self.sections.get("Example") or self.sections.get("Examples") or ""
        inline = re.fullmatch(r"``(.+?)``\.?", found, re.DOTALL)
        return re.sub(r"\s*\n\s*", " ", inline[1]) if inline else found.removeprefix("::").strip()


# ------------------------------------------------------------------ finding


def modules() -> list[ModuleType]:
    """Give every module of the checks."""
    package = grader.checks
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def fixtures() -> list[Fixture]:
    """Find every fixture, wherever in the checks it is defined, in the order of the source."""
    kind = type(pytest.fixture(lambda: None))
    found = []
    for module in modules():
        places = [module, *(value for value in vars(module).values() if _is_own(value, module))]
        for place in places:
            for name, value in vars(place).items():
                if isinstance(value, kind) and not name.startswith("_"):
                    function: Any = inspect.unwrap(typing.cast("Callable[..., Any]", value))
                    hints = typing.get_type_hints(function)
                    found.append(
                        Fixture(name=name, doc=Doc.of(function).text, gives=hints.get("return"))
                    )
    return found


def expectations() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Find every public ``expect_…`` method of every class, with its qualified name."""
    for module in modules():
        for cls in vars(module).values():
            if inspect.isclass(cls) and _is_own(cls, module):
                for name, value in vars(cls).items():
                    if name.startswith(EXPECT) and inspect.isfunction(value):
                        yield f"{cls.__name__}.{name}", value


def _is_own(value: object, module: ModuleType) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__


def _classes_in(annotation: Any) -> Iterator[type]:
    """Every class of ours that a type names, however deep."""
    if inspect.isclass(annotation) and annotation.__module__.startswith("grader."):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _classes_in(part)


# ------------------------------------------------------------------ writing


def reference_page() -> str:
    """Give the whole page as Markdown."""
    known = fixtures()
    intro = _markdown(Doc.of(grader.checks).text)
    parts = [_HEAD.format(intro=intro), "## Marks\n", *_marks(), "## Fixtures\n", *_overview(known)]
    shown: dict[type, None] = {}
    for fixture in known:
        parts += _fixture(fixture, shown)
    parts.append("## Helpers\n\nImported from `grader.checks`.\n")
    for name in grader.checks.__all__:
        thing = getattr(grader.checks, name)
        if inspect.isclass(thing):
            shown[thing] = None
        parts += _class(thing, "", 3) if inspect.isclass(thing) else _function(name, thing, 3)
    facts = _facts(known, shown)
    if facts:
        parts += ["## Facts\n\nPlain values that fixtures give; each may be read, none changed.\n"]
        for cls in facts:
            parts += _class(cls, "", 3)
    return "\n".join(parts).rstrip() + "\n"


def _marks() -> Iterator[str]:
    yield "| mark | meaning |\n|---|---|"
    for line in MARKERS:
        mark, _, meaning = line.partition(": ")
        yield f"| `@pytest.mark.{mark}` | {_cell(meaning)} |"
    yield ""


def _overview(known: list[Fixture]) -> Iterator[str]:
    yield "| fixture | fact |\n|---|---|"
    for fixture in known:
        yield f"| [`{fixture.name}`](#{fixture.name.lower()}) | {_cell(fixture.doc)} |"
    yield ""


def _fixture(fixture: Fixture, shown: dict[type, None]) -> Iterator[str]:
    yield f"### `{fixture.name}`\n"
    yield f"{_markdown(fixture.doc)}\n"
    own = [cls for cls in _classes_in(fixture.gives) if cls.__module__.startswith("grader.checks")]
    if fixture.gives is not None and (not own or own[0] is not fixture.gives):
        yield f"Type: {_type(fixture.gives)}\n"
    for cls in own:
        if cls not in shown:
            shown[cls] = None
            yield from _members(cls, fixture.name)
            for item in _items(cls):
                if item not in shown:
                    shown[item] = None
                    yield from _members(item, f'{fixture.name}["…"]')


def _items(cls: type) -> list[type]:
    """The classes of ours that a mapping gives."""
    get = vars(cls).get("__getitem__")
    given = typing.get_type_hints(get).get("return") if get else None
    return [each for each in _classes_in(given) if each.__module__.startswith("grader.checks")]


def _class(cls: type, called: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{cls.__name__}`\n"
    doc = Doc.of(cls)
    yield f"{_markdown(doc.text)}\n"
    yield from _sections(doc)
    yield from _members(cls, called or cls.__name__)


def _members(cls: type, called: str) -> Iterator[str]:
    """A class's facts as a table, then its methods."""
    rows = [*_attributes(cls)]
    if rows:
        yield "| fact | type | what it is |\n|---|---|---|"
        yield from (f"| `{name}` | {_type(kind)} | {_cell(doc)} |" for name, kind, doc in rows)
        yield ""
    for name, value in _public(cls).items():
        if inspect.isfunction(value):
            yield from _function(f"{called}.{name}", value, 4)


def _public(cls: type) -> dict[str, Any]:
    """What a class and those of ours below it define under a public name."""
    own = [each for each in reversed(cls.__mro__) if each.__module__.startswith("grader.")]
    return {
        name: value
        for each in own
        for name, value in vars(each).items()
        if not name.startswith("_")
    }


def _attributes(cls: type) -> Iterator[tuple[str, Any, str]]:
    """Fields, documented instance attributes and properties: name, type, docstring."""
    docs = _written_under(cls)
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            yield field.name, hints[field.name], docs.get(field.name, "")
    else:
        hints = typing.get_type_hints(vars(cls).get("__init__", cls))
        for name, doc in docs.items():
            yield name, hints.get(name), doc
    for name, value in _public(cls).items():
        if isinstance(value, property):
            said = Doc.of(value)
            errors = f" Raises {said.sections['Raises']}" if "Raises" in said.sections else ""
            yield name, typing.get_type_hints(value.fget).get("return"), f"{said.text}{errors}"


def _written_under(cls: type) -> dict[str, str]:
    """The strings under a class's fields, or under ``self.x = …`` in its ``__init__``."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    body = getattr(tree, "body", [])
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            body = [*body, *node.body]
    found = {}
    for before, after in itertools.pairwise(body):
        target = before.targets[0] if isinstance(before, ast.Assign) else None
        target = before.target if isinstance(before, ast.AnnAssign) else target
        name = getattr(target, "id", getattr(target, "attr", "_"))
        text = after.value if isinstance(after, ast.Expr) else None
        if (
            isinstance(text, ast.Constant)
            and isinstance(text.value, str)
            and not name.startswith("_")
        ):
            found[name] = inspect.cleandoc(text.value)
    return found


def _function(name: str, function: Callable[..., Any], level: int) -> Iterator[str]:
    signature = inspect.signature(function)
    own = [each for each in signature.parameters.values() if each.name != "self"]
    back = signature.return_annotation
    gives = inspect.Signature.empty if back in (None, "None") else back
    shown = _MODULE.sub("", str(signature.replace(parameters=own, return_annotation=gives)))
    yield f"{'#' * level} `{name}`\n"
    yield f"```python\n{name}{shown}\n```\n"
    doc = Doc.of(function)
    yield f"{_markdown(doc.text)}\n"
    yield from _sections(doc)


def _sections(doc: Doc) -> Iterator[str]:
    for heading in ("Args", "Returns", "Yields"):
        if heading in doc.sections:
            lines = doc.sections[heading]
            yield f"{heading}:\n\n{_listed(lines) if heading == 'Args' else _markdown(lines)}\n"
    if doc.example:
        yield f"```python\n{doc.example}\n```\n"
    if "Raises" in doc.sections:
        yield f"Errors:\n\n{_listed(doc.sections['Raises'])}\n"


def _listed(lines: str) -> str:
    """``name: text`` with continued lines → a list."""
    joined = re.sub(r"\n\s+", " ", lines)
    items = (line.partition(": ") for line in joined.splitlines())
    return "\n".join(f"- `{name}`: {_markdown(text)}" for name, _, text in items)


def _facts(known: list[Fixture], shown: dict[type, None]) -> list[type]:
    """The records that fixtures and their members give, and those within them."""
    waiting = [cls for fixture in known for cls in _classes_in(fixture.gives)]
    found: dict[type, None] = {}
    seen: set[type] = set()
    while waiting:
        cls = waiting.pop(0)
        if cls in seen:
            continue
        seen.add(cls)
        if cls not in shown:
            found[cls] = None
        bases = [base for part in getattr(cls, "__orig_bases__", ()) for base in _classes_in(part)]
        waiting += bases
        waiting += [each for _, kind, _ in _attributes(cls) for each in _classes_in(kind)]
    return list(found)


def _type(annotation: Any) -> str:
    if annotation is None:
        return ""
    text = _MODULE.sub("", inspect.formatannotation(annotation))
    return f"`{text}`".replace("|", "\\|")


def _markdown(text: str) -> str:
    return _code_blocks(_ROLE.sub(r"`\1`", text).replace("``", "`"))


def _code_blocks(text: str) -> str:
    """``::`` and the indented lines after it → a fenced block."""

    def fenced(found: re.Match[str]) -> str:
        code = textwrap.dedent(found[2].strip("\n"))
        return f"{found[1]}:\n\n```python\n{code}\n```\n\n"

    return re.sub(r"([^\n]*)::\n\n((?:    .*\n|\n)+)", fenced, f"{text}\n").rstrip("\n")


def _cell(text: str) -> str:
    """Text for a cell of a table: on one line."""
    return " ".join(_markdown(text).split()).replace("|", "\\|")


def main() -> None:
    """Print the page."""
    sys.stdout.write(reference_page())


if __name__ == "__main__":
    main()
