import json
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

import grader.cli
from grader.errors import (
    AssignmentError,
    DataError,
    GraderError,
    SandboxError,
    UsageError,
    WorkerError,
)

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "assignments" / "mnist_softmax" / "samples"


def call(*args):
    return CliRunner().invoke(grader.cli.app, [str(arg) for arg in args])


def test_the_readme_shows_the_programs_own_help():
    shown = (ROOT / "README.md").read_text("utf-8")
    said = subprocess.run(
        [sys.executable, "-m", "grader", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "100", "PATH": "/usr/bin"},
    ).stdout
    assert "\n".join(line.rstrip() for line in said.strip().splitlines()) in shown


def test_help_imports_neither_keras_nor_anything_heavy():
    heavy = ("keras", "tensorflow", "numpy", "pydantic", "nbformat", "pytest", "sklearn", "IPython")
    code = (
        "import sys; sys.argv = ['grader', '--help']\n"
        "from grader.__main__ import main\n"
        "try: main()\n"
        f"except SystemExit: assert not set({heavy!r}) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["grade", "nonsense", SAMPLES], "There is no assignment 'nonsense'"),
        (["grade", "mnist_softmax", "nowhere"], "nowhere: there is no such file or folder"),
        (["grade", "mnist_softmax", SAMPLES, "--isolation", "perfect"], "there is no such level"),
        (["grade", "mnist_softmax", SAMPLES, "--without", "care"], "there is no such shortcut"),
        (["check", "nowhere.ipynb"], "does not say which assignment"),
        (["check", SAMPLES, "-a", "mnist_softmax"], "holds 11 submissions"),
        (["grade", "mnist_softmax", SAMPLES / "ada.ipynb", "--data", "nowhere"], "nowhere"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_code_2(args, says):
    result = call(*args)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert result.stderr.startswith("grader: ")
    assert "Traceback" not in result.output


def test_a_wrong_assignment_is_told_before_any_student_code_runs(assignment_folder):
    folder = assignment_folder(checks="def test_x(model):\n    pass\n")
    result = call("grade", folder, SAMPLES / "ada.ipynb", "--isolation", "none", "-o", folder / "r")
    assert result.exit_code == 2
    assert "test_little.py:1: test_x: has no docstring" in result.stderr
    assert not (folder / "r" / "submissions").exists()


def test_data_lists_every_source_and_verifies(monkeypatch):
    monkeypatch.setenv("GRADER_OFFLINE", "1")
    result = call("data", "--verify")
    assert result.exit_code == 0
    for word in ("mnist", "imdb", "stand-in"):
        assert word in result.stdout


@pytest.mark.sandbox
def test_doctor_speaks_of_isolation_data_versions_and_the_machine():
    result = call("doctor")
    for word in ("Isolation", "namespaces", "landlock", "Data", "mnist", "keras 3", "cores", "GiB"):
        assert word in result.stdout


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_student_checks_own_work_and_hears_what_was_not_run():
    right = call("check", SAMPLES / "ada.ipynb", "-a", "mnist_softmax")
    assert right.exit_code == 0, right.output
    assert "15 of 15 points" in right.stdout
    assert "1 more check is run when it is graded, worth 1 point" in right.stdout
    assert "each of the ten digits" not in right.stdout

    wrong = call("check", SAMPLES / "ivan.ipynb", "-a", "mnist_softmax", "--json")
    assert wrong.exit_code == 1
    report = json.loads(wrong.stdout)
    assert report["not_run"] == {"checks": 1, "points": 1.0}
    assert {check["name"] for check in report["checks"] if check["outcome"] == "failed"} == {
        "test_parameters",
        "test_validation",
        "test_curves",
        "test_evaluation",
    }
    assert "every_digit" not in wrong.stdout


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_watched_file_is_checked_at_each_save_by_one_server(tmp_path):
    file = tmp_path / "homework.ipynb"
    shutil.copy(SAMPLES / "ada.ipynb", file)
    command = [sys.executable, "-m", "grader", "check", file, "-a", "mnist_softmax", "--watch"]
    with (tmp_path / "out").open("w") as out, ExitStack() as at_last:
        # Below a shell's background jobs it is ignored, and stays so in what they start.
        at_last.callback(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        checking = at_last.enter_context(
            subprocess.Popen([*command, "--json"], stdout=out, stderr=subprocess.PIPE, text=True)
        )
        at_last.callback(checking.kill)

        def wait():
            for line in checking.stderr:
                if line.startswith(f"Waiting for {file}"):
                    return (tmp_path / "out").read_text("utf-8")
            raise AssertionError("it ended")

        first = wait()
        servers = _pythons(checking.pid)
        shutil.copy(SAMPLES / "ivan.ipynb", file)
        second = wait().removeprefix(first)
        assert _pythons(checking.pid) & servers
        file.write_text("{", "utf-8")
        third = wait().removeprefix(first + second)
        file.unlink()
        shutil.copytree(SAMPLES, file)  # a class
        nothing_new = wait()
        checking.send_signal(signal.SIGINT)
        assert checking.wait(30) == 1  # as the last version deserves

    points = [json.loads(report)["points"] for report in (first, second, third)]
    assert points == [15, 10, 0]
    assert nothing_new == first + second + third


def _pythons(pid):
    """What runs Python below a process."""
    below = psutil.Process(pid).children(recursive=True)
    return {each.pid for each in below if each.name().startswith("python")}


@pytest.mark.sandbox
@pytest.mark.keras
def test_exit_codes_tell_strict_and_a_person_apart(tmp_path):
    ivan = SAMPLES / "ivan.ipynb"
    strict = call("grade", "mnist_softmax", ivan, "-o", tmp_path / "a", "--strict")
    assert strict.exit_code == 1, strict.output
    custom = ROOT / "tests" / "submissions" / "custom_layer" / "custom_layer.ipynb"
    person = call("grade", "mnist_softmax", custom, "-o", tmp_path / "b")
    assert person.exit_code == 3, person.output
    assert "A person must look" in person.stdout
    assert (tmp_path / "b" / "grades.csv").is_file()


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_second_call_runs_nothing_and_a_changed_threshold_changes_the_grade(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("GRADER_STORE", str(tmp_path / "store"))
    own = tmp_path / "mnist_softmax"
    shutil.copytree(ROOT / "assignments" / "mnist_softmax", own)
    (own / "hidden_mnist_softmax.py").unlink()
    command = ["grade", own, SAMPLES / "ada.ipynb", SAMPLES / "ben.ipynb", "--timings"]

    first = call(*command, "-o", tmp_path / "first")
    assert first.exit_code == 0, first.output
    assert "student's code (sandbox)" in first.stdout
    assert "known" not in first.stderr

    settings = own / "assignment.toml"
    settings.write_text(settings.read_text("utf-8").replace("at_least = 0.90", "at_least = 0.99"))
    second = call(*command, "-o", tmp_path / "second")
    assert second.exit_code == 0, second.output
    assert "student's code (sandbox)" not in second.stdout
    assert "All 2 submissions were known already" in second.stderr
    one, two = (
        json.loads((tmp_path / run / "submissions" / "ada" / "report.json").read_text("utf-8"))
        for run in ("first", "second")
    )
    assert two["points"] < one["points"]
    assert two["measurement"] == one["measurement"]
    assert two["fits"] == one["fits"]
    for name in ("predictions.f32", "model.keras", "executed.ipynb"):
        files = [tmp_path / run / "submissions" / "ada" / name for run in ("first", "second")]
        assert files[0].read_bytes() == files[1].read_bytes()

    # What somebody changed in the results is what the store has, after the next call.
    ada = tmp_path / "second" / "submissions" / "ada"
    damaged = [ada / "model.keras", ada / "predictions.f32"]
    before = [file.read_bytes() for file in damaged]
    for file in damaged:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert call(*command, "-o", tmp_path / "second").exit_code == 0
    assert [file.read_bytes() for file in damaged] == before


def test_results_that_cannot_be_written_are_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_STORE", str(tmp_path / "store"))
    (tmp_path / "results").write_text("a file in the way")
    unreadable = tmp_path / "empty.ipynb"
    unreadable.write_text("")
    result = call("grade", "mnist_softmax", unreadable, "-o", tmp_path / "results")
    assert result.exit_code == 2, result.output
    assert "cannot be written" in result.stderr
    assert "Make room, or name another folder" in result.stderr


def test_each_error_of_ours_is_a_sentence_with_a_remedy():
    for kind in (UsageError, AssignmentError, DataError, SandboxError, WorkerError):
        error = kind("What is wrong.", remedy="What to do.")
        assert isinstance(error, GraderError)
        assert str(error) == "What is wrong.\nWhat to do."
        assert str(kind("What is wrong.")) == "What is wrong."
