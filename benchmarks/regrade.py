"""What a changed check, rubric or threshold costs: a class is graded from what is known.

One real submission is run and judged. Its evidence is then stored under the keys of as many
submissions as wanted, each a notebook of its own with other code, and the class is graded by the
command line, as an instructor would after editing a check. No student code runs in the timed part;
the command says so itself, and each report must say so too.

    python -m benchmarks.regrade
    python -m benchmarks.regrade --sizes 100,1000,10000 --rounds 3 --json regrade.json
"""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.folders import working_folder, write_numbers
from benchmarks.shared.grading import own_environment, program
from benchmarks.shared.machine import machine_line
from benchmarks.shared.options import add_without, ending, new_parser, passed_on, positive, sizes
from benchmarks.shared.running import REPOSITORY, Command, Usage, run, tail
from benchmarks.shared.spread import HEADINGS, Spread
from grader.assignment import find_assignment, read_assignment
from grader.gather import Gatherer
from grader.intake.collect import collect
from grader.keys import run_key
from grader.office import Wishes, open_office
from grader.records import Evidence
from grader.safe.plain import plain_json
from grader.workbench import Shortcuts

ASSIGNMENT = "mnist_softmax"
SAMPLE = REPOSITORY / "assignments" / ASSIGNMENT / "samples" / "ada.ipynb"
"""The submission that is really run."""
ALL_KNOWN = r"^All {size} submissions were known already"
"""What the command says when it has run nothing."""


def main() -> None:
    """Run the benchmark."""
    parser = new_parser("Measure how long a class takes to grade when its evidence is there.")
    add = parser.add_argument
    add("--sizes", type=sizes, default=[100, 1000], help="batches (100,1000)")
    add("--rounds", type=positive, default=3, help="rounds after one that warms up (3)")
    add_without(parser)
    options = parser.parse_args()
    machine = machine_line()
    print(machine)
    print(f"{'submissions':>12}{HEADINGS}{'ms each':>9}{'CPU ms':>9}{'host MB':>9}", flush=True)
    batches: list[dict[str, Any]] = []
    with working_folder("regrade", keep=options.keep) as folder:
        for size in options.sizes:
            own = folder / str(size)
            prepare(own, size, options.without)
            used = [regrade(own, size, options.without) for _ in range(options.rounds + 1)][1:]
            seconds = Spread.of(usage.seconds for usage in used)
            each = 1000 * seconds.median / size
            cpu = 1000 * Spread.of(usage.cpu_seconds for usage in used).median / size
            peak = max(usage.own_peak_mb for usage in used)
            print(f"{size:>12,}{seconds.cells()}{each:>9.2f}{cpu:>9.2f}{peak:>9.0f}", flush=True)
            batches.append(
                {
                    "submissions": size,
                    "seconds": asdict(seconds),
                    "ms_each": each,
                    "cpu_ms_each": cpu,
                    "host_peak_mb": peak,
                }
            )
    write_numbers(options.json, {"machine": machine, "batches": batches})


def prepare(folder: Path, size: int, without: list[str]) -> None:
    """Write a class of submissions, and a store that knows them all.

    Args:
        folder: Where to; made here.
        size: How many submissions.
        without: Shortcuts that are not taken; they are part of the keys.

    Raises:
        BenchmarkError: The submission that is really run was not measured.
    """
    submitted = folder / "submitted"
    submitted.mkdir(parents=True)
    notebook = json.loads(SAMPLE.read_text("utf-8"))
    for number in range(size):
        own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [*notebook["cells"], {**own, "id": "mine", "source": f"number = {number}"}]
        text = json.dumps({**notebook, "cells": cells})
        (submitted / f"student_{number:05}.ipynb").write_text(text, "utf-8")
    assignment = read_assignment(find_assignment(ASSIGNMENT))
    shortcuts = Shortcuts(**dict.fromkeys((name.replace("-", "_") for name in without), False))
    wishes = Wishes(store=folder / "store", shortcuts=shortcuts)
    with open_office(assignment, folder / "results", wishes) as office:
        first, *others = collect([submitted])
        evidence = Gatherer(assignment, office.desk, office.hands).gather(first)
        _must_be_measured(evidence)
        facts = plain_json(evidence.execution)
        store = office.desk.store
        blobs = {
            model.artefact: store.blob(model.artefact)
            for model in evidence.execution.models
            if model.artefact
        }
        for other in others:
            key = run_key(other, assignment, office.desk.bench)
            store.put(key, kind="run", facts=facts, blobs=blobs)


def regrade(folder: Path, size: int, without: list[str]) -> Usage:
    """Grade the class by the command line.

    Raises:
        BenchmarkError: Something was run, or a submission has no measured accuracy.
    """
    log = folder / "grader.log"
    argv = [*program(), "grade", ASSIGNMENT, str(folder / "submitted")]
    usage = run(
        Command(
            argv=[*argv, "-o", str(folder / "results"), *passed_on(without)],
            cwd=REPOSITORY,
            environment=own_environment(folder / "store"),
            log=log,
        )
    )
    if not re.search(ALL_KNOWN.format(size=size), log.read_text("utf-8"), re.MULTILINE):
        raise BenchmarkError(f"not everything was known:\n{tail(log)}")
    reports = json.loads((folder / "results" / "results.json").read_text("utf-8"))
    measured = [report for report in reports if (report["measurement"] or {}).get("value")]
    if len(measured) != size:
        raise BenchmarkError(f"{len(measured)} of {size} have an accuracy:\n{tail(log)}")
    return usage


def _must_be_measured(evidence: Evidence) -> None:
    if evidence.broken or evidence.measurement is None or not evidence.measurement.value:
        raise BenchmarkError(f"{SAMPLE.name} was not measured: {evidence.broken}")


if __name__ == "__main__":
    raise SystemExit(ending(main))
