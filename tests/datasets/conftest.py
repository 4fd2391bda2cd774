"""Data sets made once for all tests, in a cache of their own, without network."""

import os
from pathlib import Path

import numpy as np
import pytest

from grader.datasets import Dataset, finding, load
from grader.datasets.recipe import Recipe

_NAMED = os.environ.get("GRADER_DATA")
REAL = Path(_NAMED) if _NAMED else Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Nothing of this machine's user is read or written."""
    monkeypatch.setenv("GRADER_OFFLINE", "1")
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("GRADER_DATA", raising=False)


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory) -> dict[str, Dataset]:
    """Both stand-ins; made once, because that takes seconds."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_CACHE", str(cache))
        patch.setenv("GRADER_OFFLINE", "1")
        patch.setenv("KERAS_HOME", str(cache / "no-keras"))
        patch.delenv("GRADER_DATA", raising=False)
        return {name: load(name) for name in ("mnist", "imdb")}


@pytest.fixture
def toy(monkeypatch) -> Recipe:
    """A data set of a few bytes, known by the name ``toy``."""

    def read(files):
        return {"x": np.frombuffer(files["toy.bin"].read_bytes(), np.uint8)}

    def lay_out(content, layout):
        (layout.served / "toy.bin").write_bytes(content["x"].tobytes())
        np.save(layout.held_out / "inputs.npy", content["x"])
        np.save(layout.labels / "labels.npy", content["x"] % 2)
        return {"mean": float(content["x"].mean())}

    recipe = Recipe(
        name="toy",
        title="Toy",
        files=("toy.bin",),
        extras=("toy.txt",),
        keras_sha256={
            # The SHA-256 of b"original" and of nothing.
            "toy.bin": "0682c5f2076f099c34cfdd15a9e063849ed437a49677e6fcc5b4198c76575be5",
            "toy.txt": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        },
        read=read,
        lay_out=lay_out,
        make=lambda: {"x": np.arange(7, dtype=np.uint8)},
        made=1,
        stand_in="seven numbers; not the real Toy",
    )
    monkeypatch.setitem(finding.RECIPES, "toy", recipe)
    return recipe


@pytest.fixture
def real() -> Path:
    """The folder of the real data sets."""
    if not (REAL / "mnist.npz").is_file() or not (REAL / "imdb.npz").is_file():
        pytest.skip("no real data: GRADER_DATA names none")
    return REAL
