"""The guide for authors works: what it says to type is typed here, on a set of its shape."""

import csv
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from grader.datasets.arrays import read_npz

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "write-an-assignment.md").read_text("utf-8")
BLOCKS = re.findall(
    r'^```(sh|python|toml) ?(?:(?:title|append)="(.+?)")?\n(.*?)^```$',
    GUIDE,
    re.MULTILINE | re.DOTALL,
)

MAKE_DATA = """
import numpy as np
rng = np.random.default_rng(0)
patterns = rng.integers(0, 256, (10, 28, 28))
def clothes(samples):
    labels = rng.integers(0, 10, samples)
    noise = rng.normal(scale=60, size=(samples, 28, 28))
    return np.clip(patterns[labels] + noise, 0, 255).astype("uint8"), labels.astype("uint8")
(x_train, y_train), (x_test, y_test) = clothes(600), clothes(200)
np.savez_compressed("fashion.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
"""
"""Stands for the guide's own, which downloads 30 MB: ten patterns of 28 × 28 under noise."""


def test_every_command_of_the_guide_is_one_that_the_grader_has():
    said = subprocess.run(
        [sys.executable, "-m", "grader", "--help"], capture_output=True, text=True, check=True
    ).stdout
    typed = {
        word
        for kind, _, text in BLOCKS
        if kind == "sh"
        for word in re.findall(r"^grader (\w+)", text, re.MULTILINE)
    }
    assert typed == {"new", "grade", "validate", "handout", "release", "check"}
    assert all(re.search(rf"^  {word}\b", said, re.MULTILINE) for word in typed)


@pytest.mark.keras
@pytest.mark.sandbox
def test_the_guide_leads_from_nothing_to_a_pack_that_a_student_can_check_with(tmp_path):
    for kind, title, text in BLOCKS:
        if title:
            file = tmp_path / title
            # A folder that the guide writes into must be one that the guide has made.
            with file.open("a" if kind == "toml" else "w", encoding="utf-8") as written:
                written.write(MAKE_DATA if title == "make_data.py" else text)
        elif kind == "sh":
            done = _type(text, tmp_path)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            if text.startswith("grader new"):
                assert "the untouched handout 0." in done.stdout
            if text.startswith("grader grade"):
                _everybody_got_what_they_deserve(tmp_path)
    assert "13 of 13 points" in done.stdout
    assert "the students' copy" in done.stdout
    _nothing_held_out_is_in_the_pack(tmp_path)


def _type(text, folder):
    python = Path(sys.executable)
    return subprocess.run(
        ["/bin/sh", "-e", "-c", text],
        cwd=folder,
        env=os.environ
        | {
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GRADER_CACHE": str(folder / "cache"),
            "GRADER_STORE": str(folder / "evidence"),
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _everybody_got_what_they_deserve(folder):
    with (folder / "results" / "grades.csv").open(encoding="utf-8") as file:
        points = {row["student"]: float(row["points"]) for row in csv.DictReader(file)}
    assert points == {"fashion": 14.0, "handout": 0.0}


def _nothing_held_out_is_in_the_pack(folder):
    ours = read_npz(folder / "fashion.npz")
    theirs = read_npz(folder / "pack" / "fashion" / "fashion.npz")
    held_out = {row.tobytes() for row in ours["x_test"]}
    for name in ("x_train", "x_test"):
        assert not held_out & {row.tobytes() for row in theirs[name]}
    assert theirs["x_test"].shape == ours["x_test"].shape
    assert np.array_equal(theirs["x_train"], ours["x_train"])
    with zipfile.ZipFile(folder / "fashion.zip") as archive:
        assert not [name for name in archive.namelist() if "hidden" in name]
