"""One class a rung, graded from end to end."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from classroom import grade_class
from corpus import ATTACKS
from world import VARIABLE, World

from grader.assignment import read_assignment
from grader.sandbox.ladder import OFFERED, rung
from grader.supply import supply


@pytest.fixture(scope="session")
def world():
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="attacked-") as name:
        made = World(Path(name))
        made.listener.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, made.canaries["environment"])
            patch.setenv("GRADER_CACHE", str(made.cache))
            supply(read_assignment(made.assignment))
            yield made
        made.listener.close()


@pytest.fixture(scope="session")
def class_of(world, tmp_path_factory):
    """Grade attacks on a rung: ``class_of(level, attacks)``."""
    known = {}

    def graded(level, attacks=ATTACKS):
        if level not in known:
            tried = rung(level)
            if not tried.works:
                pytest.skip(f"{level}: {tried.reason}")
            known[level] = grade_class(world, level, attacks, tmp_path_factory.mktemp(level))
        return known[level]

    return graded


@pytest.fixture(params=[level for level in OFFERED if level != "none"], scope="module")
def graded(request, class_of):
    return class_of(request.param)
