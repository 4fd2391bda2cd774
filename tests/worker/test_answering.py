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
from grader.worker.answering import _map
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


ANSWER = """
import sys
from pathlib import Path
import keras
import numpy as np
from grader.worker.answering import _answer
folder, layout, stateful = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "stateful"
batch = 30 if stateful else None
x = keras.Input((3,), batch_size=batch)
count = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")
if stateful:
    last = keras.layers.SimpleRNN(1, activation="linear", stateful=True, use_bias=False)
    place = last(keras.layers.Reshape((1, 3))(count(x) * x * 0 + x))
else:
    place = keras.ops.cumsum(count(x), axis=0)
model = keras.Model(x, keras.layers.Concatenate()([x, place]))
form = {"layout": layout, "shape": [3], "shift": 0.0, "scale": 1.0, "padding": "post"}
np.save(folder / "found.npy", _answer(model, batch or 512, folder, form))
"""


@pytest.mark.parametrize("layout", ["dense", "padded"])
@pytest.mark.parametrize("kind", ["stateless", "stateful"])
def test_samples_are_asked_mixed_and_answered_in_their_order(tmp_path, layout, kind):
    rows = np.arange(1, 601 * 3 + 1).reshape(601, 3)
    if layout == "dense":
        np.save(tmp_path / "inputs.npy", rows.astype("float32"))
    else:
        np.save(tmp_path / "ranks.npy", rows.ravel())
        np.save(tmp_path / "lengths.npy", np.full(601, 3))
    subprocess.run([sys.executable, "-c", ANSWER, tmp_path, layout, kind], check=True, timeout=300)
    found = np.load(tmp_path / "found.npy")

    np.testing.assert_array_equal(found[:, :3], rows)
    if kind == "stateless":
        places = found[:, 3]
        assert abs(np.corrcoef(np.arange(512), places[:512])[0, 1]) < 0.2
