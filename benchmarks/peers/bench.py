"""What all contestants share: folders, the data, and the variables a peer runs with."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.grading import own_environment
from benchmarks.shared.running import REPOSITORY

SITE = Path(__file__).parent / "site"
"""Stands on the peers' ``PYTHONPATH``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all contestants share."""

    environments: Path
    """The folder of the peers' virtual environments."""
    folder: Path
    """A folder for this run alone."""
    jobs: int | None
    """How many submissions at once; ``None`` leaves each contestant to itself."""
    keras_home: Path
    """``KERAS_HOME`` of the peers."""
    options: tuple[str, ...] = ()
    """More arguments for this grader."""

    def peer_environment(self, python: Path) -> dict[str, str]:
        """The environment of a peer that runs under ``python``.

        Its data comes from :attr:`keras_home`, its settings from nobody's home folder.
        """
        environment = own_environment()
        for name in ("PYTHONHOME", "VIRTUAL_ENV", "JUPYTER_PATH"):
            environment.pop(name, None)
        for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            environment[f"JUPYTER_{name}"] = str(self.folder / "jupyter" / name.lower())
        environment.update(
            KERAS_HOME=str(self.keras_home),
            BENCHMARK_TRUSTED_SHA256=_sha256_of(self.keras_home / "datasets" / "mnist.npz"),
            PYTHONPATH=str(SITE),
            IPYTHONDIR=str(self.folder / "ipython"),
            PATH=f"{python.parent}{os.pathsep}{environment.get('PATH', os.defpath)}",
        )
        return environment


def make_keras_home(folder: Path) -> Path:
    """Make a folder for ``KERAS_HOME`` whose data set is a link to what this grader serves.

    Keras wants the folder itself to be writable, or it takes another one in silence.
    """
    datasets = folder / "datasets"
    datasets.mkdir(parents=True)
    (datasets / "mnist.npz").symlink_to(_find_mnist())
    return folder


def _find_mnist() -> Path:
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


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
