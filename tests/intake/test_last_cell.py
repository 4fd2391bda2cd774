"""The last cell of a handout checks the student's work and is no part of it."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

import grader.notebook
from grader.intake.collect import collect
from grader.intake.last_cell import SOURCE, is_last_cell
from grader.notebook import check, this_notebook

ROOT = Path(__file__).parents[2]
HANDOUTS = sorted(ROOT.glob("assignments/*/handout.ipynb"))


def notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(sources)]
    return nbformat.writes(
        nbformat.v4.new_notebook(cells=cells, metadata={"grader": {"assignment": "little"}})
    )


def collected(tmp_path, *sources):
    (tmp_path / "ada.ipynb").write_text(notebook(*sources), "utf-8")
    (submission,) = collect([tmp_path / "ada.ipynb"])
    return submission


@pytest.mark.parametrize(
    ("sources", "cells"),
    [
        (("a = 1", SOURCE), ("a = 1",)),
        (("a = 1",), ("a = 1",)),
        (("a = 1", SOURCE, SOURCE), ("a = 1",)),
        (("a = 1", SOURCE, "b = 2"), ("a = 1", "", "b = 2")),
        (("a = 1", SOURCE.replace("\n", "\r\n") + "  \n\n"), ("a = 1",)),
        (("a = 1", SOURCE + "\nb = 2"), ("a = 1", SOURCE + "\nb = 2")),
    ],
    ids=["last", "none", "twice", "in between", "another editor", "with own code"],
)
def test_it_is_no_part_of_what_was_handed_in_and_moves_no_cells_number(tmp_path, sources, cells):
    submission = collected(tmp_path, *sources)
    assert submission.cells == cells
    assert len(submission.notebook["cells"]) == len(cells)


def test_a_notebook_of_nothing_else_has_no_code(tmp_path):
    assert collected(tmp_path, SOURCE).problem == "there is no code in it"


def test_in_a_script_made_from_the_notebook_it_is_known_too(tmp_path):
    (tmp_path / "ada.py").write_text(f"# %%\na = 1\n\n# %%\n{SOURCE}\n", "utf-8")
    (submission,) = collect([tmp_path / "ada.py"])
    assert submission.cells == ("a = 1",)


@given(st.text(min_size=1), st.integers(min_value=0, max_value=len(SOURCE)))
def test_a_changed_one_is_the_students_own(text, place):
    changed = SOURCE[:place] + text + SOURCE[place:]
    assert not is_last_cell(changed) or text.isspace()


def test_while_it_is_graded_it_does_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "grader_worker", SimpleNamespace())
    monkeypatch.chdir(tmp_path)
    check()
    assert capsys.readouterr().out == ""


def test_it_says_what_to_type_where_it_cannot_tell_the_notebook(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    check()
    assert "check(file='my_notebook.ipynb')" in capsys.readouterr().out


def test_the_notebook_is_found_by_jupyters_word_and_else_by_being_alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for name in ("mine.ipynb", "other.ipynb"):
        (tmp_path / name).write_text(notebook("a = 1"), "utf-8")
    (tmp_path / "broken.ipynb").write_text('"grader": {"assignment": ', "utf-8")
    assert this_notebook() is None
    monkeypatch.setenv("JPY_SESSION_NAME", "course/week 3/other.ipynb")
    assert this_notebook() == tmp_path / "other.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", "0a-1b-2c")
    (tmp_path / "other.ipynb").write_text("{}", "utf-8")
    assert this_notebook() == tmp_path / "mine.ipynb"


def test_it_runs_grader_check_on_the_saved_notebook(monkeypatch, capsys, tmp_path):
    (tmp_path / "mine.ipynb").write_text(notebook("a = 1"), "utf-8")
    asked = []

    class Said:
        def __init__(self, argv, env, **_):
            asked.append(argv)
            assert "FORCE_COLOR" not in env  # Jupyter sets it: moving bars would fill the cell
            self.stdout = ["It has ten units.  2/2\n"]

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(grader.notebook.subprocess, "Popen", Said)
    check("--fresh", file=tmp_path / "mine.ipynb")
    assert asked == [
        [sys.executable, "-m", "grader", "check", str(tmp_path / "mine.ipynb"), "--fresh"]
    ]
    assert "as saved at" in (said := capsys.readouterr().out)
    assert said.endswith("It has ten units.  2/2\n")


@pytest.mark.parametrize("path", HANDOUTS, ids=lambda path: path.parent.name)
def test_every_handout_is_a_sound_notebook_that_ends_with_it(path):
    made = nbformat.read(path, as_version=4)
    nbformat.validate(made)
    assert is_last_cell(made.cells[-1].source)


RUN = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


def test_in_jupyter_without_the_grader_it_says_how_to_get_it_and_raises_nothing(tmp_path):
    (tmp_path / "no_grader").mkdir()
    (tmp_path / "no_grader" / "grader.py").write_text("raise ImportError('there is none')")
    file = tmp_path / "mine.ipynb"
    file.write_text(
        notebook(
            "a = 1\na", SOURCE, "try:\n    import grader\nexcept ImportError:\n    print('none')"
        ),
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, str(file)],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(tmp_path / "no_grader"),
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads(file.read_text("utf-8"))["cells"]
    assert "".join(cells[0]["outputs"][0]["data"]["text/plain"]) == "1"
    assert "pip install keras-grader" in "".join(cells[1]["outputs"][0]["text"])
    assert "none" in "".join(cells[2]["outputs"][0]["text"])
