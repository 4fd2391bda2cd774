"""The conformance list and that of forks, as an ordinary user: root's rights hide many a fault."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sandbox

HERE = Path(__file__).parent


def test_both_lists_hold_for_an_ordinary_user(as_ordinary_user, home):
    lists = [HERE / "test_conformance.py", HERE / "test_zygote.py"]
    tests = [sys.executable, "-m", "pytest", *lists, "-q", "--tb=short"]
    # no file of the user's may lie about afterwards
    tests += ["-p", "no:cacheprovider", "-m", "not keras", "--basetemp", home / "tests"]
    ran = as_ordinary_user(*tests, home=home, timeout=600)

    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout


@pytest.mark.keras
@pytest.mark.parametrize("level", ["namespaces", "landlock"])
def test_an_ordinary_user_grades_a_class(as_ordinary_user, home, level):
    root = HERE.parents[1]
    ran = as_ordinary_user(
        *(sys.executable, "-m", "grader", "grade", "mnist_softmax"),
        root / "assignments" / "mnist_softmax" / "samples" / "chen.py",
        *("--isolation", level, "--output", home / "results", "--strict"),
        home=home,
    )

    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert f"Isolation: {level}" in ran.stdout
    assert (home / "results" / "submissions" / "chen" / "model.keras").is_file()
