"""How the judge presents held-out inputs."""

import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.keras

MAP = """
import sys
from pathlib import Path
import numpy as np
from grader.worker.judge import _map
folder = Path(sys.argv[1])
inputs = np.load(folder / "inputs.npy")
shift, scale = _map(folder, {sys.argv[2]: True}, inputs.shape[1:])
np.save(folder / "found.npy", inputs * scale + shift)
"""


@pytest.mark.parametrize(
    ("way", "axes"), [("by_channel", (0, 1, 2)), ("by_feature", 0)], ids=["colours", "pixels"]
)
def test_inputs_are_standardised_by_the_training_inputs(tmp_path, way, axes):
    train = np.random.default_rng(1).integers(0, 256, (50, 4, 4, 3)).astype("uint8")
    train[..., 2] //= 7
    np.save(tmp_path / "train_mean.npy", train.mean(axis=0))
    np.save(tmp_path / "train_std.npy", train.std(axis=0))
    inputs = train[:9] // 2
    np.save(tmp_path / "inputs.npy", inputs)
    subprocess.run([sys.executable, "-c", MAP, tmp_path, way], check=True, timeout=300)
    wanted = (inputs - train.mean(axis=axes)) / train.std(axis=axes)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), wanted)
