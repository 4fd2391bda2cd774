"""CIFAR-10 as people have it: found, read without trusting it, and served as Keras wants it."""

import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

from grader.datasets import available, cifar10, load
from grader.datasets.arrays import sha256_of
from grader.datasets.finding import RECIPES
from grader.errors import DataError

FOLDER = "cifar-10-batches-py"
TARGET = f"{FOLDER}-target"
ROWS = 40
"""In a batch of these tests, instead of 10,000."""


@pytest.fixture(autouse=True)
def _few(monkeypatch, request):
    if "real_data" in request.keywords:
        return
    for name, count in (("_BATCH", ROWS), ("_TRAIN", 5 * ROWS), ("_TEST", ROWS)):
        monkeypatch.setattr(cifar10, name, count)
    monkeypatch.setattr(cifar10, "_LEAST_ARCHIVE", 50_000)


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(1)
    made = {}
    for split, count in (("train", 5 * ROWS), ("test", ROWS)):
        made[f"x_{split}"] = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        made[f"y_{split}"] = rng.integers(0, 10, count, dtype=np.uint8)
    return made


def _flat(images):
    """As in a batch: all red values of an image, then the green ones, then the blue ones."""
    return np.concatenate([images[..., c].reshape(len(images), -1) for c in range(3)], axis=1)


def _python2(images, labels):
    """Write a batch in the words of Python 2's pickle, as the original's are."""

    def text(word):
        return b"U" + bytes([len(word)]) + word

    data = _flat(images).tobytes()
    shape = b"(M" + struct.pack("<H", len(images)) + b"M" + struct.pack("<H", 3072) + b"t"
    dtype = b"cnumpy\ndtype\n(" + text(b"u1") + b"K\x00K\x01tR"
    dtype += b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text(b"b") + b"tR"
    array += b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(data)) + data + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    pairs = text(b"data") + array + text(b"labels") + numbers
    return b"\x80\x02}(" + pairs + b"u."


def _python3(images, labels):
    return pickle.dumps({b"data": _flat(images), b"labels": labels.tolist()}, protocol=4)


def _batches(arrays, write=_python3):
    x, y = arrays["x_train"], arrays["y_train"]
    parts = {
        f"data_batch_{n + 1}": slice(n * ROWS, (n + 1) * ROWS)
        for n in reversed(range(5))  # the order of files says nothing
    }
    made = {name: write(x[part], y[part]) for name, part in parts.items()}
    return made | {"test_batch": write(arrays["x_test"], arrays["y_test"])}


def _write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _pack(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as stream:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(data)
            stream.addfile(member, io.BytesIO(data))


def _save_npz(folder, arrays):
    np.savez(folder / "cifar10.npz", **arrays)


def _save_as_keras_gives_it(folder, arrays):
    column = {name: array[:, None] for name, array in arrays.items() if name.startswith("y_")}
    np.savez_compressed(folder / "cifar10.npz", **arrays | column)


FORMS = {
    "an npz": _save_npz,
    "an npz with labels as a column": _save_as_keras_gives_it,
    "the original batches": lambda folder, arrays: _write(
        folder / FOLDER, _batches(arrays, _python2)
    ),
    "batches of today": lambda folder, arrays: _write(folder / FOLDER, _batches(arrays)),
    "the batches' own folder": lambda folder, arrays: _write(folder, _batches(arrays, _python2)),
    "a Keras home with an empty archive": lambda folder, arrays: (
        _write(folder / "datasets" / TARGET / FOLDER, _batches(arrays)),
        tarfile.open(folder / "datasets" / f"{TARGET}_archive", "w").close(),
    ),
    "a Keras home with the archive": lambda folder, arrays: _pack(
        folder / "datasets" / f"{TARGET}_archive", _batches(arrays, _python2)
    ),
    "Keras 2's archive": lambda folder, arrays: _pack(
        folder / f"{FOLDER}.tar.gz", _batches(arrays, _python2)
    ),
    "the author's archive": lambda folder, arrays: _pack(
        folder / "cifar-10-python.tar.gz", _batches(arrays, _python2) | {"readme.html": b"<html>"}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_that_people_have_is_the_same_data_set(tmp_path, arrays, form):
    (tmp_path / "have").mkdir()
    FORMS[form](tmp_path / "have", arrays)
    dataset = load("cifar10", data_dir=tmp_path / "have")
    (offer, *_) = [offer for offer in available(data_dir=tmp_path / "have") if offer.used][2:]

    assert dataset.source == offer.source == "directory"
    assert dataset.digest == load("cifar10", data_dir=_plain(tmp_path, arrays)).digest
    assert dataset.description.startswith(f"CIFAR-10 from {tmp_path}/have/")
    assert offer.note == dataset.description


def _plain(tmp_path, arrays):
    (tmp_path / "plain").mkdir(exist_ok=True)
    _save_npz(tmp_path / "plain", arrays)
    return tmp_path / "plain"


def test_keras_own_archive_is_verified_and_batches_are_not(tmp_path, arrays, monkeypatch):
    archive = tmp_path / "cifar-10-python.tar.gz"
    _pack(archive, _batches(arrays))
    monkeypatch.setitem(RECIPES["cifar10"].keras_sha256, archive.name, sha256_of(archive))
    _write(tmp_path / "loose" / FOLDER, _batches(arrays))

    assert load("cifar10", data_dir=tmp_path).verified
    assert not load("cifar10", data_dir=tmp_path / "loose").verified


@pytest.fixture
def dataset(tmp_path, arrays):
    return load("cifar10", data_dir=_plain(tmp_path, arrays))


def _served(dataset, name):
    found = pickle.loads((dataset.served / TARGET / FOLDER / name).read_bytes(), encoding="bytes")
    return found[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), found[b"labels"]


def test_the_training_batches_are_served_in_their_order(dataset, arrays):
    images, labels = zip(*(_served(dataset, f"data_batch_{n}") for n in range(1, 6)), strict=True)

    assert (np.concatenate(images) == arrays["x_train"]).all()
    assert [label for part in labels for label in part] == arrays["y_train"].tolist()


def test_the_served_test_batch_is_drawn_from_the_training_batches(dataset, arrays):
    known = {x.tobytes(): y for x, y in zip(arrays["x_train"], arrays["y_train"], strict=True)}
    images, labels = _served(dataset, "test_batch")

    assert len({image.tobytes() for image in images}) == ROWS
    assert [known[image.tobytes()] for image in images] == labels


def test_held_out_are_the_test_images_without_their_labels(dataset, arrays):
    files = [path for path in dataset.served.rglob("*") if path.is_file()]
    first = _flat(arrays["x_test"])[0].tobytes()

    assert (np.load(dataset.held_out / "inputs.npy") == arrays["x_test"]).all()
    assert (dataset.labels() == arrays["y_test"]).all()
    assert dataset.samples == ROWS
    assert {path.name for path in dataset.held_out.iterdir()} == {
        "inputs.npy", "train_mean.npy", "train_std.npy",
    }  # fmt: skip
    assert len(files) == 7
    assert not any(first in path.read_bytes() for path in files)
    assert set(dataset.served_sha256) == {sha256_of(path) for path in files}


def test_every_folder_that_is_served_can_be_passed_by_students(tmp_path, arrays):
    old = os.umask(0o077)
    try:
        dataset = load("cifar10", data_dir=_plain(tmp_path, arrays))
    finally:
        os.umask(old)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in dataset.served.rglob("*")}

    assert modes == {True: 0o755, False: 0o644}


def test_the_judge_gets_what_standardising_needs(dataset, arrays):
    x = arrays["x_train"]

    np.testing.assert_allclose(np.load(dataset.held_out / "train_mean.npy"), x.mean(axis=0))
    np.testing.assert_allclose(np.load(dataset.held_out / "train_std.npy"), x.std(axis=0))
    assert dataset.train_facts["mean"] == pytest.approx(x.mean())
    assert dataset.train_facts["std"] == pytest.approx(x.std())
    assert (dataset.train_facts["min"], dataset.train_facts["max"]) == (0, 255)


class _RunsAProgram:
    def __reduce__(self):
        return os.system, ("touch run-by-pickle",)


@pytest.mark.parametrize("way", ["loose", "packed"])
def test_a_batch_that_runs_a_program_is_refused(tmp_path, arrays, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    files = _batches(arrays) | {"data_batch_3": pickle.dumps({b"data": _RunsAProgram()})}
    if way == "loose":
        _write(tmp_path / FOLDER, files)
    else:
        _pack(tmp_path / "cifar-10-python.tar.gz", files)

    with pytest.raises(DataError, match="makes no array"):
        load("cifar10", data_dir=tmp_path)
    assert not (tmp_path / "run-by-pickle").exists()


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (b"", "Ran out of input"),
        (b"no pickle", "could not|unpickling|invalid|persistent|Received"),
        (pickle.dumps([1, 2]), "list indices"),
        (pickle.dumps({b"data": [1]}), "labels"),
        (_python3(np.zeros((3, 32, 32, 3), np.uint8), np.zeros(3, np.uint8)), r"\(3, 3072\)"),
        (_python3(np.zeros((ROWS, 32, 32, 3)), np.zeros(ROWS, np.uint8)), "float64"),
        (_python3(np.zeros((ROWS, 32, 32, 3), np.uint8), np.full(ROWS, 10)), "other than 0 to 9"),
    ],
)
def test_a_batch_that_is_none_is_an_error_that_says_why(tmp_path, arrays, batch, said):
    _write(tmp_path / FOLDER, _batches(arrays) | {"test_batch": batch})

    with pytest.raises(DataError, match=said) as caught:
        load("cifar10", data_dir=tmp_path)
    assert "is not CIFAR-10" in caught.value.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x_train": np.zeros((6, 32, 32, 3), np.uint8)}, r"x_train of \(6, 32, 32, 3\)"),
        ({"y_test": np.zeros(7, np.uint8)}, r"y_test of \(7,\)"),
        ({"y_train": np.full(5 * ROWS, 77)}, "labels other than 0 to 9"),
    ],
)
def test_an_npz_that_is_not_cifar10_is_an_error(tmp_path, arrays, change, said):
    _save_npz(tmp_path, arrays | change)

    with pytest.raises(DataError, match=said):
        load("cifar10", data_dir=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "no archive", "a batch is missing", "a link"])
def test_a_damaged_archive_is_an_error(tmp_path, arrays, damage):
    path = tmp_path / "cifar-10-python.tar.gz"
    files = _batches(arrays)
    if damage == "a batch is missing":
        del files["data_batch_2"]
    _pack(path, files)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:60_000])
    elif damage == "no archive":
        path.write_bytes(b"no archive" * 10_000)
    elif damage == "a link":
        with tarfile.open(path, "w") as stream:
            for name in files:
                member = tarfile.TarInfo(f"{FOLDER}/{name}")
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                stream.addfile(member)
        path.write_bytes(path.read_bytes() + bytes(50_000))

    with pytest.raises(DataError, match="is not CIFAR-10"):
        load("cifar10", data_dir=tmp_path)


def test_what_is_served_is_a_source_too(dataset):
    again = load("cifar10", data_dir=dataset.served)

    assert again.source == "directory"
    assert again.digest != dataset.digest
    assert (np.load(again.held_out / "inputs.npy") == _served(dataset, "test_batch")[0]).all()


def test_it_says_what_is_looked_for(tmp_path):
    told = {
        offer.source: offer for offer in available(data_dir=tmp_path) if offer.name == "cifar10"
    }

    assert told["directory"].note == (
        "no cifar-10-batches-py or cifar-10-python.tar.gz or cifar10.npz there"
    )
    assert told["download"].where == "www.cs.toronto.edu"


@pytest.mark.real_data
def test_the_real_photographs_are_served(real_cifar10):
    dataset = load("cifar10", data_dir=real_cifar10)
    x, y = _served(dataset, "data_batch_1")

    assert dataset.source == "directory"
    assert dataset.description.startswith("CIFAR-10 from ")
    assert x.shape == (10000, 32, 32, 3)
    assert len(y) == dataset.samples == 10000
    assert np.bincount(dataset.labels()).tolist() == [1000] * 10
    # As published of the originals, which these are but for their JPEG.
    assert dataset.train_facts["mean"] == pytest.approx(120.7, abs=1)
    assert dataset.train_facts["std"] == pytest.approx(64.1, abs=1)
