"""What one more look at one's own work costs: ``grader check --watch``, from save to verdict."""

import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.work import Work
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.grading import find_assignment, must_be_work, own_environment, program
from benchmarks.shared.running import COMMAND_LIMIT, REPOSITORY, tail

LOOK_S = 0.01


def save_to_verdict(work: Work, folder: Path, notebooks: Sequence[Path]) -> float:
    """Save one notebook after the other as the same file, each as soon as it is waited for.

    Args:
        work: What is checked.
        folder: For the file, the log and the answers.
        notebooks: No two alike; the first one, for which Keras is imported, is not counted.

    Returns:
        The median of the seconds from a save to the end of its report.
    """
    folder.mkdir()
    file, log, answers = folder / "homework.ipynb", folder / "check.log", folder / "reports.json"
    file.write_bytes(notebooks[0].read_bytes())
    assignment = find_assignment(work.assignment)
    command = [*program(), "check", str(file), "--assignment", assignment, "--json", "--watch"]
    taken = []
    with log.open("wb") as err, answers.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=dict(own_environment(folder / "store")),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        try:
            for number, notebook in enumerate(notebooks):
                if number:
                    file.write_bytes(notebook.read_bytes())
                begun = time.perf_counter()
                while len(told := _reports(answers)) <= number:
                    if process.poll() is not None or time.perf_counter() - begun > COMMAND_LIMIT:
                        raise BenchmarkError(f"grader check --watch gave no report:\n{tail(log)}")
                    time.sleep(LOOK_S)
                if number:
                    taken.append(time.perf_counter() - begun)
                must_be_work(file.stem, told[number], judged=False)
        finally:
            process.terminate()
            process.wait()
    return statistics.median(taken)


def _reports(answers: Path) -> list[dict[str, object]]:
    """The reports that are there to their ends."""
    found, text, place = [], answers.read_text("utf-8"), 0
    decoder = json.JSONDecoder()
    while text[place:].strip():
        try:
            report, place = decoder.raw_decode(text, place)
        except ValueError:
            break
        found.append(report)
        place += len(text[place:]) - len(text[place:].lstrip())
    return found
