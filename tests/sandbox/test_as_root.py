"""The rung ``uid``, which needs root and an interpreter that other users can read."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sandbox

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_every_list_holds_on_the_rung_of_users(as_root, reachable):
    lists = [HERE / f"test_{name}.py" for name in ("conformance", "zygote", "selftest")]
    tests = [sys.executable, "-m", "pytest", *lists, "-q", "--tb=short", "-k", "uid"]
    tests += ["-p", "no:cacheprovider", "-m", "not keras", "--basetemp", reachable / "tests"]
    ran = as_root(*tests, timeout=600)

    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout
    assert " xfailed" in ran.stdout
    assert " uid: " not in ran.stdout, "the rung is missing here"


@pytest.mark.keras
def test_root_grades_where_it_has_nothing_but_users(as_root, reachable):
    ran = as_root(
        *(sys.executable, "-m", "grader", "grade", "mnist_softmax"),
        ROOT / "assignments" / "mnist_softmax" / "samples" / "chen.py",
        *("--isolation", "uid", "--output", reachable / "results", "--strict"),
    )

    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "Isolation: uid" in ran.stdout
    assert (reachable / "results" / "submissions" / "chen" / "model.keras").is_file()
