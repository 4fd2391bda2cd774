"""What is served, what is held out, and that the two never meet."""

import json

import numpy as np
import pytest

from grader.datasets import digits, imdb, load, mnist
from grader.datasets.arrays import read_npz, sha256_of
from grader.datasets.recipe import served_as_test
from grader.errors import DataError


def _rows(images):
    return [row.tobytes() for row in images.reshape(len(images), -1)]


def test_the_draw_is_fixed_and_takes_none_twice():
    places = served_as_test(1, 60000, 10000)

    assert (places == served_as_test(1, 60000, 10000)).all()
    assert len(set(places.tolist())) == 10000
    assert (places != served_as_test(2, 60000, 10000)).any()


def test_served_test_digits_are_training_digits_with_their_labels(stand_ins):
    found = read_npz(stand_ins["mnist"].served / "mnist.npz")
    labels = dict(zip(_rows(found["x_train"]), found["y_train"].tolist(), strict=True))

    assert found["x_test"].shape == (10000, 28, 28)
    assert [labels[row] for row in _rows(found["x_test"])] == found["y_test"].tolist()


def test_no_held_out_digit_is_served(stand_ins):
    served = read_npz(stand_ins["mnist"].served / "mnist.npz")
    held_out = np.load(stand_ins["mnist"].held_out / "inputs.npy", allow_pickle=False)

    assert (held_out.shape, held_out.dtype) == ((10000, 28, 28), np.uint8)
    assert not set(_rows(held_out)) & set(_rows(served["x_train"]))
    assert not set(_rows(held_out)) & set(_rows(served["x_test"]))


def test_the_judge_gets_what_standardising_needs(stand_ins):
    dataset = stand_ins["mnist"]
    x = read_npz(dataset.served / "mnist.npz")["x_train"]
    mean = np.load(dataset.held_out / "train_mean.npy", allow_pickle=False)
    std = np.load(dataset.held_out / "train_std.npy", allow_pickle=False)

    assert mean.shape == std.shape == (28, 28)
    np.testing.assert_allclose(mean, x.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(std, x.std(axis=0), atol=1e-6)
    assert dataset.train_facts["mean"] == pytest.approx(x.mean())
    assert dataset.train_facts["std"] == pytest.approx(x.std())
    assert (dataset.train_facts["min"], dataset.train_facts["max"]) == (0, 255)


@pytest.fixture(scope="module")
def served_reviews(stand_ins):
    return read_npz(stand_ins["imdb"].served / "imdb.npz")


def test_served_test_reviews_are_the_training_reviews_with_their_labels(served_reviews):
    found = served_reviews
    train = sorted(zip(found["x_train"], found["y_train"].tolist(), strict=True))
    test = sorted(zip(found["x_test"], found["y_test"].tolist(), strict=True))

    assert len(train) == 25000
    assert train == test
    assert found["x_train"].tolist() != found["x_test"].tolist()


def test_no_held_out_review_is_served(stand_ins, served_reviews):
    dataset = stand_ins["imdb"]
    ranks = np.load(dataset.held_out / "ranks.npy", allow_pickle=False)
    lengths = np.load(dataset.held_out / "lengths.npy", allow_pickle=False)
    held_out = {row.tobytes() for row in np.split(ranks, np.cumsum(lengths)[:-1])}
    rows = served_reviews["x_train"]
    flat = np.concatenate([np.array(row, np.int32) for row in rows])
    loaded = imdb.as_loaded(flat, np.array([len(row) for row in rows]))
    ends = np.cumsum([len(row) + 1 for row in rows])[:-1]

    assert ranks.dtype == lengths.dtype == np.int32
    assert ranks.max() == 9999
    assert lengths.sum() == len(ranks)
    assert not held_out & {row.tobytes() for row in np.split(loaded, ends)}


def test_held_out_reviews_are_written_as_keras_loads_them():
    loaded = imdb.as_loaded(np.array([1, 9996, 9997, 80000, 5], np.int32), np.array([2, 3]))

    assert loaded.tolist() == [1, 4, 9999, 1, 2, 2, 8]
    assert loaded.dtype == np.int32


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_labels_are_for_the_held_out_inputs_and_nowhere_near_them(stand_ins, name):
    dataset = stand_ins[name]
    labels = dataset.labels()
    files = [*dataset.served.iterdir(), *dataset.held_out.iterdir()]

    assert len(labels) == {"mnist": 10000, "imdb": 25000}[name]
    assert not any(labels.tobytes() in path.read_bytes() for path in files)
    assert {path.name for path in files} == {
        "mnist": {"mnist.npz", "inputs.npy", "train_mean.npy", "train_std.npy"},
        "imdb": {"imdb.npz", "imdb_word_index.json", "ranks.npy", "lengths.npy"},
    }[name]


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_the_hashes_are_those_of_the_served_files(stand_ins, name):
    dataset = stand_ins[name]

    assert set(dataset.served_sha256) == {sha256_of(path) for path in dataset.served.iterdir()}


def test_served_files_are_a_source_with_a_digest_of_their_own(stand_ins):
    dataset = load("imdb", data_dir=stand_ins["imdb"].served)

    assert dataset.source == "directory"
    assert dataset.digest != stand_ins["imdb"].digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x_train": np.zeros((6, 28, 28), np.uint8)}, r"x_train should be \(60000, 28, 28\)"),
        ({"y_test": np.zeros(10000, np.int64)}, r"Received: \(10000,\), int64"),
        ({"y_train": None}, "Received: nothing"),
    ],
)
def test_a_file_that_is_not_mnist_is_an_error(tmp_path, change, said):
    arrays = {name: np.zeros(shape, np.uint8) for name, shape in mnist._SHAPES.items()} | change
    kept = {name: array for name, array in arrays.items() if array is not None}
    np.savez_compressed(tmp_path / "mnist.npz", **kept)

    with pytest.raises(DataError, match=said):
        load("mnist", data_dir=tmp_path)


def _reviews(row, labels=(0, 1)):
    rows = np.empty(25000, object)
    rows[:] = [row] * 25000
    return rows, np.resize(np.array(labels), 25000)


@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        (_reviews([1])[0][:5], _reviews([1])[1], r"\(5,\) reviews"),
        (*_reviews([]), "a list of ranks"),
        (*_reviews([0, 1]), "a list of ranks"),
        (*_reviews(["the"]), "invalid literal"),
        (*_reviews([2**40]), "Python int"),
        (*_reviews(7), "no len"),
        (*_reviews([1], labels=(1, 2)), "labels other than 0 and 1"),
    ],
)
def test_a_file_that_is_not_imdb_is_an_error(tmp_path, rows, labels, said):
    np.savez(tmp_path / "imdb.npz", x_train=rows, y_train=labels, x_test=rows, y_test=labels)

    with pytest.raises(DataError, match=said):
        load("imdb", data_dir=tmp_path)


@pytest.mark.parametrize("text", ["[1, 2]", "{"])
def test_a_file_that_is_not_the_word_index_is_an_error(tmp_path, text):
    rows, labels = _reviews([1, 2])
    np.savez(tmp_path / "imdb.npz", x_train=rows, y_train=labels, x_test=rows, y_test=labels)
    (tmp_path / "imdb_word_index.json").write_text(text)

    with pytest.raises(DataError, match="is not the word index"):
        load("imdb", data_dir=tmp_path)


def test_reviews_without_word_index_are_served_without(tmp_path):
    rows, labels = _reviews([1, 2, 3])
    np.savez(tmp_path / "imdb.npz", x_train=rows, y_train=labels, x_test=rows, y_test=labels)
    dataset = load("imdb", data_dir=tmp_path)

    assert "without imdb_word_index.json" in dataset.description
    assert [path.name for path in dataset.served.iterdir()] == ["imdb.npz"]


def test_the_word_index_is_served_as_it_came(tmp_path):
    rows, labels = _reviews([1, 2, 3])
    np.savez(tmp_path / "imdb.npz", x_train=rows, y_train=labels, x_test=rows, y_test=labels)
    text = json.dumps({"the": 1, "film": 2, "was": 3}, indent=3)
    (tmp_path / "imdb_word_index.json").write_text(text)

    dataset = load("imdb", data_dir=tmp_path)
    assert (dataset.served / "imdb_word_index.json").read_text() == text


def test_the_stand_in_is_not_made_twice(stand_ins, monkeypatch):
    monkeypatch.setenv("GRADER_CACHE", str(stand_ins["mnist"].served.parents[2]))
    monkeypatch.setattr(digits, "_deform", None)

    assert load("mnist") == stand_ins["mnist"]
