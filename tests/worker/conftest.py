"""Student code run by the kernel alone: no sandbox, each run a fork of one process."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from grader.messages import (
    CellEnded,
    Done,
    EvaluationEnded,
    FigureSeen,
    FitEnded,
    Output,
    Reader,
    ValuesFound,
    VariablesFound,
)
from grader.sandbox import interior

FORKS = Path(__file__).with_name("forks.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run said and left behind."""

    work: Path
    messages: list[object]

    @property
    def fits(self):
        return [message.fit for message in self.messages if isinstance(message, FitEnded)]

    @property
    def evaluations(self):
        return [one.evaluation for one in self.messages if isinstance(one, EvaluationEnded)]

    @property
    def variables(self):
        (found,) = [one.variables for one in self.messages if isinstance(one, VariablesFound)]
        return found

    @property
    def values(self):
        (found,) = [one.values for one in self.messages if isinstance(one, ValuesFound)]
        return found

    @property
    def figures(self):
        return [(one.number, one.figure) for one in self.messages if isinstance(one, FigureSeen)]

    @property
    def outcomes(self):
        return [message.outcome for message in self.messages if isinstance(message, CellEnded)]

    @property
    def errors(self):
        return [message.error for message in self.messages if isinstance(message, CellEnded)]

    def text(self, stream):
        outputs = [message.output for message in self.messages if isinstance(message, Output)]
        return "".join(output["text"] for output in outputs if output.get("name") == stream)

    def arrays(self, name="kept.npz"):
        with np.load(self.work / name) as found:
            return dict(found)


class Kernel:
    """A process that has Keras imported and runs each task in a fork of itself."""

    def __init__(self, process, folder):
        self._process = process
        self._folder = folder
        self._count = 0

    def run(self, *cells, **task):
        """Run cells; whatever else is given goes into the task."""
        (ran,) = self.run_all(cells, [task])
        return ran

    def run_all(self, cells, tasks):
        """Run the same cells several times at once."""
        tasks = [self._task(cells, **task) for task in tasks]
        works = [Path(task["work"]) for task in tasks]
        places = [
            {"messages": str(work.with_suffix(".jsonl")), "home": str(work.with_suffix(".home"))}
            for work in works
        ]
        runs = [{"task": task} | place for task, place in zip(tasks, places, strict=True)]
        statuses = self._ask({"runs": runs})
        assert statuses == [0] * len(runs), (self._folder / "stderr").read_text()
        return [self._ran(work) for work in works]

    def _task(self, cells, data=None, **task):
        self._count += 1
        work = self._folder / f"run-{self._count}"
        work.mkdir()
        return task | {
            "work": str(work),
            "places": {} if data is None else {"data": str(data)},
            "cells": cells,
            "kind": "notebook",
            "filename": "submission.py",
            "seed": 7,
        }

    @staticmethod
    def _ran(work):
        reader = Reader()
        ran = Ran(work=work, messages=reader.feed(work.with_suffix(".jsonl").read_bytes()))
        assert not reader.dropped
        assert any(isinstance(message, Done) for message in ran.messages)
        return ran

    def prepare(self, **task):
        return self._ask({"prepare": task})

    def _ask(self, order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline() or "null")


@pytest.fixture(scope="session")
def fresh():
    """Start one more process: what it prepares is no other's."""
    return started


@contextlib.contextmanager
def started(folder):
    """Start a process and end it."""
    inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    # What TensorFlow computes with depends on it: the same as in a sandbox.
    environment = inherited | {
        name: value
        for name, value in interior.environment(str(folder)).items()
        if name.startswith(("CUDA_", "KERAS_", "MKL_", "OMP_", "OPENBLAS_", "TF_"))
    }
    with (
        (folder / "stderr").open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, str(FORKS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment,
        ) as process,
    ):
        yield Kernel(process, folder)
        process.stdin.close()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with started(tmp_path_factory.mktemp("kernel")) as process:
        yield process
