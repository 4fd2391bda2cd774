"""Where results lie: ``grades.csv``, ``results.json``, and a folder for each submission."""

import json
from collections.abc import Sequence
from pathlib import Path

from grader.records import Evidence, Report
from grader.report.as_csv import write_csv
from grader.report.as_json import as_data, write_json
from grader.report.notebook import write_notebook


def write_report(report: Report, evidence: Evidence, folder: Path) -> None:
    """Write one submission's ``report.json`` and ``executed.ipynb``; its model is there already."""
    write_json(report, folder / "report.json")
    if evidence.submission.notebook:
        write_notebook(evidence.submission, evidence.execution, folder / "executed.ipynb")


def write_batch(reports: Sequence[Report], results: Path) -> None:
    """Write the class's ``grades.csv`` and ``results.json``."""
    results.mkdir(parents=True, exist_ok=True)
    write_csv(reports, results / "grades.csv")
    text = json.dumps([as_data(report) for report in reports], ensure_ascii=False, allow_nan=False)
    (results / "results.json").write_text(text + "\n", "utf-8")
