"""A students' pack has all that a student needs, and nothing that is hidden."""

import io
import json
import tomllib
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from grader.assignment import find_assignment, named_in, read_assignment
from grader.authoring.leaks import in_files
from grader.authoring.pack import LIBRARIES, pack, write_pack
from grader.authoring.release import handout
from grader.checks.session import ListedCheck, list_checks
from grader.cli import app
from grader.datasets.arrays import read_npz
from grader.errors import AssignmentError, UsageError

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in ROOT.glob("assignments/*/assignment.toml"))
TOML = """
# 0.91 would do for the hidden floor, do not tell
name = "little"
title = "A little assignment"
version = "1"
about = "for the instructor"

[data]
file = "little.npz"

[model]
task = "multiclass"
classes = 3
inputs = ["vector"]

[thresholds.accuracy]
at_least = 0.8
"""
VISIBLE = '''
import pytest

@pytest.mark.points(2)
def test_accuracy(held_out):
    """It is right eight times in ten."""
    held_out.expect_accuracy(at_least=0.8)
'''
HIDDEN = '''
import pytest

@pytest.mark.points(3)
@pytest.mark.requires("test_accuracy")
@pytest.mark.parametrize("share", [0.5, 0.6])
def test_every_class(held_out, share):
    """No class is given up for another."""
    # whoever reads this knows too much
    held_out.expect_each_class(at_least=share)
'''
SOLUTION = """\
# %%
### BEGIN SOLUTION
model = 42
### END SOLUTION
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def authors(assignment_folder, tmp_path):
    """Write an author's folder: ``authors(visible, toml, solution)``."""

    def write(visible=VISIBLE, toml=TOML, solution=SOLUTION, *, training=True):
        folder = assignment_folder(toml, visible, HIDDEN)
        (tmp_path / "solution.py").write_text(solution, "utf-8")
        (folder / "handout.ipynb").write_text(handout(tmp_path / "solution.py", "little"), "utf-8")
        x = np.arange(60.0).reshape(30, 2)
        y = np.arange(30) % 3
        given = {"x_train": x[:20], "y_train": y[:20]} if training else {}
        np.savez(folder / "little.npz", x_test=x[20:], y_test=y[20:], **given)
        return read_assignment(folder)

    return write


def test_a_pack_holds_what_students_need_and_only_counts_what_is_hidden(authors, tmp_path):
    made = pack(authors())
    assert set(made.files) == {
        *("little.ipynb", "assignment.toml", "test_little.py"),
        *("little.npz", "requirements.txt", "README.md"),
    }
    write_pack(made, tmp_path / "pack")
    students = read_assignment(tmp_path / "pack")
    assert students.hidden == ()
    assert students.settings.hidden.checks == 2
    assert students.settings.hidden.points == 6
    assert students.settings.thresholds.accuracy.at_least == 0.8
    assert students.settings.about == ""
    assert made.left_out == ("about",)
    assert list_checks(students) == made.visible
    assert named_in(tmp_path / "pack" / "little.ipynb") == str(tmp_path / "pack")
    pins = made.files["requirements.txt"].decode().splitlines()
    assert [pin.partition("==")[0] for pin in pins] == list(LIBRARIES)
    assert "worth 6 points" in made.files["README.md"].decode()


@pytest.mark.parametrize(
    ("visible", "bounds"),
    [
        (VISIBLE, {"accuracy"}),
        (VISIBLE.replace("held_out.", 'named["small"].held_out.'), {"accuracy", "models"}),
        (VISIBLE.replace("held_out", "model"), set()),
    ],
)
def test_a_bound_that_only_hidden_checks_hold_up_is_not_in_the_pack(authors, visible, bounds):
    several = '\n[models.small]\nvariable = "small"\ntask = "multiclass"\nclasses = 3\n'
    own = 'inputs = ["vector"]\n[thresholds.models.small.accuracy]\nat_least = 0.7\n'
    made = pack(authors(visible, TOML + several + own))
    kept = tomllib.loads(made.files["assignment.toml"].decode())
    assert set(kept.get("thresholds", {})) == bounds


def test_a_self_check_tells_of_the_accuracy_what_a_report_would_tell(authors, tmp_path):
    made = pack(authors(toml=TOML + '\n[feedback]\nheld_out = "verdict"\n'))
    write_pack(made, tmp_path / "pack")
    assert read_assignment(tmp_path / "pack").settings.feedback.held_out == "verdict"


@pytest.mark.parametrize(
    "secret", ["test_every_class", "No class is given up", "knows too much", "share", "0.91"]
)
def test_no_trace_of_the_hidden_checks_is_in_any_file(authors, secret):
    for name, data in pack(authors()).files.items():
        assert secret.encode() not in data, name


def test_no_held_out_row_is_in_the_pack(authors, tmp_path):
    (tmp_path / "x.npz").write_bytes(pack(authors()).files["little.npz"])
    given = read_npz(tmp_path / "x.npz")
    assert given["x_train"].max() == 39.0
    assert given["x_test"].max() <= 39.0


def test_where_nothing_is_served_the_pack_has_shapes_and_no_row(authors, tmp_path):
    (tmp_path / "x.npz").write_bytes(pack(authors(training=False)).files["little.npz"])
    given = read_npz(tmp_path / "x.npz")
    assert {name: array.shape for name, array in given.items()} == {
        "x_test": (0, 2),
        "y_test": (0,),
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"visible": VISIBLE + "\n# see test_every_class\n"},
            "test_little.py: students can read the name of a hidden check there",
        ),
        (
            {"visible": VISIBLE + "\n# No class is\n#\n"},
            "",
        ),
        (
            {"toml": TOML.replace("A little assignment", "No class is given up for another.")},
            "assignment.toml: students can read the title of the hidden check test_every_class",
        ),
        (
            {"solution": SOLUTION + "# %% [markdown]\n# No class is given\n# up for another.\n"},
            "little.ipynb: students can read the title of the hidden check test_every_class",
        ),
        (
            {"solution": SOLUTION + "# %%\nheld_out.expect_each_class(at_least=share)\n"},
            "little.ipynb: students can read line 10 of hidden_little.py there: 'held_out.",
        ),
        (
            {"solution": SOLUTION + "# %% [markdown]\n# whoever reads this knows too much\n"},
            "little.ipynb: students can read line 9 of hidden_little.py there: 'whoever reads",
        ),
    ],
    ids=["name", "a part of a title", "title", "wrapped title", "line", "comment"],
)
def test_a_pack_in_which_something_hidden_stands_is_not_written(authors, tmp_path, changes, says):
    assignment = authors(**changes)
    if not says:
        assert pack(assignment)
        return
    with pytest.raises(AssignmentError) as caught:
        pack(assignment)
    assert says in str(caught.value)
    done = CliRunner().invoke(
        app, ["release", str(assignment.folder), "-o", str(tmp_path / "out.zip")]
    )
    assert done.exit_code == 2
    assert not (tmp_path / "out.zip").exists()


def test_a_longer_name_is_another_name(authors):
    longer = VISIBLE.replace("test_accuracy", "test_every_class_here")
    assert pack(authors(VISIBLE + longer.partition("import pytest")[2].replace("It is", "So is")))


def test_the_same_assignment_makes_the_same_zip(authors, tmp_path):
    assignment = authors()
    for name in ("one.zip", "two.zip"):
        write_pack(pack(assignment), tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.zip", "two.zip"))
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert all(name.startswith("little/") for name in archive.namelist())


def test_nothing_is_overwritten(authors, tmp_path):
    made = pack(authors())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("three years of work")
    for place in (tmp_path / "full", tmp_path / "full" / "thesis.txt"):
        with pytest.raises(UsageError, match="is there already"):
            write_pack(made, place)


def test_visible_checks_that_need_what_is_hidden_are_told_before_students_find_out(authors):
    assignment = authors(
        VISIBLE + "\nfrom pathlib import Path\n"
        "(Path(__file__).parent / ('hidden' + '_little.py')).read_text()\n"
    )
    with pytest.raises(AssignmentError, match="cannot be collected"):
        pack(assignment)


def test_a_handout_without_the_last_cell_gets_it(authors):
    assignment = authors()
    file = assignment.folder / "handout.ipynb"
    notebook = json.loads(file.read_text("utf-8"))
    del notebook["cells"][-1]
    file.write_text(json.dumps(notebook), "utf-8")
    packed = nbformat.reads(pack(assignment).files["little.ipynb"].decode(), as_version=4)
    assert "from grader.notebook import check" in packed.cells[-1].source


def test_a_handout_that_holds_the_solution_is_not_given_away(authors, tmp_path):
    assignment = authors()
    notebook = json.loads((assignment.folder / "handout.ipynb").read_text("utf-8"))
    notebook["cells"][0]["source"] = (tmp_path / "solution.py").read_text("utf-8")
    (assignment.folder / "handout.ipynb").write_text(json.dumps(notebook), "utf-8")
    with pytest.raises(AssignmentError, match="holds the solution"):
        pack(assignment)


def test_without_a_handout_there_is_no_pack_but_a_command(authors):
    assignment = authors()
    (assignment.folder / "handout.ipynb").unlink()
    with pytest.raises(AssignmentError, match=r"grader handout .*little --from"):
        pack(assignment)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    secret=st.sampled_from(
        [
            "test_every_class",
            "No class is given up for another.",
            "whoever reads this knows too much",
            "held_out.expect_each_class(at_least=share)",
        ]
    ),
    before=st.text(st.characters(codec="utf-8")),
    wrap=st.sampled_from([" ", "\n", "\r\n", "   ", "\t"]),
    name=st.sampled_from(["a.ipynb", "test_a.py", "README.md", "assignment.toml"]),
)
def test_a_secret_is_found_in_any_file_however_it_is_wrapped(authors, secret, before, wrap, name):
    text = f"{before} {secret.replace(' ', wrap)}."
    assignment = authors()
    hidden = (
        ListedCheck(
            name="test_every_class[0.5]",
            title="No class is given up for another. [0.5]",
            points=3,
            hidden=True,
        ),
    )
    found = list(in_files(assignment, hidden, {name: text, "b.py": "import pytest"}))
    assert found
    assert all(leak.what.startswith(f"{name}: ") for leak in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_assignment_can_be_released(name, tmp_path):
    done = CliRunner().invoke(
        app, ["release", str(ROOT / "assignments" / name), "-o", str(tmp_path / name)]
    )
    assert done.exit_code == 0, done.output
    assert "nothing hidden stands in it" in " ".join(done.output.split())
    kept = tomllib.loads((tmp_path / name / "assignment.toml").read_text("utf-8"))
    hidden = [each for each in list_checks(read_assignment(find_assignment(name))) if each.hidden]
    assert kept.get("hidden", {"checks": 0})["checks"] == len(hidden)
    assert "about" not in kept
