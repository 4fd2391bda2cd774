import csv
import json
from pathlib import Path

import jsonschema
import nbformat
import pytest

from grader.assignment import read_assignment
from grader.records import CellRecord, CheckResult, ErrorFacts, FoundModel, Judged
from grader.report.as_csv import write_csv
from grader.report.as_json import as_data, write_json
from grader.report.notebook import write_notebook
from grader.report.schema import schema
from grader.report.words import plain_text, summary
from grader.tally import tally

ROOT = Path(__file__).parents[1]
HOSTILE = "=HYPERLINK(1)\x1b[31m\u202e\n,x"


def result(name="test_a", outcome="passed", **changes):
    points = 2.0 if outcome == "passed" else 0.0
    given = {
        "name": name,
        "title": f"Title of {name}.",
        "outcome": outcome,
        "points": points,
        "out_of": 2.0,
        "hidden": False,
        **changes,
    }
    return CheckResult(**given)


@pytest.fixture
def report(assignment_folder, little_toml, bench, make):
    """Tally results: ``report(results, evidence)``."""
    toml = little_toml + "\n[thresholds.accuracy]\nat_least = 0.9\nmargin = 0.03\n"
    toml += "\n[limits]\ncpu_s = 90\n"
    assignment = read_assignment(assignment_folder(toml, checks="x = 1"))

    def go(*results, known=None, **options):
        return tally(known or make.evidence(), results or (result(),), assignment, bench, **options)

    return go


def test_points_add_up(report):
    made = report(result("a"), result("b", "failed"), result("c", "skipped"))
    assert (made.points, made.out_of, made.needs_a_person) == (2.0, 6.0, False)


def test_a_broken_check_costs_no_points_and_calls_a_person(report):
    made = report(result("a"), result("b", "broken"))
    assert (made.points, made.out_of, made.needs_a_person) == (2.0, 2.0, True)
    assert summary(made).startswith("A person must look")


def test_our_own_failure_calls_a_person(report, make):
    made = report(known=make.evidence(broken="The judge was ended."))
    assert made.needs_a_person
    assert "The judge was ended." in made.notes


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("timeout", "longer than 600 s"),
        ("cpu", "more than 90 s of processor time"),
        ("memory", "more than 4 GiB"),
        ("output", "printed without end"),
        ("processes", "more than 160 processes"),
        ("disk", "wrote more than 2 GiB"),
        ("killed", "died from a signal"),
        ("exited", "ended its own process"),
    ],
)
def test_each_ending_has_its_sentence(report, make, ending, words):
    made = report(known=make.evidence(execution=make.execution(ending=ending)))
    assert any(words in note for note in made.notes)


def test_an_accuracy_near_the_threshold_is_said_to_be_near(report, make):
    assert any("close to the threshold" in note for note in report().notes)
    far = make.evidence(measurement=make.measurement(value=0.99))
    assert not any("close" in note for note in report(known=far).notes)


def test_of_several_models_the_one_near_its_own_threshold_is_named(
    assignment_folder, little_toml, bench, make
):
    def model(name, floor):
        table = f'[models.{name}]\nvariable = "the_{name}"\ntask = "multiclass"\nclasses = 10\n'
        bounds = f"[thresholds.models.{name}.accuracy]\nat_least = {floor}\nmargin = 0.03\n"
        return f'{table}inputs = ["vector"]\n{bounds}'

    toml = little_toml + model("near", 0.85) + model("far", 0.7)
    judged = Judged(number=1, card=None, measurement=make.measurement(value=0.84), problem="")
    others = {"near": judged, "far": judged}
    assignment = read_assignment(assignment_folder(toml, checks="x = 1"))
    models = tuple(
        FoundModel(number=number, variables=(), kind="functional", compiled=None, fits=1)
        for number in range(2)
    )
    evidence = make.evidence(others=others, execution=make.execution(models=models))
    made = tally(evidence, (result(),), assignment, bench)
    (note,) = [note for note in made.notes if "close to the threshold" in note]
    assert note.startswith("`the_near`: The accuracy is close to the threshold: 84.00 % beside")


def test_several_forms_are_named(report, make):
    tried = {"raw": 0.5, "scaled": 0.92}
    made = report(known=make.evidence(measurement=make.measurement(tried=tried)))
    assert any("raw: 50.00 %, scaled: 92.00 %" in note for note in made.notes)


def test_the_report_has_every_field_that_it_promises(report):
    fields = (
        "version assignment submission ending points out_of needs_a_person checks models fits "
        "measurement measurements extra cells notes withheld_notes feedback flags attempts "
        "not_run isolation data environment seconds"
    )
    data = as_data(report())
    assert list(data) == fields.split()
    assert data["version"] == 1
    assert data["models"][0]["layers"][0]["units"] == 10
    assert data["isolation"] == {"level": "none", "description": "a test"}


def test_the_schema_is_made_from_the_records_and_reports_keep_it(report, make):
    kept = json.loads((ROOT / "docs" / "report.schema.json").read_text("utf-8"))
    assert kept == schema(), "The schema is stale: run `make docs`."
    assert kept["properties"]["points"]["description"] == "Points earned."
    nan = make.fit(history={"loss": (1.0, float("nan"))})
    known = make.evidence(execution=make.execution(fits=(nan,)))
    for made in (report(known=known), report(result("a", "failed"), not_run=(1, 2.0))):
        jsonschema.validate(as_data(made), kept)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**as_data(report()), "points": "many"}, kept)


def test_json_holds_no_number_that_is_none(report, make, tmp_path):
    nan = make.fit(history={"loss": (1.0, float("nan"), float("inf"))})
    made = report(known=make.evidence(execution=make.execution(fits=(nan,))))
    write_json(made, tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert read["fits"][0]["history"]["loss"] == [1.0, "nan", "inf"]


def test_a_student_sees_nothing_of_a_hidden_check_but_its_worth(report):
    secret = result("test_secret", "failed", hidden=True, title="Secret", hint="canary")
    data = as_data(report(result("a"), secret), for_student=True)
    assert "canary" not in json.dumps(data)
    assert "ecret" not in json.dumps(data)
    assert data["not_run"] == {"checks": 1, "points": 2.0}
    assert (data["points"], data["out_of"]) == (2.0, 2.0)


def test_a_student_sees_no_flag_and_nothing_of_the_extra_set(report, make):
    known = make.evidence(
        measurement=make.measurement(constant=True), extra=make.measurement(samples=4321)
    )
    made = report(known=known)
    data = as_data(made, for_student=True)
    assert [flag.kind for flag in made.flags] == ["constant"]
    assert as_data(made)["flags"][0]["kind"] == "constant"
    assert as_data(made)["extra"]["samples"] == 4321
    assert not {"flags", "extra", "attempts", "withheld_notes"} & set(data)
    assert "4321" not in json.dumps(data)
    assert made.flags[0].sentence not in json.dumps(data)


def test_checks_that_were_not_run_are_counted(report):
    assert report(not_run=(2, 5.0)).not_run == {"checks": 2, "points": 5.0}


def test_the_summary_says_what_matters_most(report, make):
    assert summary(report()) == "Everything is right."
    failed = result("b", "failed", expected="10 units", received="9", hint="Look there.")
    assert summary(report(failed)) == "Expected 10 units; received 9. Look there."
    assert summary(report(result("b", "failed"))) == "Not met: Title of b."
    error = ErrorFacts(kind="KeyError", message="'acc'", line=3, traceback="...")
    crashed = make.execution(
        ending="raised",
        models=(),
        chosen=None,
        fits=(),
        cells=(CellRecord(number=2, outcome="raised", seconds=0.1, error=error),),
    )
    known = make.evidence(execution=crashed, card=None, measurement=None)
    assert summary(report(failed, known=known)) == "Cell 2, line 3: KeyError: 'acc'"
    unreadable = make.execution(ending="unreadable", models=(), chosen=None, problem="it is empty")
    known = make.evidence(execution=unreadable, card=None, measurement=None)
    assert summary(report(failed, known=known)) == "It is empty."
    slow = make.evidence(execution=make.execution(ending="timeout"))
    assert "longer than" in summary(report(failed, known=slow))


def test_what_an_error_means_stands_beneath_it_and_in_the_summary(report, make):
    known = make.evidence(
        execution=make.execution(
            ending="raised",
            cells=(
                CellRecord(
                    number=2,
                    outcome="raised",
                    seconds=0.1,
                    error=ErrorFacts(
                        kind="ValueError",
                        message="Argument(s) not recognized: {'lr': 0.1}",
                        line=1,
                        traceback="SGD(lr=0.1)",
                    ),
                ),
            ),
            fits=(),
        )
    )
    made = report(result("a", "failed"), known=known)
    assert made.cells[0]["error"]["hint"] == "`lr` is called `learning_rate` now."
    assert summary(made).endswith("{'lr': 0.1} → `lr` is called `learning_rate` now.")


def test_a_spreadsheet_executes_nothing_and_its_columns_do_not_shift(report, make, tmp_path):
    failed = result("test_a", "failed", hint=HOSTILE)
    known = make.evidence(submission=make.submission(student="@SUM(1)"))
    write_csv([report(failed, known=known), report(result("test_a", "broken"))], tmp_path / "g.csv")
    with (tmp_path / "g.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["student"] == "'@SUM(1)"
    assert rows[0]["summary"].startswith("'=HYPERLINK")
    assert "\x1b" not in rows[0]["summary"]
    assert rows[0]["test_a"] == "0"
    assert rows[1]["test_a"] == ""
    assert rows[1]["needs_a_person"] == "yes"


def test_text_of_a_stranger_is_one_plain_line():
    assert plain_text("a\x1b[31mb\x1b]8;;http://x\x07c\u202ed\n\te\x00") == "ab8;;http://xcd e"


def test_the_executed_notebook_shows_what_was_shown_here(make, tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "# Title", "id": "cell-1"},
        {"cell_type": "code", "source": "1 + 1", "id": "cell-2"},
        {"cell_type": "raw", "source": "raw", "id": "cell-3"},
        {"cell_type": "code", "source": "never", "id": "cell-4"},
    ]
    outputs = ({"output_type": "stream", "name": "stdout", "text": "2\n"},)
    execution = make.execution(
        cells=(
            CellRecord(number=1, outcome="ok", seconds=0.1, outputs=outputs),
            CellRecord(number=2, outcome="not_run", seconds=0.0),
        )
    )
    write_notebook(make.submission(notebook={"cells": cells}), execution, tmp_path / "n.ipynb")
    notebook = nbformat.read(tmp_path / "n.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "raw", "code"]
    assert notebook.cells[1].outputs[0].text == "2\n"
    assert notebook.cells[1].execution_count == 1
    assert notebook.cells[3].execution_count is None


def test_a_model_that_is_not_judged_is_listed_without_layers(report, make):
    other = FoundModel(number=1, variables=("b",), kind="functional", compiled=None, fits=1)
    execution = make.execution()
    both = make.execution(models=(*execution.models, other))
    first, second = report(known=make.evidence(execution=both)).models
    assert first["judged"]
    assert "layers" not in second
