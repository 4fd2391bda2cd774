"""Whatever the student's process says of itself, a report comes out, and every view of it."""

import contextlib
import csv
import io
import json
import queue
import threading
from types import SimpleNamespace

import jsonschema
import nbformat
import pytest
from fakes import outcome
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from grader.assignment import read_assignment
from grader.checks.session import run_checks
from grader.errors import GraderError
from grader.execute import execute
from grader.messages import LONGEST_LINE, Reader
from grader.records import Evidence
from grader.report.as_csv import write_csv
from grader.report.as_json import write_json
from grader.report.notebook import write_notebook
from grader.report.schema import schema
from grader.report.terminal import show_class, show_one
from grader.safe.plain import plain_json
from grader.sandbox.interface import Artefact, Isolation
from grader.tally import tally
from grader.workbench import Shortcuts

FACTS = {
    "shape": [10, 3], "dtype": "float32", "minimum": 0.0, "maximum": 1.0, "mean": 0.5,
    "deviation": 0.1, "one_hot": False, "sampled": False,
}  # fmt: skip
COMPILED = {
    "loss": "categorical_crossentropy", "from_logits": False, "optimizer": "RMSprop",
    "learning_rate": 0.001, "schedule": "", "metrics": ["accuracy"],
}  # fmt: skip
ROWS = {
    "total": 10, "looked_at": 10, "known": 5, "from_test": 1, "repeated": 0, "labelled": 5,
    "labels_right": 4,
}  # fmt: skip
GIVEN = {
    "kind": "array", "type": "ndarray", "shape": [2, 2], "dtype": "float64",
    "numbers": [1, 0.5, "nan", -1], "minimum": -1.0, "maximum": 1.0, "mean": "nan", "std": 0.1,
}  # fmt: skip
ERROR = {"kind": "ValueError", "message": "no", "line": 1, "traceback": "  line 1\nValueError: no"}
FIT = {
    "model": 0, "cell": 1, "compiled": COMPILED, "x": FACTS, "y": FACTS, "epochs": 2,
    "batch_size": 32, "updates": 2, "validation": "split", "validation_split": 0.1,
    "validation_x": FACTS, "history": {"loss": [1.0, "nan"], "accuracy": [0.1, 0.9]},
    "completed": True, "seconds": 0.5, "continues": None, "rows": ROWS, "validation_rows": ROWS,
    "validation_shared": 1,
}  # fmt: skip
EVALUATION = {
    "model": 0, "cell": 1, "after_fits": 1, "x": FACTS, "y": FACTS, "samples": 10,
    "results": {"loss": "inf"}, "completed": True, "rows": ROWS,
}  # fmt: skip
LINE = {"label": "loss", "points": 2, "y": [1.0, "nan"], "first": 1.0, "last": 0.5}
AXES = {
    "title": "t", "x_label": "x", "y_label": "y", "legend": ["loss"], "lines": [LINE],
    "images": 0, "bars": 0, "dots": 0,
}  # fmt: skip
MODEL = {
    "number": 0, "variables": ["model"], "kind": "sequential", "compiled": COMPILED, "fits": 1,
    "updates": 2, "artefact": "", "problem": "",
}  # fmt: skip
STREAM = {"output_type": "stream", "name": "stdout", "text": "a"}
SHOWN = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo="}}
RESULT = {**SHOWN, "output_type": "execute_result", "execution_count": 1}
RAISED = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["no"]}
VALUES = {"a": [[1, 0.5], {"b": None}], "c": {"d": ["e", True]}, "n": {"__float__": "nan"}}
SAID = [
    {"event": "environment", "values": {"keras": "3"}},
    {"event": "cell_started", "number": 1},
    *({"event": "output", "output": output} for output in (STREAM, SHOWN, RESULT, RAISED)),
    {"event": "fit_started", "model": 0, "cell": 1, "epochs": 2},
    {"event": "epoch", "epoch": 1, "logs": {"loss": 0.5}},
    {"event": "fit", "fit": FIT},
    {"event": "evaluation", "evaluation": EVALUATION},
    {"event": "figure", "number": 0, "figure": {"cell": 1, "title": "", "axes": [AXES]}},
    {"event": "cell", "number": 1, "outcome": "raised", "seconds": 0.1, "error": ERROR},
    {"event": "models", "models": [MODEL]},
    {"event": "variables", "variables": {"x": FACTS}},
    {"event": "values", "values": VALUES},
    {"event": "done"},
    {
        "event": "probe",
        "name": "asked",
        "answer": {"outcome": "answered", "steps": [{"value": GIVEN, "mutated": ["0"]}]},
    },
]
TOML = """
name = "little"
title = "A little assignment"
version = "1"
[data]
set = "mnist"
[model]
task = "multiclass"
classes = 10
inputs = ["vector"]
[probes.asked]
call = "f"
arguments = [1]
"""
ASKED = {
    "fits": ("expect_trained(epochs=2)", "expect_scaled_inputs()", "expect_samples(at_least=5)",
             "expect_output_loss_and_labels_match('multiclass')", "expect_multi_hot_inputs(3)"),
    "variables": ("expect_range('x', 0, 1)", "expect_one_hot('x', classes=10)",
                  "expect_normalised('x')", "expect_shape('x', (10, 3))",
                  "expect_dtype('x', 'float32')"),
    "values": ("expect_number('c', 3)", "expect_value('a', 1)", "expect_number('n', 1)"),
    "probes['asked']": ("expect_equal(1.0)", "expect_equal([[1, 2], [3, 4]])",
                        "expect_equal({'a': 1})", "expect_rows_sum_to_one()",
                        "expect_between(0, 1)", "expect_shape((2, 2))",
                        "expect_unchanged_input()"),
    "figures": ("expect_curves('loss')", "expect_points()", "expect_labels()",
                "expect_images(at_least=1)"),
    "evaluations": ("expect_after_training()", "expect_on_test()", "expect_scaled_like_training()"),
}  # fmt: skip
CHECK = """
@pytest.mark.points(1)
def test_{number}({fixture}):
    'Nothing more is asked than {number}.'
    {asked}
"""
CHECKS = "import pytest\n" + "".join(
    CHECK.format(
        number=f"{place}_{number}", fixture=facts.partition("[")[0], asked=f"{facts}.{one}"
    )
    for place, (facts, asked) in enumerate(ASKED.items())
    for number, one in enumerate(asked)
)
SCHEMA = jsonschema.Draft202012Validator(schema())


class Said:
    """A sandbox that passes these chunks on."""

    isolation = Isolation(level="none", description="a fake")

    def __init__(self, chunks):
        self.chunks = chunks

    def run(self, job, _limits, on_message):
        for chunk in self.chunks:
            on_message(chunk)
        artefacts = {name: Artefact(name=name, data=b"keras") for name in job.collect}
        return outcome(artefacts, ending="timeout", stdout="\x1b[2J")


class Checks:
    """The checks, collected once: each session of pytest costs more than hundreds of them."""

    def __init__(self, assignment):
        self.evidence, self.results = queue.Queue(), queue.Queue()
        self.thread = threading.Thread(
            target=run_checks,
            args=(
                iter(self.evidence.get, None),
                assignment,
                lambda _, results, __: self.results.put(results),
            ),
            daemon=True,
        )
        self.thread.start()

    def run(self, evidence):
        self.evidence.put(evidence)
        return self.results.get(timeout=20)


@pytest.fixture(scope="session")
def report_on(tmp_path_factory, make, promptly):
    """Make a report, and every view, of what a worker says: ``report_on(chunks)`` → report."""
    folder = tmp_path_factory.mktemp("little")
    (folder / "assignment.toml").write_text(TOML, "utf-8")
    (folder / "test_little.py").write_text(CHECKS, "utf-8")
    assignment = read_assignment(folder)
    checks = Checks(assignment)

    def go(chunks):
        bench = SimpleNamespace(
            sandbox=Said(chunks),
            dataset=SimpleNamespace(
                name="mnist", source="stand-in", description="a fake", digest="d" * 64,
                served=folder, beside=(), served_sha256=("ab",),
            ),
            shortcuts=Shortcuts(),
            on_progress=lambda _: None,
        )  # fmt: skip
        submission = make.submission()
        with promptly():
            record, _ = execute(submission, assignment, bench, ["asked"])
        json.loads(plain_json(record), parse_constant=_refuse)
        known = Evidence(
            submission=submission, execution=record, card=make.card(), measurement=None
        )
        results = checks.run(known)
        broken = [result.hint for result in results if result.outcome == "broken"]
        assert [hint for hint in broken if "too large to be compared" not in hint] == []
        with promptly():
            report = tally(known, results, assignment, bench)
            _write_all(report, known, folder)
        return report

    yield go
    checks.evidence.put(None)
    checks.thread.join()


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def _write_all(report, evidence, folder):
    write_json(report, folder / "report.json")
    SCHEMA.validate(json.loads((folder / "report.json").read_text("utf-8"), parse_constant=_refuse))
    write_csv([report], folder / "grades.csv")
    with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        header, row = csv.reader(file)
    assert len(header) == len(row)
    console = Console(file=io.StringIO(), width=100)
    show_class([report], console)
    show_one(report, console)
    assert len(console.file.getvalue()) < 200_000
    write_notebook(evidence.submission, evidence.execution, folder / "executed.ipynb")
    text = (folder / "executed.ipynb").read_text("utf-8")
    nbformat.validate(json.loads(text, parse_constant=_refuse))


def _line(said):
    return json.dumps(said).encode() + b"\n"


def test_what_an_honest_worker_says_is_all_taken(report_on):
    reader = Reader()
    assert len(reader.feed(b"".join(map(_line, SAID)))) == len(SAID)
    report = report_on(list(map(_line, SAID)))
    assert len({check.outcome for check in report.checks}) > 1


@given(data=st.data())
def test_nearly_honest_workers_are_reported_on(report_on, warped, as_text, data):
    said = [_line(message) for message in SAID]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(SAID) - 1))
        text = data.draw(as_text(data.draw(warped(SAID[place]))))
        said[place] = text.encode("utf-8", "surrogatepass") + b"\n"
    order = data.draw(st.sampled_from([said, said[::-1], said[:-2], said * 2]))
    report_on(order)


@given(junk=st.lists(st.binary(max_size=60), max_size=5), cut=st.integers(1, 5000))
@example(junk=[b"[" * 100_000], cut=5000)
@example(junk=[b'{"event": "values", "values": {"a": 1' + b"0" * 5000 + b"}}"], cut=77)
def test_any_bytes_between_messages_are_dropped(report_on, junk, cut):
    whole = b"".join(map(_line, SAID[:2])) + b"\n".join(junk) + b"\n"
    whole += b"".join(map(_line, SAID[2:]))
    report = report_on([whole[place : place + cut] for place in range(0, len(whole), cut)])
    assert report.environment == {"keras": "3"}


@given(data=st.data())
def test_damaged_messages_are_dropped_or_taken(report_on, damaged, data):
    whole = data.draw(damaged(b"".join(map(_line, SAID)), 20))
    with contextlib.suppress(GraderError):
        report_on([whole])


NOT_HONEST = [
    {"event": "fit", "fit": {**FIT, "epochs": 10**30}},
    {"event": "fit", "fit": {**FIT, "history": {"x" * 2000: []}}},
    {"event": "fit", "fit": {**FIT, "compiled": {**COMPILED, "loss": "x" * 10**6}}},
    {"event": "cell", "number": 1, "outcome": "raised", "seconds": 0.1,
     "error": {**ERROR, "traceback": "x\n" * 10**6}},
    {"event": "probe", "name": "asked", "answer": {"outcome": "answered", "steps": [
        {"value": {**GIVEN, "numbers": [10**400] * 4}}]}},
    {"event": "probe", "name": "asked", "answer": {"outcome": "answered", "steps": [
        {"value": {**GIVEN, "shape": [-2, -2]}}]}},
    {"event": "values", "values": {"a": {"__float__": "1"}, "b": [[[[1]]]]}},
]  # fmt: skip


@pytest.mark.parametrize("said", NOT_HONEST, ids=range(len(NOT_HONEST)))
def test_what_no_honest_worker_says_is_dropped(said):
    reader = Reader()
    assert reader.feed(_line(said)) == []
    assert reader.dropped == 1


@given(chunks=st.lists(st.binary(max_size=50), max_size=20))
def test_however_messages_are_cut_the_same_is_read(chunks):
    whole, parts = Reader(), Reader()
    data = b"".join(chunks) + _line(SAID[-2])
    assert whole.feed(data) == [message for chunk in chunks for message in parts.feed(chunk)] + (
        parts.feed(_line(SAID[-2]))
    )
    assert whole.dropped == parts.dropped


def test_a_line_of_the_longest_length_is_read_at_once(promptly):
    reader = Reader()
    line = _line({"event": "output", "output": {**STREAM, "text": "x" * (LONGEST_LINE - 100)}})
    with promptly():
        found = [
            message
            for place in range(0, len(line), 65536)
            for message in reader.feed(line[place : place + 65536])
        ]
    assert len(found) == 1
