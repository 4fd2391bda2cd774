"""Compares this grader with other ways of grading the same Keras notebooks.

Every contestant grades the same notebooks: MNIST, one softmax layer, one epoch. They
take turns, round after round, so that a slow minute of the machine hits all of them;
the first round warms up caches and is not counted. The result is wall time a
submission, and ratios taken within each round.

    python benchmarks/peers.py --setup      # only make the peers' environments
    python benchmarks/peers.py              # five rounds of eight submissions

See ``benchmarks/README.md`` for what is and what is not compared.
"""

import argparse
import csv
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent

OTTER = "otter-grader==7.0.0"
NBGRADER = "nbgrader==0.9.6"
SHARED_PACKAGES = ("tensorflow", "keras", "numpy")
"""What must have one version everywhere: the training is most of the time."""

COURSE_ASSIGNMENT = "mnist_softmax"
"""The assignment of this repository that the notebooks answer."""
PARAMETERS = 7850
"""(784 + 1) x 10."""
MINIMUM_ACCURACY = 0.85
"""What the peers' tests ask for after one epoch."""
COMMAND_LIMIT = 1800.0
"""Seconds after which a command is taken for dead."""
START_UP_RUNS = 9
"""How often each start-up time is taken; one more run comes first and is dropped."""


class BenchmarkError(Exception):
    """Something without which the comparison would be worth nothing."""


# ------------------------------------------------------------------ what is graded

TESTS = {
    "parameter_count": f"""\
assert model.count_params() == {PARAMETERS}
""",
    "softmax": """\
probabilities = model.predict(x_test[:100], verbose=0)
assert probabilities.shape == (100, 10)
assert (abs(probabilities.sum(axis=1) - 1) < 1e-4).all()
assert (probabilities >= 0).all()
""",
    "test_accuracy": f"""\
measured = model.evaluate(x_test, y_test, verbose=0)[1]
assert measured >= {MINIMUM_ACCURACY}, measured
""",
}
"""Name -> code: the peers' tests, one point each."""


def write_notebook(path: Path, *, student: str, seed: int) -> None:
    """Write one student's notebook.

    The name and the seed make it unlike every other one, in this run and in runs
    before, so that nobody's cache can answer for it.

    Args:
        path: Where to.
        student: The name in its title.
        seed: The seed in its first code cell.
    """
    new_code = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            }
        },
        cells=[
            nbformat.v4.new_markdown_cell(
                f"# A softmax classifier for MNIST\n\nHanded in by {student}."
            ),
            new_code(
                f"import keras\nfrom keras import layers\n\nkeras.utils.set_random_seed({seed})"
            ),
            new_code(
                "mnist = keras.datasets.mnist\n"
                "(x_train, y_train), (x_test, y_test) = mnist.load_data()\n"
                'x_train = x_train.reshape(60000, 784).astype("float32") / 255'
                '\nx_test = x_test.reshape(10000, 784).astype("float32") / 255'
            ),
            new_code(
                "y_train = keras.utils.to_categorical(y_train, 10)\n"
                "y_test = keras.utils.to_categorical(y_test, 10)"
            ),
            new_code(
                "model = keras.Sequential(\n"
                "    [keras.Input((784,)), "
                'layers.Dense(10, activation="softmax")]\n'
                ")\n"
                "model.compile(\n"
                '    loss="categorical_crossentropy",\n'
                '    optimizer="rmsprop",\n'
                '    metrics=["accuracy"],\n'
                ")"
            ),
            new_code("history = model.fit(x_train, y_train, batch_size=128, epochs=1)"),
            new_code(
                "test_loss, test_accuracy = model.evaluate(x_test, y_test)\n"
                'print(f"test accuracy: {test_accuracy:.4f}")'
            ),
        ],
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    nbformat.write(notebook, path)


# ------------------------------------------------------------------ running commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to be timed."""

    argv: Sequence[str]
    """The program and its arguments."""
    cwd: Path
    """The folder it runs in."""
    environment: Mapping[str, str]
    """Its whole environment."""
    log: Path
    """Where both its streams go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a program cost."""

    seconds: float
    """Wall time."""
    cpu_seconds: float
    """User and system time of it and of the children it waited for."""
    peak_mb: float
    """Resident memory of its largest single process, in megabytes."""


def tail(log: Path, lines: int = 25) -> str:
    """The end of a log file, for an error message."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def run(command: Command) -> Usage:
    """Run a program to its end and say what it cost.

    Args:
        command: The program.

    Returns:
        Its wall time, processor time and peak memory.

    Raises:
        BenchmarkError: It is missing, failed, or did not end.
    """
    with command.log.open("wb") as output:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise BenchmarkError(f"cannot start {command.argv[0]}: {error}") from error
        alarm = threading.Timer(COMMAND_LIMIT, process.kill)
        alarm.start()
        try:
            # Not Popen.wait(): only wait4 tells what the process used.
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            alarm.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        shown = " ".join(map(str, command.argv))
        ending = (
            f"was ended by {signal.Signals(-process.returncode).name}"
            if process.returncode < 0
            else f"ended with exit code {process.returncode}"
        )
        raise BenchmarkError(f"`{shown}` {ending}:\n{tail(command.log)}")
    return Usage(
        seconds=seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mb=used.ru_maxrss / 1024,
    )


def run_all(commands: Sequence[Command], *, at_once: int) -> Usage:
    """Run programs, some at a time.

    Args:
        commands: The programs, in order.
        at_once: How many may run at the same time.

    Returns:
        Wall time from the first start to the last end, the sum of processor times,
        and the highest of the peaks.
    """
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        used = list(pool.map(run, commands))
    return Usage(
        seconds=time.perf_counter() - start,
        cpu_seconds=sum(one.cpu_seconds for one in used),
        peak_mb=max(one.peak_mb for one in used),
    )


# ------------------------------------------------------------------ contestants


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a contestant said about one submission."""

    student: str
    """The submission's name."""
    said: str
    """The score in the contestant's own measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all contestants share."""

    environments: Path
    """The folder of the peers' virtual environments."""
    work: Path
    """A folder for this run alone."""
    jobs: int | None
    """How many submissions at once; ``None`` leaves each contestant to itself."""
    keras_home: Path
    """``KERAS_HOME`` of the peers."""

    @property
    def at_once(self) -> int:
        """How many commands a contestant without a batch mode may run together."""
        return self.jobs or 1

    def own_environment(self) -> dict[str, str]:
        """The environment of this grader: the caller's, without a graphics card."""
        return {"CUDA_VISIBLE_DEVICES": "-1", **os.environ}

    def peer_environment(self, python: Path) -> dict[str, str]:
        """The environment of a peer that runs under ``python``.

        Its data comes from :attr:`keras_home`, its settings from nobody's home folder.
        """
        environment = self.own_environment()
        for name in ("PYTHONHOME", "VIRTUAL_ENV", "JUPYTER_PATH"):
            environment.pop(name, None)
        for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            environment[f"JUPYTER_{name}"] = str(self.work / "jupyter" / name.lower())
        environment.update(
            KERAS_HOME=str(self.keras_home),
            BENCHMARK_TRUSTED_SHA256=sha256_of(self.keras_home / "datasets" / "mnist.npz"),
            PYTHONPATH=str(HERE / "peer_site"),
            IPYTHONDIR=str(self.work / "ipython"),
            PATH=f"{python.parent}{os.pathsep}{environment.get('PATH', os.defpath)}",
        )
        return environment


class Contestant(ABC):
    """One way of grading notebooks."""

    name: str
    """What ``--only`` calls it."""
    requirement: str | None = None
    """The package that is installed into an environment of its own, pinned."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @property
    def home(self) -> Path:
        """Its virtual environment."""
        return self.bench.environments / self.name

    @property
    def python(self) -> Path:
        """The interpreter it runs under."""
        if self.requirement is None:
            return Path(sys.executable)
        return self.home / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """The variables it runs with."""
        return self.bench.peer_environment(self.python)

    def set_up(self) -> None:  # noqa: B027 - two of four have nothing to set up
        """Make what all its rounds share; not timed."""

    @abstractmethod
    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """Lay out the submissions of one round; not timed.

        Args:
            folder: An empty folder of this round and contestant.
            notebooks: The submissions.

        Returns:
            The commands that grade them: what is timed.
        """

    @abstractmethod
    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Read what it reported; not timed.

        Args:
            folder: The folder given to :meth:`prepare`.
            notebooks: The submissions.

        Returns:
            A score for each submission.

        Raises:
            BenchmarkError: A submission was not run, or not graded as it deserves.
        """


class Ours(Contestant):
    """This grader: one command for all submissions."""

    name = "ours"

    @property
    def environment(self) -> dict[str, str]:
        """The caller's: this grader serves its data itself."""
        return self.bench.own_environment()

    @property
    def program(self) -> list[str]:
        """The console script, or the module where it is not installed."""
        script = Path(sys.executable).parent / "grader"
        return [str(script)] if script.exists() else [sys.executable, "-m", "grader"]

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """One folder with all notebooks, one command."""
        submissions = folder / "submitted"
        submissions.mkdir()
        for notebook in notebooks:
            shutil.copy(notebook, submissions)
        argv = [*self.program, "grade", COURSE_ASSIGNMENT, str(submissions)]
        argv += ["-o", str(folder / "results")]
        if self.bench.jobs is not None:
            argv += ["--jobs", str(self.bench.jobs)]
        return [
            Command(
                argv=argv,
                cwd=REPOSITORY,
                environment=self.environment,
                log=folder / "ours.log",
            )
        ]

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Each report must tell of a finished run and a measured accuracy.

        Full marks are not asked for: the assignment wants more than one epoch gives.
        """
        reports = sorted((folder / "results" / "submissions").glob("*/report.json"))
        if len(reports) != len(notebooks):
            raise BenchmarkError(
                f"ours: {len(reports)} reports for {len(notebooks)} submissions:\n"
                + tail(folder / "ours.log")
            )
        scores = []
        for path in reports:
            report = json.loads(path.read_text("utf-8"))
            measurement = report.get("measurement") or {}
            accuracy = measurement.get("value")
            if report.get("ending") != "finished" or not accuracy:
                raise BenchmarkError(
                    f"ours: {path.parent.name}: ending {report.get('ending')!r}, "
                    f"measurement {measurement!r}"
                )
            scores.append(
                Score(
                    student=path.parent.name,
                    said=f"{report['points']:g}/{report['out_of']:g} points, "
                    f"held-out accuracy {accuracy:.3f}",
                )
            )
        return scores


class Otter(Contestant):
    """``otter run``: one command for each submission."""

    name = "otter"
    requirement = OTTER

    @property
    def autograder(self) -> Path:
        """The zip archive with the tests."""
        return self.bench.work / "otter" / "autograder.zip"

    def set_up(self) -> None:
        """Let ``otter generate`` pack the tests."""
        folder = self.autograder.parent
        tests = folder / "tests"
        tests.mkdir(parents=True)
        for name, code in TESTS.items():
            lines = code.splitlines()
            case = {
                "code": "\n".join(f">>> {line}" for line in lines),
                "hidden": False,
                "locked": False,
            }
            test = {
                "name": name,
                "points": 1,
                "suites": [
                    {
                        "cases": [case],
                        "scored": True,
                        "setup": "",
                        "teardown": "",
                        "type": "doctest",
                    }
                ],
            }
            (tests / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n", "utf-8")
        run(
            Command(
                argv=[
                    str(self.python.with_name("otter")),
                    *("generate", "-t", str(tests), "-o", str(self.autograder)),
                    "--no-environment",
                ],
                cwd=folder,
                environment=self.environment,
                log=folder / "generate.log",
            )
        )

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """A result folder and a command for each notebook."""
        commands = []
        for notebook in notebooks:
            results = folder / notebook.stem
            results.mkdir()
            commands.append(
                Command(
                    argv=[
                        str(self.python.with_name("otter")),
                        *("run", "-a", str(self.autograder), "-o", str(results)),
                        str(notebook),
                    ],
                    cwd=folder,
                    environment=self.environment,
                    log=folder / f"{notebook.stem}.log",
                )
            )
        return commands

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Each ``results.json`` must give every test its point."""
        scores = []
        for notebook in notebooks:
            path = folder / notebook.stem / "results.json"
            log = folder / f"{notebook.stem}.log"
            if not path.exists():
                raise BenchmarkError(f"otter: no {path.name}:\n{tail(log)}")
            tests = {
                test["name"]: test["score"]
                for test in json.loads(path.read_text("utf-8"))["tests"]
                if test["name"] in TESTS
            }
            if tests != dict.fromkeys(TESTS, 1):
                raise BenchmarkError(f"otter: {notebook.stem} earned {tests}:\n{tail(log)}")
            scores.append(
                Score(
                    student=notebook.stem,
                    said=f"{sum(tests.values()):g}/{len(TESTS)} points",
                )
            )
        return scores


class NbGrader(Contestant):
    """``nbgrader autograde``: one command for all submissions."""

    name = "nbgrader"
    requirement = NBGRADER
    assignment = "mnist"

    @property
    def course(self) -> Path:
        """The course folder as it is before anyone hands in."""
        return self.bench.work / "nbgrader"

    def nbgrader(self, folder: Path, *arguments: str) -> Command:
        """The program ``nbgrader`` in a course folder."""
        return Command(
            argv=[str(self.python.with_name("nbgrader")), *arguments],
            cwd=folder,
            environment=self.environment,
            log=folder / f"{arguments[0]}.log",
        )

    def set_up(self) -> None:
        """Write the assignment and release it."""
        source = self.course / "source" / self.assignment
        source.mkdir(parents=True)
        (self.course / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            'c.CourseDirectory.course_id = "benchmark"\n'
            f"c.Execute.timeout = {COMMAND_LIMIT:.0f}\n",
            "utf-8",
        )
        cells = [nbformat.v4.new_markdown_cell("# A softmax classifier for MNIST")]
        for name, code in TESTS.items():
            cell = nbformat.v4.new_code_cell(code.rstrip("\n"))
            cell.id = name.replace("_", "-")
            cell.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": name,
                "grade": True,
                "locked": True,
                "solution": False,
                "task": False,
                "points": 1,
            }
            cells.append(cell)
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, source / f"{self.assignment}.ipynb")
        run(self.nbgrader(self.course, "generate_assignment", self.assignment))

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """A course folder with a submission of each student, one command."""
        course = folder / "course"
        shutil.copytree(self.course, course)
        name = f"{self.assignment}.ipynb"
        released = nbformat.read(course / "release" / self.assignment / name, 4)
        tests = [cell for cell in released.cells if "nbgrader" in cell.metadata]
        for path in notebooks:
            notebook = nbformat.read(path, 4)
            notebook.cells += tests
            handed_in = course / "submitted" / path.stem / self.assignment
            handed_in.mkdir(parents=True)
            nbformat.write(notebook, handed_in / name)
        return [self.nbgrader(course, "autograde", self.assignment)]

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """The exported gradebook must give each student full marks."""
        course = folder / "course"
        run(self.nbgrader(course, "export", "--to=grades.csv"))
        with (course / "grades.csv").open(encoding="utf-8", newline="") as grades:
            rows = {row["student_id"]: row for row in csv.DictReader(grades)}
        scores = []
        for path in notebooks:
            row = rows.get(path.stem, {})
            earned = float(row.get("raw_score") or 0)
            most = float(row.get("max_score") or 0)
            if earned != len(TESTS) or most != len(TESTS):
                raise BenchmarkError(
                    f"nbgrader: {path.stem} earned {earned:g} of {most:g}:\n"
                    + tail(course / "autograde.log")
                )
            scores.append(Score(student=path.stem, said=f"{earned:g}/{most:g} points"))
        return scores


class PlainPython(Contestant):
    """``python script.py``: runs the code, grades nothing; a reference."""

    name = "python"

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """A script and a command for each notebook."""
        commands = []
        for path in notebooks:
            cells = nbformat.read(path, 4).cells
            script = folder / f"{path.stem}.py"
            script.write_text(
                "\n\n".join(cell.source for cell in cells if cell.cell_type == "code"),
                "utf-8",
            )
            commands.append(
                Command(
                    argv=[str(self.python), str(script)],
                    cwd=folder,
                    environment=self.environment,
                    log=folder / f"{path.stem}.log",
                )
            )
        return commands

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Each script must have printed a good accuracy."""
        scores = []
        for path in notebooks:
            log = folder / f"{path.stem}.log"
            found = re.search(r"^test accuracy: ([\d.]+)", log.read_text("utf-8"), re.MULTILINE)
            if found is None or float(found[1]) < MINIMUM_ACCURACY:
                raise BenchmarkError(f"python: {path.stem}:\n{tail(log)}")
            scores.append(Score(student=path.stem, said=f"not graded, test accuracy {found[1]}"))
        return scores


CONTESTANTS: dict[str, type[Contestant]] = {
    kind.name: kind for kind in (Ours, Otter, NbGrader, PlainPython)
}


# ------------------------------------------------------------------ setting up


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shared_requirements() -> list[str]:
    """The pinned packages that every contestant must have in one version.

    Raises:
        BenchmarkError: One of them is missing here.
    """
    try:
        return [f"{name}=={importlib.metadata.version(name)}" for name in SHARED_PACKAGES]
    except importlib.metadata.PackageNotFoundError as error:
        raise BenchmarkError(
            f"{error.name} is not installed for {sys.executable}: run this script with "
            "the interpreter that has this grader"
        ) from error


def install(contestant: Contestant) -> None:
    """Make a peer's virtual environment, unless it is there and up to date.

    Args:
        contestant: One with or without an environment of its own.

    Raises:
        BenchmarkError: ``venv`` or ``pip`` failed.
    """
    if contestant.requirement is None:
        return
    wanted = [contestant.requirement, "ipykernel", *shared_requirements()]
    stamp = contestant.home / "benchmark-requirements.txt"
    listed = "\n".join(wanted) + "\n"
    if stamp.exists() and stamp.read_text("utf-8") == listed:
        return
    print(f"{contestant.name}: installing {' '.join(wanted)}", flush=True)
    contestant.home.mkdir(parents=True, exist_ok=True)
    log = contestant.home / "install.log"
    pip = [str(contestant.python), "-m", "pip", "install", "--quiet"]
    for argv in ([sys.executable, "-m", "venv", str(contestant.home)], [*pip, *wanted]):
        try:
            run(Command(argv=argv, cwd=contestant.home, environment=os.environ, log=log))
        except BenchmarkError as error:
            raise BenchmarkError(
                f"{contestant.name}: its environment could not be made in "
                f"{contestant.home}; is a package index within reach?\n{error}"
            ) from error
    stamp.write_text(listed, "utf-8")


def find_mnist() -> Path:
    """The ``mnist.npz`` that the peers load.

    Returns:
        The very file that this grader serves to submissions: the real one where it has
        it (``GRADER_DATA``, Keras' cache), else its stand-in of the same size.

    Raises:
        BenchmarkError: This grader could not give it.
    """
    code = "import grader.datasets as d; print(d.load('mnist').served)"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = answer.stdout.splitlines()
    path = Path(lines[-1] if lines else "") / "mnist.npz"
    if answer.returncode or not path.is_file():
        raise BenchmarkError(f"this grader has no MNIST to serve:\n{answer.stderr.strip()}")
    return path


def make_keras_home(folder: Path) -> Path:
    """Make a folder for ``KERAS_HOME`` whose data set is a link to :func:`find_mnist`.

    Keras wants the folder itself to be writable, or it takes another one in silence.
    """
    datasets = folder / "datasets"
    datasets.mkdir(parents=True)
    (datasets / "mnist.npz").symlink_to(find_mnist())
    return folder


# ------------------------------------------------------------------ measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One contestant's turn in one round."""

    round: int
    """0 is the warm-up."""
    contestant: str
    """Who."""
    submissions: int
    """How many were graded."""
    usage: Usage
    """What all of them cost together."""
    scores: list[Score] = field(default_factory=list)
    """What was reported."""

    @property
    def seconds(self) -> float:
        """Wall time a submission."""
        return self.usage.seconds / self.submissions


def take_turn(contestant: Contestant, folder: Path, notebooks: Sequence[Path], number: int) -> Turn:
    """Let one contestant grade the notebooks of one round.

    Args:
        contestant: Who.
        folder: The round's folder.
        notebooks: The submissions.
        number: The round.

    Returns:
        What it cost and what it said.
    """
    own = folder / contestant.name
    own.mkdir()
    commands = contestant.prepare(own, notebooks)
    usage = run_all(commands, at_once=contestant.bench.at_once)
    scores = contestant.read_scores(own, notebooks)
    turn = Turn(
        round=number,
        contestant=contestant.name,
        submissions=len(notebooks),
        usage=usage,
        scores=scores,
    )
    kind = "warm-up" if number == 0 else f"round {number}"
    print(
        f"{kind:<9} {contestant.name:<9} {turn.seconds:7.2f} s a submission, "
        f"{usage.seconds:7.1f} s in all, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return turn


def take_turns(
    contestants: Sequence[Contestant], work: Path, *, rounds: int, submissions: int
) -> list[Turn]:
    """Let the contestants take turns; a warm-up round comes first.

    Each round begins with another contestant, so that none always follows the same.

    Args:
        contestants: Who takes part.
        work: The folder of this run.
        rounds: How many rounds are counted.
        submissions: Notebooks in a round.

    Returns:
        All turns, the warm-up's too.
    """
    first_seed = time.time_ns() // 1_000_000 % 2**31
    turns = []
    for number in range(rounds + 1):
        folder = work / f"round-{number}"
        notebooks = [
            folder / "notebooks" / f"student_{student:02}.ipynb"
            for student in range(1, submissions + 1)
        ]
        notebooks[0].parent.mkdir(parents=True)
        for place, path in enumerate(notebooks):
            seed = first_seed + number * submissions + place
            write_notebook(path, student=f"{path.stem}, round {number}", seed=seed)
        first = number % len(contestants)
        turns += [
            take_turn(contestant, folder, notebooks, number)
            for contestant in [*contestants[first:], *contestants[:first]]
        ]
    return turns


def start_up_times(bench: Bench) -> dict[str, list[float]]:
    """Time ``grader --help`` against an interpreter that does nothing.

    Args:
        bench: Whose folder takes the logs.

    Returns:
        Seconds of each run, by command.
    """
    programs = {
        "grader --help": [*Ours(bench).program, "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(START_UP_RUNS + 1):
        for name, argv in programs.items():
            command = Command(
                argv=argv,
                cwd=REPOSITORY,
                environment=bench.own_environment(),
                log=bench.work / "start-up.log",
            )
            usage = run(command)
            if number:
                seconds[name].append(usage.seconds)
    return seconds


# ------------------------------------------------------------------ telling


def machine_line() -> str:
    """Processor, cores, memory, system, versions and load, in one line."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*: (.+)", cpuinfo.read_text("utf-8"))
        model = found[1].strip() if found else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()},"
        f" {', '.join(shared_requirements())}, {OTTER}, {NBGRADER}, "
        f"load {os.getloadavg()[0]:.1f}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A number that was taken several times."""

    median: float
    """The middle one."""
    low: float
    """The smallest."""
    high: float
    """The largest."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        return cls(median=statistics.median(values), low=min(values), high=max(values))


def summarise(turns: Sequence[Turn]) -> dict[str, Spread]:
    """Seconds a submission, by contestant; the warm-up is left out."""
    names = dict.fromkeys(turn.contestant for turn in turns)
    return {
        name: Spread.of([turn.seconds for turn in turns if turn.round and turn.contestant == name])
        for name in names
    }


def ratios(turns: Sequence[Turn]) -> dict[str, Spread]:
    """Our time divided by each peer's, taken within each round."""
    seconds = {(t.contestant, t.round): t.seconds for t in turns if t.round}
    peers = dict.fromkeys(name for name, _ in seconds if name != Ours.name)
    return {
        peer: Spread.of(
            [
                seconds[Ours.name, number] / taken
                for (name, number), taken in seconds.items()
                if name == peer
            ]
        )
        for peer in peers
        if any(name == Ours.name for name, _ in seconds)
    }


def print_tables(turns: Sequence[Turn]) -> None:
    """Print what each contestant reported, the times, and the ratios."""
    print("\nreported in the last round")
    for turn in turns:
        if turn.round == turns[-1].round:
            said = dict.fromkeys(score.said for score in turn.scores)
            print(f"  {turn.contestant:<9} {turn.submissions} x {'; '.join(said)}")

    print(f"\n{'seconds a submission':<22}{'median':>8}{'min':>8}{'max':>8}", end="")
    print(f"{'CPU':>8}{'peak MB':>10}")
    for name, spread in summarise(turns).items():
        used = [t.usage for t in turns if t.round and t.contestant == name]
        count = turns[0].submissions
        cpu = statistics.median(usage.cpu_seconds for usage in used) / count
        peak = max(usage.peak_mb for usage in used)
        print(f"{name:<22}{spread.median:8.2f}{spread.low:8.2f}", end="")
        print(f"{spread.high:8.2f}{cpu:8.2f}{peak:10.0f}")

    compared = ratios(turns)
    if compared:
        print(f"\n{'ours / peer':<22}{'median':>8}{'min':>8}{'max':>8}")
        for name, spread in compared.items():
            numbers = f"{spread.median:8.2f}{spread.low:8.2f}{spread.high:8.2f}"
            print(f"{name:<22}{numbers}")


def print_start_up(seconds: Mapping[str, Sequence[float]]) -> None:
    """Print the start-up times and how much ours adds to Python's own."""
    print(f"\n{'start-up, ms':<22}{'median':>8}{'min':>8}{'max':>8}")
    for name, values in seconds.items():
        spread = Spread.of([1000 * value for value in values])
        numbers = f"{spread.median:8.0f}{spread.low:8.0f}{spread.high:8.0f}"
        print(f"{name:<22}{numbers}")


# ------------------------------------------------------------------ the command


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""

    def positive(text: str) -> int:
        number = int(text)
        if number < 1:
            raise argparse.ArgumentTypeError(f"must be at least 1. Received: {text}")
        return number

    def contestants(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        unknown = set(names) - set(CONTESTANTS)
        if unknown:
            raise argparse.ArgumentTypeError(
                f"must be of {', '.join(CONTESTANTS)}. Received: {text}"
            )
        return list(dict.fromkeys(names))

    parser = argparse.ArgumentParser(
        description="Grade the same Keras notebooks with this grader and its peers.",
    )
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="rounds after the warm-up (5)")
    add("--submissions", type=positive, default=8, help="notebooks in a round (8)")
    add(
        "--jobs",
        type=positive,
        help="submissions at once, where a contestant can "
        "(default: this grader as it likes, the peers one after the other)",
    )
    add(
        "--only",
        type=contestants,
        default=list(CONTESTANTS),
        help=f"who takes part, of {','.join(CONTESTANTS)}",
        metavar="NAMES",
    )
    add(
        "--env-dir",
        type=Path,
        default=HERE / ".envs",
        help="folder of the peers' virtual environments (benchmarks/.envs)",
    )
    add("--setup", action="store_true", help="make the environments and stop")
    add("--json", type=Path, metavar="OUT", help="write every number there")
    add("--keep", action="store_true", help="keep the folder of this run")
    return parser.parse_args()


@contextmanager
def working_folder(*, keep: bool) -> Iterator[Path]:
    """A folder for one run; kept on wish, and then named."""
    folder = Path(tempfile.mkdtemp(prefix="grader-peers-"))
    try:
        yield folder
    finally:
        if keep:
            print(f"\nkept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def compare(options: argparse.Namespace, work: Path) -> None:
    """Set up the contestants, let them take turns, and tell the result.

    Args:
        options: The command line.
        work: The folder of this run.
    """
    bench = Bench(
        environments=options.env_dir.resolve(),
        work=work,
        jobs=options.jobs,
        keras_home=work / "keras",
    )
    contestants = [CONTESTANTS[name](bench) for name in options.only]
    for contestant in contestants:
        install(contestant)
    if options.setup:
        return
    machine = machine_line()
    print(machine)
    make_keras_home(bench.keras_home)
    for contestant in contestants:
        contestant.set_up()
    turns = take_turns(contestants, work, rounds=options.rounds, submissions=options.submissions)
    print_tables(turns)
    start_up: dict[str, list[float]] = {}
    if Ours.name in options.only:
        start_up = start_up_times(bench)
        print_start_up(start_up)
    if options.json:
        result: dict[str, Any] = {
            "machine": machine,
            "rounds": options.rounds,
            "submissions": options.submissions,
            "jobs": options.jobs,
            "seconds_a_submission": {n: asdict(s) for n, s in summarise(turns).items()},
            "ours_divided_by": {n: asdict(s) for n, s in ratios(turns).items()},
            "start_up_seconds": start_up,
            "turns": [asdict(turn) for turn in turns],
        }
        options.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def main() -> int:
    """Run the command; 2 when the comparison could not be made."""
    options = parse_arguments()
    try:
        with working_folder(keep=options.keep) as work:
            compare(options, work)
    except BenchmarkError as error:
        print(f"peers.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
