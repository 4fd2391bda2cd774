"""The hash of everything that could change what a submission does, or what the judge says of it."""

import functools
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from grader.assignment import Assignment
from grader.judging.questions import forms_for, held_out_files
from grader.probes import Probe
from grader.records import ExecutionRecord, Submission
from grader.workbench import Workbench

RECIPE = 1
"""Raised when the host makes other records of the same run."""

_PACKAGE = Path(__file__).parent
_DECISIVE = ("keras", "tensorflow", "numpy", "ipython")
"""Libraries whose version can change what a run does; others only decide whether it starts."""


def run_key(submission: Submission, assignment: Assignment, bench: Workbench) -> str:
    """Hash what decides a run: code, files, data, seed, limits, budget, versions, isolation.

    What people read (markdown, names, saved outputs), what is judged by (checks, thresholds) and
    what only the judge sees (held-out data) is not in it.
    """
    settings = assignment.settings
    return _digest(
        {
            "stage": "run",
            **_work(submission),
            "served": bench.dataset.served_sha256,
            # Only of an assignment's own file may the name differ where the content does not.
            **({"beside": bench.dataset.beside} if bench.dataset.beside else {}),
            **_own_layers(assignment),
            "seed": settings.seed,
            "limits": asdict(settings.limits),
            "training": asdict(settings.training),
            "shortcuts": asdict(bench.shortcuts),
            "circumstances": circumstances(),
            "isolation": bench.sandbox.isolation.level,
        }
    )


def probe_key(key: str, probe: Probe) -> str:
    """Hash what decides a probe's answer: the run it follows, and the question, not its name."""
    return _digest({"stage": "probe", "run": key, "question": probe.question()})


def attempt_key(submission: Submission, assignment: Assignment) -> str:
    """Hash what makes a version of a student's work: whose it is, for what, and what would run."""
    return _digest(
        {
            "stage": "attempt",
            "assignment": assignment.name,
            "student": submission.student,
            **_work(submission),
        }
    )


def _work(submission: Submission) -> Mapping[str, object]:
    """Give what runs of a submission."""
    return {
        "cells": submission.cells,
        "kind": submission.kind,
        "files": {
            name: hashlib.sha256(data).hexdigest() for name, data in submission.files.items()
        },
    }


def judgement_key(execution: ExecutionRecord, assignment: Assignment, bench: Workbench) -> str:
    """Hash what decides a judgement: the model's bytes, the questions, the seed, the versions."""
    found = execution.found
    return _digest(
        {
            "stage": "judgement",
            "model": found.artefact if found else "",
            "forms": [form.task() for form in forms_for(execution, assignment, bench)],
            "inputs": _inputs(bench.dataset.held_out),
            **_own_layers(assignment),
            "seed": assignment.settings.seed,
            "circumstances": circumstances(),
            "isolation": bench.sandbox.isolation.level,
        }
    )


def own_judgement_key(
    key: str, execution: ExecutionRecord, assignment: Assignment, bench: Workbench
) -> str:
    """Hash what decides what a model's own code answers: the run it follows, and the questions."""
    return _digest(
        {
            "stage": "own judgement",
            "run": key,
            "model": execution.chosen,
            "forms": [form.task() for form in forms_for(execution, assignment, bench)],
            "inputs": _inputs(bench.dataset.held_out),
        }
    )


def _own_layers(assignment: Assignment) -> dict[str, object]:
    own = assignment.own_layers
    return {"layers": {own.file: own.source}} if own else {}


@functools.cache
def circumstances() -> Mapping[str, str]:
    """Give the versions of all that takes part, without importing any of it."""
    return {
        "recipe": str(RECIPE),
        "programs": _programs(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in _DECISIVE},
    }


def _programs() -> str:
    """Hash the programs that run inside, and what decides which models they are given."""
    files = [*sorted((_PACKAGE / "worker").glob("*.py")), _PACKAGE / "judging" / "archive.py"]
    return _digest({file.name: file.read_text("utf-8") for file in files})


@functools.lru_cache(maxsize=4)
def _inputs(folder: Path) -> str:
    return _digest(
        {name: hashlib.sha256(data).hexdigest() for name, data in held_out_files(folder).items()}
    )


def _digest(values: Mapping[str, object]) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
