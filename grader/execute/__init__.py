"""Submission → ExecutionRecord: the student's code runs in a sandbox, cell by cell.

What ran before an error, a limit or an exit is kept, and so is every model that was trained.
``heard`` listens while it runs, ``record`` puts together what it was.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from hashlib import sha256

from grader.assignment import Assignment
from grader.errors import RunLostError, WorkerError
from grader.execute.heard import Heard
from grader.execute.models import MOST_MODELS, file_of
from grader.execute.record import record, unreadable
from grader.judging.own_code import Asking
from grader.records import ExecutionRecord, Submission
from grader.sandbox.interface import GIB, MIB, Job, Limits
from grader.workbench import Workbench

JOINED = 32
"""Updates in one call, where nobody watches each of them."""


def execute(
    submission: Submission,
    assignment: Assignment,
    bench: Workbench,
    probes: Collection[str] = (),
    asking: Asking | None = None,
) -> tuple[ExecutionRecord, dict[str, bytes]]:
    """Run a submission in the sandbox.

    Args:
        submission: What was handed in.
        assignment: Names the limits, the training budget and the seed.
        bench: Sandbox and data.
        probes: Which of the assignment's are asked after the last cell.
        asking: Asks the model's own code, after all else.

    Returns:
        What happened, as far as the student's process said it, and the archives of its models by
        their SHA-256.

    Raises:
        WorkerError: The sandbox or our own program failed before the first cell.
        RunLostError: The run died with what it stood on.
    """
    if submission.problem:
        return unreadable(submission), {}
    settings = assignment.settings
    questions = {name: settings.probes[name].question() for name in probes}
    heard = Heard(submission, assignment, bench, questions, asking)
    outcome = bench.sandbox.run(
        Job(
            program="kernel",
            task={
                "cells": list(submission.cells),
                "kind": submission.kind,
                "filename": "submission.py",
                "seed": settings.seed,
                "budget": asdict(settings.training),
                "beside": list(bench.dataset.beside),
                "probes": questions,
                "asks": asking is not None,
                "speed": {
                    "decoded_data": bench.shortcuts.decoded_data,
                    "joined_steps": JOINED if bench.shortcuts.joined_steps else 1,
                    "one_trace": bench.shortcuts.one_trace,
                    "direct_feed": bench.shortcuts.direct_feed,
                },
            },
            readable={"data": bench.dataset.served},
            files=_laid_in(submission, assignment, bench),
            collect=tuple(map(file_of, range(MOST_MODELS))),
        ),
        _limits(assignment, asking),
        heard.hear,
    )
    if outcome.setup_error:
        if outcome.ending == "killed":
            raise RunLostError("The sandbox was killed before the first cell.")
        raise WorkerError(f"The sandbox could not be set up: {outcome.setup_error}")
    if not heard.environment and outcome.ending == "finished":
        raise WorkerError(
            f"The kernel did not start (exit {outcome.exit_code}): {outcome.stderr[-2000:]}"
        )
    archives = {
        sha256(artefact.data).hexdigest(): artefact.data
        for artefact in outcome.artefacts.values()
        if artefact.data is not None
    }
    return record(heard, outcome, assignment), archives


def _laid_in(
    submission: Submission, assignment: Assignment, bench: Workbench
) -> Mapping[str, bytes]:
    """What was handed in, but for what bears the name of a file that all are given."""
    layers = assignment.own_layers
    given = {layers.file: layers.source.encode()} if layers else {}
    names = {*bench.dataset.beside, *given}
    own = {
        name: data for name, data in submission.files.items() if name.partition("/")[0] not in names
    }
    return own | given


def _limits(assignment: Assignment, asking: Asking | None = None) -> Limits:
    wanted = assignment.settings.limits
    return Limits(
        wall_s=wanted.wall_s,
        cpu_s=wanted.cpu_s,
        memory=int(wanted.memory_gib * GIB),
        disk=int(wanted.disk_gib * GIB),
        output=int(wanted.output_mib * MIB),
        processes=wanted.processes,
        answer=asking.longest if asking else 0,
    )
