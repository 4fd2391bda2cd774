"""The stages in order: read this first.

::

    paths ─ collect ─► Submission ─ execute ─► ExecutionRecord     sandbox: the student's code
                                                     │ examine
                                                     ▼
                                                 ModelCard         sandbox: judge, inputs only
                                                     │ measure
                                                     ▼
                                                Measurement        host: labels
                                                     │
             CheckResult… ◄─ checks (pytest) ─── Evidence          host: facts only
                  │ tally
                  ▼
               Report ─► JSON, CSV, terminal, executed notebook

``execute`` and ``examine`` are what costs time: ``find_out`` does them, here or on another machine,
and ``gather`` asks for them only where the evidence store has no answer.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from grader.alike import Likeness, alike, likeness
from grader.assignment import Assignment
from grader.attempts import Attempts
from grader.batch import as_they_finish
from grader.gather import Gatherer, Hands
from grader.keys import run_key
from grader.records import CheckResult, Evidence, Report, Submission
from grader.report.files import rewrite_report, write_batch, write_report
from grader.tally import tally
from grader.workbench import Desk, Progress

A_FEW = 8
"""Submissions by which it is told whether anything will have to run."""


def grade(  # noqa: PLR0913 - what is graded, by what, where and how
    submissions: Sequence[Submission],
    assignment: Assignment,
    desk: Desk,
    hands: Hands,
    *,
    jobs: int = 1,
    hidden: bool = True,
    note_attempts: bool = False,
) -> list[Report]:
    """Grade a batch and write its results, each as soon as it is there.

    Args:
        submissions: What was handed in.
        assignment: What it is judged by.
        desk: Isolation, data, the evidence store and the results' folder.
        hands: Who runs what the store does not know.
        jobs: How many submissions are worked on at the same time.
        hidden: Whether hidden checks are run; a self-check does not.
        note_attempts: Whether this counts as a version of each student's work.

    Raises:
        AssignmentError: A check is not well-formed; raised before any student code runs.
        StoreError: The evidence store takes no more; what it has is kept.
    """
    gatherer = Gatherer(assignment, desk, hands)
    order = _doubles_last(submissions, assignment, desk)
    gatherer.get_ready(order[:A_FEW])
    # Not before: importing pytest takes as long as a tenth of what has just begun.
    from grader.checks.session import list_checks, run_checks  # noqa: PLC0415

    listed = list_checks(assignment)
    kept_back = [check for check in listed if check.hidden and not hidden]
    not_run = (len(kept_back), sum(check.points for check in kept_back))
    if not hidden and not assignment.hidden:
        not_run = (assignment.settings.hidden.checks, assignment.settings.hidden.points)

    attempts = Attempts(assignment, desk.store) if note_attempts else None
    reports: dict[str, Report] = {}
    likenesses: list[Likeness] = []

    def report_on(evidence: Evidence, results: tuple[CheckResult, ...], seconds: float) -> None:
        began = time.perf_counter()
        report = tally(evidence, results, assignment, desk.bench, not_run=not_run)
        if attempts is not None:
            report = replace(report, attempts=attempts.note(evidence.submission))
        write_report(report, evidence, desk)
        spent = {"checking": seconds, "reporting": time.perf_counter() - began}
        student = evidence.submission.student
        if its := likeness(evidence, run_key(evidence.submission, assignment, desk.bench)):
            likenesses.append(its)
        reports[student] = replace(report, seconds={**report.seconds, **spent})
        desk.bench.on_progress(
            Progress(student=student, stage="done", detail="known" if evidence.known else "")
        )

    with closing(as_they_finish(order, gatherer.gather, jobs=jobs)) as arriving:
        run_checks((found for _, found in arriving), assignment, report_on, hidden=hidden)
    for student, flag in alike(likenesses).items():
        reports[student] = replace(reports[student], flags=(*reports[student].flags, flag))
        rewrite_report(reports[student], desk)
    in_order = [reports[submission.student] for submission in submissions]
    write_batch(in_order, desk.results)
    return in_order


def _doubles_last(
    submissions: Sequence[Submission], assignment: Assignment, desk: Desk
) -> list[Submission]:
    """Put work that was handed in twice at the end, where its first run is known."""
    keyed = [(run_key(each, assignment, desk.bench), each) for each in submissions]
    first = dict(reversed(keyed))
    return [each for key, each in sorted(keyed, key=lambda pair: first[pair[0]] is not pair[1])]
