"""What tests share: facts to judge, made without Keras, and the same data on every machine."""

import io
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from grader.records import (
    ArrayFacts,
    CellRecord,
    CompileFacts,
    Evidence,
    ExecutionRecord,
    FitRecord,
    FoundModel,
    LayerCard,
    Measurement,
    ModelCard,
    Submission,
)
from grader.sandbox.interface import Isolation

ROOT = Path(__file__).parents[1]
REAL = Path(os.environ.get("GRADER_DATA") or ROOT.parent / "shared" / "data")
"""Where the real data sets are, if they are."""
USER = 54321
"""Nobody in particular."""
_real_data = {"passed": 0, "skipped": 0, "failed": 0}


@pytest.fixture(scope="session", autouse=True)
def _stand_ins():
    """Use the stand-ins unless a test asks for more, whatever lies on the machine."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as empty:
        patch.delenv("GRADER_DATA", raising=False)
        patch.setenv("GRADER_OFFLINE", "1")
        patch.setenv("KERAS_HOME", empty)
        patch.setenv("GRADER_STORE", f"{empty}/evidence")
        yield


@pytest.fixture(scope="session")
def real_cifar10(tmp_path_factory) -> Path:
    """A folder with the real CIFAR-10, unpacked from JPEG images without their common head."""
    if not (REAL / "cifar10_jpeg.npz").is_file():
        pytest.skip(f"no real CIFAR-10 in {REAL}")
    made = {}
    with np.load(REAL / "cifar10_jpeg.npz", allow_pickle=False) as packed:
        head = packed["head"].tobytes()
        for split in ("train", "test"):
            stream = io.BytesIO(packed[f"data_{split}"].tobytes())
            lengths = packed[f"lengths_{split}"].tolist()
            files = (io.BytesIO(head + stream.read(length)) for length in lengths)
            made[f"x_{split}"] = np.stack([Image.open(file).convert("RGB") for file in files])
            made[f"y_{split}"] = packed[f"labels_{split}"]
    folder = tmp_path_factory.mktemp("real")
    np.savez(folder / "cifar10.npz", **made)
    return folder


def pytest_runtest_logreport(report):
    if "real_data" in report.keywords and (report.when == "call" or report.skipped):
        _real_data[report.outcome] += 1


def pytest_sessionfinish(session):
    """In CI, tests that want the real data must not be skipped where the data is."""
    if hasattr(session.config, "workerinput"):
        return  # one of several testers: only who started them hears of all tests
    there = (REAL / "mnist.npz").is_file() and os.environ.get("CI")
    if there and (_real_data["skipped"] or not _real_data["passed"]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.get_terminal_writer().line(
            f"\nThe real data is in {REAL}, and its tests did not all run: {_real_data}"
        )


@pytest.fixture
def in_the_open(tmp_path):
    """The beginning of a command that sees an interpreter and tests which everybody can read.

    In a mount namespace of its own, folders that are closed to others but lie above them are
    replaced by open ones in which nothing but that path is left.
    """
    if os.getuid() != 0:
        pytest.skip("only root can open folders; the other tests are the ordinary user's")
    if not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("util-linux is missing")
    script = ["set -e"]
    needed = [Path(sys.base_prefix), Path(sys.prefix), ROOT]
    for number, path in enumerate(dict.fromkeys(each.resolve() for each in needed)):
        folder = _closed_folder(path)
        if folder:
            aside = tmp_path / str(number)
            aside.mkdir()
            script += [
                f"mount --bind '{path}' '{aside}'",
                f"mount -t tmpfs -o mode=0755 tmpfs '{folder}'",
                f"mkdir -p '{path}'",
                f"mount --bind '{aside}' '{path}'",
            ]
    script.append('exec "$@"')
    return ["unshare", "-m", "sh", "-c", "\n".join(script), "sh"]


@pytest.fixture
def home():
    """A home that an ordinary user can reach; pytest's own folders are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="grader-as-user-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def as_ordinary_user(in_the_open):
    """Run a command as somebody without rights: ``as_ordinary_user(argv) → CompletedProcess``."""
    become = f"setpriv --reuid {USER} --regid {USER} --clear-groups --inh-caps=-all"

    def run(*argv, home, timeout=300):
        home.mkdir(parents=True, exist_ok=True)
        os.chown(home, USER, USER)
        command = [*in_the_open, *become.split(), "--bounding-set=-all", *argv]
        return _run(command, timeout, HOME=home, TMPDIR=home)

    return run


@pytest.fixture
def as_root(in_the_open, tmp_path):
    """Run a command as root whose home is closed to others, as it mostly is."""
    home = tmp_path / "root"
    home.mkdir(mode=0o700)

    def run(*argv, timeout=300):
        return _run([*in_the_open, *argv], timeout, HOME=home)

    return run


def _run(command, timeout, **environment):
    return subprocess.run(
        [*map(str, command)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "GRADER_OFFLINE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: str(value) for name, value in environment.items()},
        },
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _closed_folder(path):
    """The topmost folder above a path that only its owner may enter."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def compiled(**changes):
    facts = CompileFacts(
        loss="categorical_crossentropy",
        from_logits=False,
        optimizer="RMSprop",
        learning_rate=0.001,
        metrics=("accuracy",),
    )
    return replace(facts, **changes)


def dense_card(units=10, activation="softmax", inputs=784, **changes):
    layer = LayerCard(
        name="dense",
        kind="Dense",
        role="layer",
        units=units,
        activation=activation,
        input_shape=(None, inputs),
        output_shape=(None, units),
        trainable_params=(inputs + 1) * units,
        non_trainable_params=0,
        settings={"use_bias": True},
    )
    return replace(layer, **changes)


def card(*layers, **changes):
    layers = layers or (dense_card(),)
    made = ModelCard(
        layers=layers,
        input_shape=layers[0].input_shape,
        output_shape=layers[-1].output_shape,
        trainable_params=sum(layer.trainable_params for layer in layers),
        non_trainable_params=sum(layer.non_trainable_params for layer in layers),
        compiled=compiled(),
    )
    return replace(made, **changes)


def fit(**changes):
    record = FitRecord(
        model=0,
        cell=2,
        compiled=compiled(),
        x=ArrayFacts(shape=(60000, 784), dtype="float32", minimum=0.0, maximum=1.0, mean=0.13),
        y=ArrayFacts(shape=(60000, 10), dtype="float64", minimum=0.0, maximum=1.0, one_hot=True),
        epochs=5,
        batch_size=128,
        updates=2345,
        validation="none",
        validation_split=0.0,
        validation_x=None,
        history={"loss": (0.9, 0.5, 0.4, 0.35, 0.33), "accuracy": (0.7, 0.8, 0.9, 0.91, 0.92)},
        completed=True,
        seconds=3.0,
    )
    return replace(record, **changes)


def measurement(**changes):
    made = Measurement(
        metric="accuracy",
        value=0.92,
        samples=10_000,
        low=0.9145,
        high=0.9252,
        form="vectors of 784, scaled to 0…1",
        tried={"vectors of 784, scaled to 0…1": 0.92},
        per_class=(0.9,) * 10,
        predictions_sha256="ab" * 32,
    )
    return replace(made, **changes)


def execution(**changes):
    made = ExecutionRecord(
        ending="finished",
        cells=(CellRecord(number=1, outcome="ok", seconds=1.0),),
        models=(
            FoundModel(
                number=0,
                variables=("model",),
                kind="sequential",
                compiled=compiled(),
                fits=1,
                artefact="a" * 64,
            ),
        ),
        chosen=0,
        fits=(fit(),),
    )
    return replace(made, **changes)


def submission(**changes):
    made = Submission(
        student="ada",
        origin="submissions/ada.ipynb",
        kind="notebook",
        cells=("print(1)",),
        notebook={"cells": [{"cell_type": "code", "source": "print(1)", "id": "cell-1"}]},
    )
    return replace(made, **changes)


def evidence(**changes):
    made = Evidence(
        submission=submission(), execution=execution(), card=card(), measurement=measurement()
    )
    return replace(made, **changes)


@pytest.fixture(scope="session")
def make():
    """The factories, each with one right answer: ``make.card(trainable_params=7840)``."""
    return SimpleNamespace(
        card=card,
        compiled=compiled,
        dense=dense_card,
        evidence=evidence,
        execution=execution,
        fit=fit,
        measurement=measurement,
        submission=submission,
    )


@pytest.fixture
def bench(tmp_path):
    """A workbench whose sandbox and data have only names."""
    return SimpleNamespace(
        sandbox=SimpleNamespace(isolation=Isolation(level="none", description="a test")),
        dataset=SimpleNamespace(
            name="mnist", source="stand-in", description="the stand-in", digest="d" * 64
        ),
        results=tmp_path,
    )


@pytest.fixture
def assignment_folder(tmp_path):
    """Write an assignment: ``assignment_folder(toml_changes, checks, hidden)`` → its folder."""

    def write(toml="", checks=None, hidden=None):
        folder = tmp_path / "little"
        folder.mkdir(exist_ok=True)
        (folder / "assignment.toml").write_text(toml or TOML, "utf-8")
        if checks is not None:
            (folder / "test_little.py").write_text(checks, "utf-8")
        if hidden is not None:
            (folder / "hidden_little.py").write_text(hidden, "utf-8")
        return folder

    return write


@pytest.fixture
def little_toml():
    """The little assignment's ``assignment.toml``."""
    return TOML


TOML = """
name = "little"
title = "A little assignment"
version = "1"

[data]
set = "mnist"

[model]
task = "multiclass"
classes = 10
inputs = ["vector"]
"""
