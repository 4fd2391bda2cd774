"""How long grading takes when the evidence is there: a changed check, rubric or threshold.

One real submission is graded. Its evidence is then stored under the keys of as many submissions as
wanted, each a notebook of its own with other code, and the class is graded by the command line, as
an instructor would after editing a check. No student code runs in the timed part; the command says
so itself, and the benchmark fails when it does not.

    python benchmarks/regrade.py
    python benchmarks/regrade.py --sizes 100,1000,10000 --rounds 3
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.assignment import find_assignment, read_assignment
from grader.collect import collect
from grader.gather import Gatherer
from grader.keys import run_key
from grader.office import Wishes, open_office
from grader.plain import plain_json

ROOT = Path(__file__).resolve().parents[1]
NAME = "mnist_softmax"
SAMPLE = ROOT / "assignments" / NAME / "samples" / "ada.ipynb"


def main() -> None:
    """Print seconds a batch size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="100,1000", help="batch sizes, separated by commas")
    parser.add_argument("--rounds", type=int, default=3, help="after one that warms up")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regrade-") as folder:
        print(f"{'submissions':>11}  {'seconds':>8}  {'spread':>13}  {'ms each':>8}")
        for size in map(int, options.sizes.split(",")):
            prepared = prepare(Path(folder) / str(size), size)
            regrade(prepared)
            spent = [regrade(prepared) for _ in range(options.rounds)]
            middle = statistics.median(spent)
            print(
                f"{size:>11}  {middle:>8.2f}  {min(spent):>5.2f} - {max(spent):<5.2f}"
                f"  {1000 * middle / size:>8.2f}"
            )


def prepare(folder: Path, size: int) -> Path:
    """Write a class of submissions, and a store that knows them all."""
    handed_in = folder / "class"
    handed_in.mkdir(parents=True)
    notebook = json.loads(SAMPLE.read_text("utf-8"))
    for number in range(size):
        own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [*notebook["cells"], {**own, "id": "mine", "source": f"number = {number}"}]
        text = json.dumps({**notebook, "cells": cells})
        (handed_in / f"student{number:05}.ipynb").write_text(text, "utf-8")
    assignment = read_assignment(find_assignment(NAME))
    wishes = Wishes(store=folder / "store")
    with open_office(assignment, folder / "results", wishes) as office:
        first, *others = collect([handed_in])
        known = Gatherer(assignment, office.desk, office.hands).gather(first)
        facts = plain_json(known.execution)
        store = office.desk.store
        blobs = {
            model.artefact: store.blob(model.artefact)
            for model in known.execution.models
            if model.artefact
        }
        for other in others:
            key = run_key(other, assignment, office.desk.bench)
            store.put(key, kind="run", facts=facts, blobs=blobs)
    return folder


def regrade(folder: Path) -> float:
    """Grade the class by the command line; seconds from the shell's point of view."""
    began = time.perf_counter()
    done = subprocess.run(
        ["grader", "grade", NAME, folder / "class", "-o", folder / "results"],
        env={**os.environ, "GRADER_STORE": str(folder / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    spent = time.perf_counter() - began
    if done.returncode or "All " not in done.stderr:
        sys.exit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return spent


if __name__ == "__main__":
    main()
