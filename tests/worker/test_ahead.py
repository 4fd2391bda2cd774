import pickle
import tarfile

import numpy as np
import pytest

pytestmark = pytest.mark.keras

SPEED = {"decoded_data": True}
LOOK = """
import hashlib
def look(value):
    if isinstance(value, tuple):
        return tuple(map(look, value))
    if isinstance(value, dict):
        return type(value), list(value.items())
    assert type(value) is np.ndarray
    inner = [(type(one), len(one), {type(word) for word in one}) for one in value[:20]
             if value.dtype == object]
    return (value.dtype, value.shape, value.strides, str(value.flags), type(value.base),
            hashlib.sha256(repr(value.tolist()).encode()).hexdigest(), str(inner))
"""
CALLS = (
    "keras.datasets.mnist.load_data()",
    "keras.datasets.imdb.load_data(num_words=10000)",
    "keras.datasets.imdb.get_word_index()",
)
NOTHING_CAN_BE_READ = """
import builtins, json, numpy as np, keras
from keras.src.datasets import npz_utils
def refuse(*args, **kwargs):
    raise RuntimeError("not ready")
np.load = npz_utils.load_npz = json.load = refuse
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(1)

    def digits(many):
        return rng.integers(0, 256, (many, 28, 28), dtype=np.uint8), rng.integers(
            0, 10, many, dtype=np.uint8
        )

    def reviews(many):
        words = np.empty(many, object)
        words[:] = [rng.integers(1, 20000, length).tolist() for length in rng.integers(3, 90, many)]
        return words, rng.integers(0, 2, many)

    for name, make in (("mnist", digits), ("imdb", reviews)):
        (x, y), (x_test, y_test) = make(60), make(30)
        np.savez(folder / f"{name}.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    (folder / "imdb_word_index.json").write_text('{"the": 1, "film": 2}')
    return folder


@pytest.fixture(scope="module")
def prepared(fresh, served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    with fresh(folder) as process:
        answer = process.prepare(places={"data": str(served)}, decoded_data=True)
        assert answer == {
            "threads": 1,
            "tensorflow_started": False,
            "same_environment": True,
            "home": False,
        }
        yield process


@pytest.fixture(scope="module")
def unprepared(kernel, served):
    answer = kernel.prepare(places={"data": str(served)}, decoded_data=False)
    assert answer["threads"] == 1
    return kernel


@pytest.mark.parametrize("call", CALLS)
def test_what_was_decoded_is_what_keras_would_give(prepared, unprepared, served, call):
    cells = ("import keras, numpy as np", LOOK, f"print(look({call}))")
    runs = [one.run(*cells, data=served, speed=SPEED) for one in (prepared, unprepared)]
    ready, read = (run.text("stdout") for run in runs)
    assert ready == read != ""


@pytest.mark.parametrize("call", CALLS)
def test_the_first_call_reads_nothing_and_the_next_reads_the_file(
    prepared, unprepared, served, call
):
    cells = (NOTHING_CAN_BE_READ, f"x = {call}", f"y = {call}")
    first = prepared.run(*cells, data=served, speed=SPEED)
    assert first.outcomes == ["ok", "ok", "raised"]
    assert first.errors[-1].message == "not ready"
    for run in (
        prepared.run(*cells, data=served, speed={"decoded_data": False}),
        prepared.run(*cells, data=served),
        unprepared.run(*cells, data=served, speed=SPEED),
    ):
        assert run.outcomes == ["ok", "raised", "raised"]


def test_two_calls_share_no_memory_and_runs_do_not_either(prepared, served):
    cell = (
        "import keras, numpy as np\n"
        "(x, y), (u, v) = keras.datasets.mnist.load_data()\n"
        "(x2, y2), (u2, v2) = keras.datasets.mnist.load_data()\n"
        "for a, b in ((x, x2), (y, y2), (u, u2), (v, v2)):\n"
        "    assert not np.shares_memory(a, b) and (a == b).all() and a.flags.writeable\n"
        "    a[:] = 0\n"
        "    assert b.any()\n"
        "(x, y), _ = keras.datasets.imdb.load_data(num_words=10000)\n"
        "(x2, y2), _ = keras.datasets.imdb.load_data(num_words=10000)\n"
        "assert x[0] == x2[0] and x[0] is not x2[0]\n"
        "x[0].clear()\nassert x2[0]"
    )
    for _ in range(2):
        ran = prepared.run(cell, data=served, speed=SPEED)
        assert ran.outcomes == ["ok"], ran.errors


@pytest.mark.parametrize(
    "call",
    [
        "from keras.datasets import mnist; mnist.load_data()",
        "from tensorflow.keras.datasets import mnist; mnist.load_data()",
        "import tensorflow as tf; tf.keras.datasets.mnist.load_data()",
        "keras.datasets.mnist.load_data('mnist.npz')",
        "keras.datasets.mnist.load_data(path='mnist.npz')",
        "keras.datasets.imdb.load_data('imdb.npz', 10000)",
        "keras.datasets.imdb.load_data(skip_top=0, num_words=10_000)",
    ],
)
def test_every_way_to_call_finds_it(prepared, served, call):
    ran = prepared.run(NOTHING_CAN_BE_READ, call, data=served, speed=SPEED)
    assert ran.outcomes == ["ok", "ok"], ran.errors


@pytest.mark.parametrize(
    "arguments", ["", "num_words=500", "num_words=10000, maxlen=40", "num_words=10000, seed=1"]
)
def test_other_arguments_read_the_file(prepared, unprepared, served, arguments):
    call = f"keras.datasets.imdb.load_data({arguments})"
    ran = prepared.run(NOTHING_CAN_BE_READ, call, data=served, speed=SPEED)
    assert ran.outcomes == ["ok", "raised"]
    cells = ("import keras, numpy as np", LOOK, f"print(look({call}))")
    texts = [
        one.run(*cells, data=served, speed=SPEED).text("stdout") for one in (prepared, unprepared)
    ]
    assert texts[0] == texts[1] != ""


def test_a_wrong_call_fails_as_ever(prepared, unprepared, served):
    messages = [
        one.run("import keras\nkeras.datasets.mnist.load_data(3, 4)", data=served, speed=SPEED)
        for one in (prepared, unprepared)
    ]
    kinds = [(run.errors[0].kind, run.errors[0].message) for run in messages]
    assert kinds[0] == kinds[1]
    assert kinds[0][0] == "TypeError"


def test_other_files_are_read_themselves(prepared, served, tmp_path):
    with np.load(served / "mnist.npz") as known:
        np.savez(tmp_path / "mnist.npz", **{name: known[name][:9] for name in known})
    ran = prepared.run(
        "import keras\nassert len(keras.datasets.mnist.load_data()[0][0]) == 9",
        data=tmp_path,
        speed=SPEED,
    )
    assert ran.outcomes == ["ok"], ran.errors


def test_what_is_ready_is_taken_through_links_to_the_same_files(prepared, served, tmp_path):
    for file in served.iterdir():
        (tmp_path / file.name).hardlink_to(file)
    source = NOTHING_CAN_BE_READ + "keras.datasets.mnist.load_data()"
    ran = prepared.run(source, data=tmp_path, speed=SPEED)

    assert ran.outcomes == ["ok"], ran.errors


def test_the_function_looks_as_keras_made_it(prepared, unprepared, served):
    cell = (
        "import inspect, keras\nfunction = keras.datasets.imdb.load_data\n"
        "print(type(function), function.__module__, function.__qualname__, function.__doc__,\n"
        "      inspect.signature(function), inspect.getsource(function),\n"
        "      function is keras.src.datasets.imdb.load_data)"
    )
    texts = [
        one.run(cell, data=served, speed=SPEED).text("stdout") for one in (prepared, unprepared)
    ]
    assert texts[0] == texts[1] != ""


def test_a_damaged_file_is_left_to_who_reads_it(fresh, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist.npz").write_bytes(b"no zip")
    with fresh(tmp_path) as process:
        answer = process.prepare(places={"data": str(tmp_path / "data")}, decoded_data=True)
        assert answer["threads"] == 1
        ran = process.run(
            "import keras\nkeras.datasets.mnist.load_data()",
            data=tmp_path / "data",
            speed=SPEED,
        )
        assert ran.outcomes == ["raised"]


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """CIFAR-10's files with one image in each batch, which Keras repeats."""
    folder = tmp_path_factory.mktemp("colours")
    batches = folder / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        pixels = (np.arange(3072, dtype=np.uint16).reshape(1, -1) * (number + 1) % 251).astype("u1")
        batch = {b"data": pixels, b"labels": [number]}
        (batches / name).write_bytes(pickle.dumps(batch, protocol=4))
    tarfile.open(folder / "cifar-10-batches-py-target_archive", "w").close()
    return folder


COLOURS = (
    "import keras, numpy as np, hashlib\n"
    "parts = [part for split in keras.datasets.cifar10.load_data() for part in split]\n"
    "for part in parts:\n"
    "    digest = hashlib.sha256(part.tobytes()).hexdigest()\n"
    "    print(part.shape, part.dtype, part.strides, str(part.flags), digest)"
)


def test_colour_images_are_decoded_ahead_too(fresh, unprepared, colours, tmp_path):
    unreadable = "import keras\nkeras.src.datasets.cifar10.load_batch = None"
    with fresh(tmp_path) as process:
        process.prepare(places={"data": str(colours)}, decoded_data=True)
        ready = process.run(unreadable, COLOURS, COLOURS, data=colours, speed=SPEED)
    read = unprepared.run(COLOURS, data=colours, speed=SPEED)

    assert read.outcomes == ["ok"], read.errors
    assert ready.outcomes == ["ok", "ok", "raised"], ready.errors
    assert ready.text("stdout") == read.text("stdout")
    assert read.text("stdout").startswith("(50000, 32, 32, 3) uint8 ")
    assert read.text("stderr") == ""
