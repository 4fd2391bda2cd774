"""The reference page says what the checks' docstrings say, all of it, and they say enough."""

import ast
import re
from pathlib import Path

import pytest

import grader.checks
from grader.assignment import read_assignment
from grader.authoring.reference import Doc, expectations, fixtures, reference_page
from grader.checks.session import run_checks

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
EXPECTATIONS = dict(expectations())


def test_the_page_is_what_the_docstrings_make():
    made = reference_page()
    assert made == PAGE.read_text("utf-8"), "docs/checks.md is stale: run `make docs`."


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_every_expectation_has_an_example_that_calls_it_and_stands_in_the_page(name):
    doc = Doc.of(EXPECTATIONS[name])
    method = name.partition(".")[2]
    assert doc.text, f"{name} has no docstring."
    assert doc.example, f"{name} has no `Example:` in its docstring."
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(doc.example))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert method in called
    page = PAGE.read_text("utf-8")
    assert f".{method}`\n" in page
    assert doc.example in page


def test_every_fixture_that_checks_may_ask_for_stands_in_the_page(
    make, assignment_folder, little_toml
):
    """Found in the source by its mark, and asked for by a check, not by the page's own search."""
    checks = Path(grader.checks.__file__).parent
    names = {
        name
        for path in checks.glob("*.py")
        for name in re.findall(r"@pytest\.fixture.*\n +def (\w+)", path.read_text("utf-8"))
    }
    assert names == {fixture.name for fixture in fixtures()}
    page = PAGE.read_text("utf-8")
    assert all(f"### `{name}`\n" in page for name in names)
    folder = assignment_folder(
        toml=little_toml + '\n[probes.one]\nvalue = "x"\n',
        checks="import pytest\n@pytest.mark.points(1)\n"
        f'def test_all({", ".join(sorted(names))}):\n    """All of them."""\n',
    )
    told = []
    run_checks(
        [make.evidence()], read_assignment(folder), lambda _, results, __: told.extend(results)
    )
    assert [result.outcome for result in told] == ["passed"], told


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("Expect.\n\nExample:\n    ``x.expect_y(1)``", "x.expect_y(1)"),
        ("Expect.\n\nExample:\n    ``x.expect_y(1,\n    2)``", "x.expect_y(1, 2)"),
        (
            "Expect.\n\nExample:\n    x.expect_y(1)\n    x.expect_y(2)",
            "x.expect_y(1)\nx.expect_y(2)",
        ),
        ("Expect.\n\nRaises:\n    Unmet: No.", ""),
    ],
)
def test_an_example_is_code_however_it_is_marked(text, example):
    def documented():
        pass

    documented.__doc__ = text
    assert Doc.of(documented).example == example
