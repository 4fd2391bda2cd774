"""Where results lie: ``grades.csv``, ``results.json``, and a folder for each submission."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.errors import ResultsError, StoreError
from grader.records import Evidence, Report
from grader.report.as_csv import write_csv
from grader.report.as_json import as_data, write_json
from grader.report.notebook import write_notebook
from grader.safe.inert import inert_json
from grader.store import hashes_to
from grader.workbench import Desk


def write_report(report: Report, evidence: Evidence, desk: Desk) -> None:
    """Write one submission's ``report.json``, ``executed.ipynb``, ``model.keras`` and answers.

    A model that is there already is not written again.

    Raises:
        ResultsError: The folder takes no more.
    """
    with _written_below(desk.results):
        folder = desk.folder(evidence.submission.student)
        write_json(report, folder / "report.json")
        if evidence.submission.notebook:
            write_notebook(evidence.submission, evidence.execution, folder / "executed.ipynb")
        found = evidence.execution.found
        _keep(folder / "model.keras", found.artefact if found else "", desk)
        for name, judged in evidence.others.items():
            its = evidence.execution.models[judged.number] if judged.number is not None else None
            _keep(folder / f"model-{name}.keras", its.artefact if its else "", desk)
        counted = evidence.measurement.predictions_sha256 if evidence.measurement else ""
        _keep(folder / "predictions.f32", counted, desk)


def rewrite_report(report: Report, desk: Desk) -> None:
    """Write ``report.json`` again, when more has become known of a submission.

    Raises:
        ResultsError: The folder takes no more.
    """
    with _written_below(desk.results):
        write_json(report, desk.folder(report.submission["student"]) / "report.json")


@contextmanager
def _written_below(results: Path) -> Iterator[None]:
    """Say what to do when the disk is full, or the folder somebody else's."""
    try:
        yield
    except OSError as error:
        raise ResultsError(
            f"{error.filename or results}: cannot be written: {error.strerror}.",
            remedy="Make room, or name another folder with --output, and give the same command "
            "again: what was run is kept and does not run twice.",
        ) from error


def _keep(file: Path, digest: str, desk: Desk) -> None:
    """Have a file hold what the store has under a hash, or not be there at all."""
    if digest:
        if hashes_to(file, digest):
            return
        with suppress(StoreError):
            file.write_bytes(desk.store.blob(digest))
            return
    file.unlink(missing_ok=True)


def write_batch(reports: Sequence[Report], results: Path) -> None:
    """Write the class's ``grades.csv`` and ``results.json``.

    Raises:
        ResultsError: The folder takes no more.
    """
    with _written_below(results):
        results.mkdir(parents=True, exist_ok=True)
        write_csv(reports, results / "grades.csv")
        texts = (inert_json(as_data(report)) for report in reports)
        (results / "results.json").write_bytes(b"[\n" + b",\n".join(texts) + b"\n]\n")
