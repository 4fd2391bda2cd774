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
"""

import traceback
from collections.abc import Sequence
from dataclasses import replace

from grader.assignment import Assignment
from grader.batch import for_each
from grader.checks.session import list_checks, run_checks
from grader.errors import GraderError
from grader.examine import NotJudgedError, examine
from grader.execute import execute
from grader.measure import measure
from grader.records import Evidence, ExecutionRecord, Report, Submission
from grader.report.files import write_batch, write_report
from grader.tally import tally
from grader.workbench import Progress, Workbench


def grade(
    submissions: Sequence[Submission],
    assignment: Assignment,
    bench: Workbench,
    *,
    jobs: int = 1,
    hidden: bool = True,
) -> list[Report]:
    """Grade a batch and write its results.

    Args:
        submissions: What was handed in.
        assignment: What it is judged by.
        bench: Sandbox, data and the results' folder.
        jobs: How many submissions run at the same time.
        hidden: Whether hidden checks are run; a self-check does not.

    Raises:
        AssignmentError: A check is not well-formed; raised before any student code runs.
    """
    listed = list_checks(assignment)
    kept_back = [check for check in listed if check.hidden and not hidden]
    not_run = (len(kept_back), sum(check.points for check in kept_back))
    if not hidden and not assignment.hidden:
        not_run = (assignment.settings.hidden.checks, assignment.settings.hidden.points)

    evidence = for_each(
        submissions, lambda submission: gather(submission, assignment, bench), jobs=jobs
    )
    verdicts = run_checks(evidence, assignment, hidden=hidden)

    reports = []
    for known, results in zip(evidence, verdicts, strict=True):
        report = tally(known, results, assignment, bench, not_run=not_run)
        write_report(report, known, bench.folder(known.submission.student))
        reports.append(report)
    write_batch(reports, bench.results)
    return reports


def gather(submission: Submission, assignment: Assignment, bench: Workbench) -> Evidence:
    """Find out everything about one submission; the host's own faults are caught here and named."""

    def tell(stage: str) -> None:
        bench.on_progress(Progress(student=submission.student, stage=stage))

    execution = ExecutionRecord(ending="unreadable")
    card, measurement, broken = None, None, ""
    try:
        tell("executing")
        execution = execute(submission, assignment, bench)
        tell("examining")
        card = examine(execution, assignment, bench, submission.student)
        measurement = measure(card, assignment, bench.dataset)
    except NotJudgedError as error:
        execution = replace(execution, problem=error.reason)
        broken = error.reason if error.needs_a_person else ""
    except GraderError as error:
        broken = f"The grader itself failed: {error.message}"
    except Exception as error:  # noqa: BLE001 - our own mistake must not end everybody's batch
        broken = f"The grader itself failed: {type(error).__name__}: {error}"
        (bench.folder(submission.student) / "grader-error.txt").write_text(traceback.format_exc())
    tell("done")
    return Evidence(
        submission=submission,
        execution=execution,
        card=card,
        measurement=measurement,
        broken=broken,
    )
