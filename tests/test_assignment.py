from pathlib import Path

import pytest

from grader.assignment import find_assignment, named_in, read_assignment
from grader.errors import AssignmentError, UsageError

ASSIGNMENTS = Path(__file__).parents[1] / "assignments"
CHECKS = "def test_x(): pass"


def complaint(folder):
    with pytest.raises(AssignmentError) as caught:
        read_assignment(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('name = "little"', "", "assignment.toml: name: is missing"),
        ('name = "little"', 'name = "Little!"', ":2: name: expected"),
        ('set = "mnist"', 'sett = "mnist"', ":7: data.sett: is not a key"),
        ('set = "mnist"', "", ":6: data: expected either set = "),
        ('set = "mnist"', 'set = "mnist"\nfile = "a.npz"', ":6: data: expected either set = "),
        ('set = "mnist"', 'file = "../a.npz"', ":7: data.file: expected"),
        ('set = "mnist"', 'set = "mnist"\nsplit = 1', ":8: data.split: is not a key"),
        ("classes = 10", "classes = 0", ":11: model.classes: expected"),
        ('task = "multiclass"', 'task = "ranking"', "Received: 'ranking'"),
        ('inputs = ["vector"]', "inputs = []", "model.inputs: expected"),
        ('inputs = ["vector"]', 'inputs = ["vector"]\n[limits]\nwall_s = -1', "limits.wall_s"),
        ('inputs = ["vector"]', 'inputs = ["vector"]\n[limits]\ncpu_s = 0', "limits.cpu_s"),
        ('inputs = ["vector"]', 'inputs = ["vector"]\n[extra]', "extra: expected file = "),
        (
            'inputs = ["vector"]',
            'inputs = ["vector"]\n[extra]\ntransform = "flip"',
            ":14: extra.transform: expected 'noise' or 'shift'. Received: 'flip'",
        ),
        (
            'inputs = ["vector"]',
            'inputs = ["vector"]\n[extra]\nfile = "../p.npz"',
            ":14: extra.file",
        ),
        (
            'inputs = ["vector"]',
            'inputs = ["vector"]\n[feedback]\nheld_out = "rough"',
            ":14: feedback.held_out: expected 'exact', 'banded' or 'verdict'. Received: 'rough'",
        ),
        ('version = "1"', "version = 1", ":4: version: expected a valid string. Received: 1."),
        ('version = "1"', "version =", "is not TOML"),
    ],
)
def test_a_complaint_names_file_line_key_and_what_was_received(
    assignment_folder, little_toml, was, now, says
):
    folder = assignment_folder(little_toml.replace(was, now), CHECKS)
    assert says in complaint(folder)


def test_every_fault_is_told_at_once(assignment_folder, little_toml):
    text = little_toml.replace('task = "multiclass"', 'task = "x"').replace(
        "classes = 10", "classes = -1"
    )
    found = complaint(assignment_folder(text, CHECKS))
    assert "model.task" in found
    assert "model.classes" in found


def test_an_assignment_without_checks_is_an_error_with_a_remedy(assignment_folder):
    assert "Write some in" in complaint(assignment_folder())


def test_text_that_is_not_utf8_is_named(assignment_folder):
    folder = assignment_folder(checks=CHECKS)
    (folder / "assignment.toml").write_bytes(b"\xff")
    assert "not UTF-8" in complaint(folder)


def test_an_assignment_is_found_by_path_and_by_name(assignment_folder):
    folder = assignment_folder(checks=CHECKS)
    assert find_assignment(str(folder)) == folder
    assert find_assignment("mnist_softmax").resolve() == ASSIGNMENTS / "mnist_softmax"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="mnist_softmax"):
        find_assignment("nonsense")


def test_a_handout_a_script_and_a_folder_say_which_assignment_they_belong_to(
    tmp_path, assignment_folder
):
    handout = ASSIGNMENTS / "mnist_dense" / "handout.ipynb"
    assert named_in(handout) == str(handout.parent)
    taken_away = tmp_path / "mine.ipynb"
    taken_away.write_bytes(handout.read_bytes())
    assert named_in(taken_away) == "mnist_dense"
    script = tmp_path / "a.py"
    script.write_text("# assignment: imdb_dense\nimport keras\n")
    assert named_in(script) == "imdb_dense"
    script.write_text("import keras\n")
    assert named_in(script) is None
    folder = assignment_folder(checks=CHECKS)
    (folder / "mine.py").write_text("1")
    assert named_in(folder / "mine.py") == str(folder)
    (folder / "mine.py").write_text("# assignment: imdb_dense")
    assert named_in(folder / "mine.py") == "imdb_dense"
    assert named_in(tmp_path / "nowhere.py") is None


@pytest.mark.parametrize("name", sorted(path.parent.name for path in ASSIGNMENTS.glob("*/*.toml")))
def test_every_shipped_assignment_can_be_read(name):
    assert read_assignment(ASSIGNMENTS / name).settings.about


@pytest.mark.parametrize(
    ("name", "bound", "says"),
    [
        ("bigger", "accuracy]\nat_least = 0.8", "needs a [models.bigger]"),
        ("small", "accuracy]\nat_least = 0.8", "a regression has no accuracy"),
        ("small", "error]\nat_most = 0.8\nretries = 1", "take retries out"),
        ("small", "error]\nat_least = 0.8", "at_least: is not a key that the grader knows. Known"),
    ],
)
def test_a_bound_that_nothing_could_be_held_against_is_refused(
    assignment_folder, little_toml, name, bound, says
):
    model = '\n[models.small]\nvariable = "small"\ntask = "regression"\ninputs = ["vector"]\n'
    text = f"{little_toml}{model}\n[thresholds.models.{name}.{bound}\n"
    found = complaint(assignment_folder(text, CHECKS))
    assert f":18: thresholds.models.{name}" in found or f":19: thresholds.models.{name}" in found
    assert says in found


@pytest.mark.parametrize(
    ("task", "bound", "says"),
    [
        ("regression", "accuracy]\nat_least = 0.8", "a regression has no accuracy"),
        ("multiclass", "error]\nat_most = 0.8", "what has classes (multiclass) has an accuracy"),
        ("", "accuracy]\nat_least = 0.8", "needs a [model], and a [data]"),
        ("", "error]\nat_most = 0.8", "needs a [model], and a [data]"),
    ],
)
def test_a_bound_of_the_one_model_must_have_something_to_measure(
    assignment_folder, little_toml, task, bound, says
):
    text = little_toml.replace("multiclass", task) if task else little_toml.partition("[data]")[0]
    text += f"\n[thresholds.{bound}\n"
    found = complaint(assignment_folder(text, CHECKS))
    line = text.splitlines().index(f"[thresholds.{bound.partition(chr(10))[0]}") + 1
    assert f":{line}: thresholds." in found
    assert says in found


def test_a_bound_of_the_one_model_may_be_meant_for_another(assignment_folder, little_toml):
    other = '\n[models.small]\nvariable = "small"\ntask = "regression"\ninputs = ["vector"]\n'
    text = f"{little_toml}{other}\n[thresholds.error]\nat_most = 0.8\n"
    assert read_assignment(assignment_folder(text, CHECKS)).settings.thresholds.error


@pytest.mark.parametrize("was", ['set = "mnist"', 'task = "multiclass"'])
def test_an_extra_set_without_an_accuracy_to_compare_is_refused(
    assignment_folder, little_toml, was
):
    extra = '\n[extra]\ntransform = "noise"\n'
    text = little_toml.replace("multiclass", "regression") + extra
    if "set" in was:
        text = little_toml.partition("[data]")[0] + extra
    found = complaint(assignment_folder(text, CHECKS))
    assert "extra: there is no accuracy to compare" in found
    assert "no regression" in found
