"""Nothing a student wrote runs, or looks like something else, wherever it is read."""

import base64
import csv
import io
import json
import re
import struct
import unicodedata
from dataclasses import replace

import jsonschema
import nbformat
import pytest
from nbconvert import HTMLExporter
from rich.console import Console

from grader.intake.collect import safe_name
from grader.records import AlignedLayer, CellRecord, CheckResult, ErrorFacts
from grader.report.as_csv import write_csv
from grader.report.as_json import write_json
from grader.report.notebook import write_notebook
from grader.report.outputs import MOST_SIDE, png_size
from grader.report.progress import Watch
from grader.report.schema import schema
from grader.report.terminal import show_class, show_one
from grader.tally import tally
from grader.workbench import Progress

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "endless": "\x1b]0;swallows what follows",
    "c1": "\x9b31mred\x9d0;owned\x9c",
    "override": "abc\u202etxt.exe",
    "isolate": "\u2066\u2067abc\u2069",
    "zero width": "a\u200bb\u200dc\ufeff\u2060",
    "blank letters": "a\u3164b\u115fc\u2800",
    "tags": "a\U000e0041\U000e0042",
    "marks": "Z" + "\u0335" * 100,
    "overwrite": "0 points\r100 points",
    "backspace": "0 points\b\b\b\b\b\b\b\b9 points",
    "lines": "a\nb\x0bc\x0cd\x85e\u2028f\u2029g",
    "markup": "[red]a[/red] [link=http://evil.example]b[/link] [/]",
    "emoji": ":warning: [blink]",
    "long": "x" * 1_000_000,
    "function": '=HYPERLINK("http://evil.example","click")',
    "plus": "+1+1",
    "minus": "-1+1",
    "at": "@SUM(1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "wide": "\uff1d1+1",
    "second cell": 'a;=1+1;"b"',
    "quotes": "a\"b'c,d;e\n=1",
    "bom": "\ufeff=1+1",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "svg": "<svg onload=alert(1)><foreignObject>",
    "markdown": "[here](javascript:alert(1)) ![](http://evil.example/x.png) <javascript:alert(1)>",
    "reference": "[here][1]\n\n[1]: javascript:alert(1)",
    "mathjax": r"$\href{javascript:alert(1)}{x}$",
    "surrogate": "\ud800a\udfff",
    "nul": "a\x00b",
}
STARTS = re.compile('[\\s"]*[-=+@\uff1d\uff0b\uff0d\uff20]')
"""What makes a formula of a cell; an apostrophe before it does not."""
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
SCHEMA = jsonschema.Draft202012Validator(schema())


@pytest.fixture(scope="module")
def report(make, tmp_path_factory):
    """A report, and its evidence, with a text wherever a student can put one: ``report(text)``."""
    from types import SimpleNamespace  # noqa: PLC0415

    from grader.assignment import read_assignment  # noqa: PLC0415
    from grader.sandbox.interface import Isolation  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("little")
    toml = "name = 'little'\ntitle = 'A little assignment'\nversion = '1'\n"
    (folder / "assignment.toml").write_text(toml)
    (folder / "test_little.py").write_text("")
    assignment = read_assignment(folder)
    bench = SimpleNamespace(
        sandbox=SimpleNamespace(isolation=Isolation(level="none", description="a test")),
        dataset=SimpleNamespace(name="", source="stand-in", description="none", digest="d" * 64),
    )

    def go(text):
        compiled = make.compiled(loss=text, optimizer=text, metrics=(text,), schedule=text)
        layer = make.dense(name=text, kind=text, activation=text, settings={text[:500]: text})
        error = ErrorFacts(kind=text, message=text, line=1, traceback=f"{text}\n{text}")
        data = {"text/plain": text, "text/html": text, "image/svg+xml": text, text[:99]: text}
        outputs = (
            {"output_type": "stream", "name": text, "text": text},
            {"output_type": "display_data", "data": data, "metadata": {text[:99]: text}},
            {"output_type": "display_data", "data": {"text/html": text}, "metadata": {}},
            {
                "output_type": "execute_result",
                "data": {"application/javascript": text, "text/latex": text},
                "metadata": {"trusted": True},
                "execution_count": 1,
            },
            {"output_type": "error", "ename": text, "evalue": text, "traceback": [text, text]},
        )
        cell = CellRecord(number=1, outcome="raised", seconds=0.1, error=error, outputs=outputs)
        sources = [("code", text), ("markdown", text), ("raw", text)]
        cells = [
            {"cell_type": kind, "id": f"cell-{place}", "metadata": {}, "source": source}
            for place, (kind, source) in enumerate(sources)
        ]
        execution = make.execution(
            ending="raised",
            cells=(cell,),
            fits=(make.fit(history={text: (1.0,)}, compiled=compiled, completed=False),),
            models=(
                replace(
                    make.execution().models[0],
                    variables=(text,),
                    compiled=compiled,
                    problem=text,
                ),
            ),
            notes=(text,),
            problem=text,
            environment={text: text},
        )
        evidence = make.evidence(
            submission=make.submission(
                student=safe_name(text), origin=text, cells=(text,), notebook={"cells": cells},
                notes=(text,),
            ),
            execution=execution,
            card=make.card(layer, compiled=compiled),
        )  # fmt: skip
        wrong = CheckResult(
            name="test_a", title="It is so.", outcome="failed", points=0.0, out_of=1.0,
            hidden=False, expected="a layer", received=text, hint=f"Not {text}, but our own words.",
            alignment=(
                AlignedLayer(expected="Dense", found=text, mark="changed", arithmetic=text),
            ),
        )  # fmt: skip
        skipped = replace(wrong, name="test_b", outcome="skipped", hint=text, received="")
        return tally(evidence, [wrong, skipped], assignment, bench), evidence

    return go


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def text(request):
    return request.param


def test_a_terminal_shows_plain_words(report, text):
    found, _ = report(text)
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    show_class([found], console)
    show_one(found, console)
    printed = console.file.getvalue()

    assert not [c for c in printed if unicodedata.category(c)[0] == "C" and c != "\n"]
    assert not re.search(r"[\u3164\u115f\u2800]|\u0335{4}", printed)
    assert len(printed) < 120_000
    for words in ("a layer; received", "0 of 2 points"):
        assert words in " ".join(printed.split())


def test_our_own_words_are_not_swallowed_by_an_escape_before_them(report):
    for name in ("endless", "clipboard", "c1"):
        console = Console(file=io.StringIO(), width=300)
        show_one(report(HOSTILE[name])[0], console)
        assert "but our own words" in console.file.getvalue()


def test_progress_shows_plain_words(text, capsys):
    console = Console(file=io.StringIO(), width=100)
    with Watch(1, console) as watch:
        watch.hear(Progress(student=text, stage="done", detail=text))
    assert not [
        c for c in capsys.readouterr().err if unicodedata.category(c)[0] == "C" and c != "\n"
    ]


@pytest.mark.parametrize("separator", [",", ";"], ids=["comma", "semicolon"])
def test_no_spreadsheet_computes(report, text, separator, tmp_path):
    found, _ = report(text)
    write_csv([found], tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=separator))

    assert len(rows) == 2
    for cell in rows[1]:
        assert not STARTS.match(cell)
        assert separator == ";" or not INVISIBLE.search(cell)
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        assert {len(row) for row in csv.reader(file)} == {len(rows[0]) if separator == "," else 10}


def test_a_report_is_json_of_its_schema_that_can_be_looked_at(report, text, tmp_path):
    found, _ = report(text)
    write_json(found, tmp_path / "report.json")
    written = (tmp_path / "report.json").read_text("utf-8")

    assert not INVISIBLE.search(written)
    data = json.loads(written)
    SCHEMA.validate(data)
    assert data["checks"][0]["received"] == text  # the same text, only written otherwise


def test_nothing_of_an_executed_notebook_runs(report, text, tmp_path):
    _, evidence = report(text)
    file = tmp_path / "executed.ipynb"
    write_notebook(evidence.submission, evidence.execution, file)

    written = file.read_text("utf-8")
    assert not INVISIBLE.search(written)
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert "trusted" not in written
    kinds = {
        kind
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for kind in output.get("data", {})
    }
    assert kinds <= {"text/plain", "image/png"}
    for cell in notebook.cells:
        assert "\x1b" not in cell.source
        assert not INVISIBLE.search(cell.source)
    _, markdown, raw = notebook.cells
    assert not re.search(r"<[A-Za-z/!?]|\]\(|\]\[|\]:|\\href", markdown.source)
    assert raw.metadata.raw_mimetype == "text/plain"


@pytest.mark.parametrize("name", ["script", "svg", "markdown", "reference", "mathjax", "quotes"])
def test_a_web_page_made_of_an_executed_notebook_runs_nothing(report, name, tmp_path):
    _, evidence = report(HOSTILE[name])
    file = tmp_path / "executed.ipynb"
    write_notebook(evidence.submission, evidence.execution, file)

    exporter = HTMLExporter(template_name="basic", sanitize_html=False)
    page, _ = exporter.from_notebook_node(nbformat.read(file, as_version=4))
    body = re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(script|svg|img|foreignObject)\b|(href|src)=.javascript:", body)
    assert not re.search(r"src=.http", body)


# ------------------------------------------------------------------ pictures


def png(width, height, *, head=b"\x89PNG\r\n\x1a\n"):
    data = head + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + bytes(40)
    return base64.b64encode(data).decode()


def kept(make, tmp_path, *pictures):
    outputs = tuple(
        {"output_type": "display_data", "data": {"image/png": one}, "metadata": {}}
        for one in pictures
    )
    cell = CellRecord(number=1, outcome="ok", seconds=0.1, outputs=outputs)
    file = tmp_path / "executed.ipynb"
    write_notebook(make.submission(), make.execution(cells=(cell,)), file)
    (shown,) = nbformat.read(file, as_version=4).cells
    nbformat.validate(nbformat.read(file, as_version=4))
    return [output.data for output in shown.outputs]


def test_a_plot_is_kept(make, tmp_path):
    plot = png(640, 480)
    assert png_size(plot) == (640, 480)
    assert kept(make, tmp_path, plot[:40] + "\n" + plot[40:]) == [{"image/png": plot}]


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (png(MOST_SIDE + 1, 1), "10001 × 1 pixels are too many"),
        (png(9000, 9000), "9000 × 9000 pixels are too many"),
        (png(2**31 - 1, 2**31 - 1), "too many"),
        (png(0, 10), "it is no PNG"),
        (png(10, 10, head=b"GIF89a\r\n"), "it is no PNG"),
        (png(10, 10)[:20], "it is no PNG"),
        (png(10, 10) + '" onerror="alert(1)', "it is no PNG"),
        ("", "it is no PNG"),
        (["aGk="], "it is no PNG"),
        ({"a": 1}, "it is no PNG"),
    ],
)
def test_a_picture_that_is_none_or_a_bomb_is_left_out_with_a_note(make, tmp_path, picture, says):
    (data,) = kept(make, tmp_path, picture)
    assert says in data["text/plain"]
    assert "image/png" not in data


def test_many_large_pictures_are_too_large_together(make, tmp_path):
    found = kept(make, tmp_path, *[png(5000, 5000)] * 10)
    assert ["image/png" in data for data in found] == [True] * 8 + [False] * 2
    assert "too large together" in found[-1]["text/plain"]
