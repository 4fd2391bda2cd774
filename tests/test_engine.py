"""The whole engine on real submissions: shortcuts, chance, budget."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import find_assignment, read_assignment
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.report.as_json import as_data
from grader.settings import AccuracyWanted, Thresholds, Training
from grader.workbench import Shortcuts

SAMPLES = Path(__file__).parents[1] / "assignments" / "mnist_softmax" / "samples"

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]


@pytest.fixture
def run(tmp_path):
    """Grade samples under changed settings: ``run("ada", settings…)`` → report, folder."""
    calls = []

    def go(*names, settings=None, **wishes):
        assignment = read_assignment(find_assignment("mnist_softmax"))
        assignment = replace(assignment, settings=replace(assignment.settings, **(settings or {})))
        folder = tmp_path / f"run-{len(calls)}"
        calls.append(folder)
        wanted = Wishes(store=tmp_path / "store", **wishes)
        with open_office(assignment, folder, wanted) as office:
            reports = grade(
                collect([SAMPLES / name for name in names]),
                assignment,
                office.desk,
                office.hands,
                jobs=office.jobs,
            )
        return reports, folder / "submissions"

    return go


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What ada's notebook gives with every shortcut taken."""
    folder = tmp_path_factory.mktemp("reference")
    assignment = read_assignment(find_assignment("mnist_softmax"))
    with open_office(assignment, folder, Wishes(store=folder / "store")) as office:
        (report,) = grade(collect([SAMPLES / "ada.ipynb"]), assignment, office.desk, office.hands)
        # or the test of the zygote would compare one fresh process with another
        assert office.desk.bench.sandbox._current.taken == 2, "kernel and judge were no forks"
        assert office.notes == ()
    return report, folder / "submissions" / "ada"


@pytest.mark.parametrize("shortcut", [*Shortcuts.__dataclass_fields__, "all of them"])
def test_no_shortcut_changes_a_bit_of_the_result(run, reference, shortcut):
    off = Shortcuts.__dataclass_fields__ if shortcut == "all of them" else [shortcut]
    (report,), folder = run("ada.ipynb", shortcuts=Shortcuts(**dict.fromkeys(off, False)))
    known, its_folder = reference
    folders = (folder / "ada", its_folder)
    one, two = ((where / "predictions.f32").read_bytes() for where in folders)
    assert one == two
    one, two = (_without_times((where / "executed.ipynb").read_text()) for where in folders)
    assert one == two
    assert _plain(report) == _plain(known)


def _without_times(notebook):
    """What cells printed, but for the milliseconds in progress bars."""
    cells = json.loads(notebook)["cells"]
    return [
        [
            {**output, "text": "progress"} if "step" in "".join(output.get("text", ())) else output
            for output in cell.get("outputs", ())
        ]
        for cell in cells
    ]


def _plain(report):
    data = as_data(report)
    del data["seconds"]
    for fit in data["fits"]:
        del fit["seconds"]
    return data


def test_what_keras_imports_late_is_there(run, tmp_path):
    (tmp_path / "wrapped.py").write_text(
        "import keras, sklearn.preprocessing\n"
        "from keras.wrappers import SKLearnClassifier\n"
        "from tensorflow.keras.wrappers import SKLearnClassifier as Other\n"
        "assert SKLearnClassifier is Other is keras.wrappers.SKLearnClassifier\n"
        "assert issubclass(Other, sklearn.base.BaseEstimator)\n"
    )
    (report,), _ = run(tmp_path / "wrapped.py")
    assert report.ending == "finished"
    assert report.cells == (), "a cell raised"


def test_work_near_the_threshold_is_run_with_other_seeds_and_the_report_shows_them(run):
    wanted = AccuracyWanted(at_least=0.92, margin=0.02, retries=2)
    (report,), _ = run("ada.ipynb", settings={"thresholds": Thresholds(accuracy=wanted)})
    runs = report.measurement.runs
    assert [each.seed for each in runs] == [7, 8, 9]
    assert len({each.value for each in runs}) > 1
    assert report.measurement.value == sorted(each.value for each in runs)[1]
    assert report.measurement.low < report.measurement.value < report.measurement.high
    assert any("was run 3 times" in note for note in report.notes)


def test_what_was_learnt_within_the_budget_is_what_is_judged(run):
    (whole,), _ = run("ada.ipynb")
    (capped,), _ = run("ada.ipynb", settings={"training": Training(epochs=2)})
    assert [fit.stopped_by for fit in capped.fits] == ["epochs"]
    assert len(capped.fits[0].history["loss"]) == 2
    assert capped.fits[0].history["loss"] == whole.fits[0].history["loss"][:2]
    assert 0.8 < capped.measurement.value < whole.measurement.value
    assert any("The training budget was used up (2 epochs" in note for note in capped.notes)
    assert capped.ending == "finished"


def test_seconds_end_a_training_in_the_middle_of_an_epoch(run):
    (report,), _ = run("ada.ipynb", settings={"training": Training(seconds=0.4)})
    assert report.fits[0].stopped_by == "seconds"
    assert report.fits[0].seconds < 10
    assert report.measurement.value is not None
    assert any("The training budget was used up (0.4 s" in note for note in report.notes)
