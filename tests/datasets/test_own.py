"""An assignment's own file: what of it is served, what is held out, and what is refused."""

import numpy as np
import pytest

from grader.cluster.parcel import pack, unpack
from grader.datasets import load_own, verify
from grader.datasets.arrays import read_npz
from grader.errors import DataError


def arrays(train=60, test=20, sample=(4, 3), **changes):
    """Rows that are all different, whichever split they are in."""
    rng = np.random.default_rng(1)
    made = {
        "x_train": rng.normal(size=(train, *sample)).astype("float32"),
        "y_train": rng.integers(0, 3, train),
        "x_test": rng.normal(size=(test, *sample)).astype("float32"),
        "y_test": rng.integers(0, 3, test),
    }
    return {name: array for name, array in (made | changes).items() if array is not None}


def write(folder, name="mine.npz", **found):
    np.savez(folder / name, **found)
    return folder


def rows(array):
    return {row.tobytes() for row in array.reshape(len(array), -1)}


def test_students_find_training_rows_under_every_name_and_the_judge_the_rest(tmp_path):
    given = arrays()
    dataset = load_own("mine.npz", write(tmp_path, **given))
    served = read_npz(dataset.served / "mine.npz")
    held_out = np.load(dataset.held_out / "inputs.npy")

    assert dataset.beside == ("mine.npz",)
    assert (served["x_train"] == given["x_train"]).all()
    assert served["x_test"].shape == given["x_test"].shape
    assert rows(served["x_test"]) <= rows(given["x_train"])
    assert not rows(given["x_test"]) & (rows(served["x_train"]) | rows(served["x_test"]))
    labels = {
        row.tobytes(): label for row, label in zip(given["x_train"], given["y_train"], strict=True)
    }
    assert [labels[row.tobytes()] for row in served["x_test"]] == served["y_test"].tolist()
    assert (held_out == given["x_test"]).all()
    assert (dataset.labels() == given["y_test"]).all()
    assert dataset.samples == 20
    assert dataset.train_facts["mean"] == pytest.approx(given["x_train"].mean())
    np.testing.assert_allclose(
        np.load(dataset.held_out / "train_std.npy"), given["x_train"].std(axis=0), rtol=1e-5
    )


def test_a_file_without_training_rows_serves_nothing(tmp_path):
    dataset = load_own("mine.npz", write(tmp_path, **arrays(x_train=None, y_train=None)))

    assert dataset.beside == dataset.served_sha256 == ()
    assert dataset.samples == 20
    assert dataset.train_facts["max"] > dataset.train_facts["min"]


def test_what_students_are_served_is_served_to_them_again_by_a_grader_of_theirs(tmp_path):
    dataset = load_own("mine.npz", write(tmp_path, **arrays()))
    copy = load_own("mine.npz", dataset.served)

    assert copy.served_sha256 == dataset.served_sha256
    assert "students' copy" in copy.description
    assert "20 of its 60 training samples stand for the held-out ones" in copy.description
    assert "60 training samples, 20 held out" in dataset.description


def test_the_content_decides_the_digest_and_so_does_the_name_it_is_served_under(tmp_path):
    given = arrays()
    (tmp_path / "other").mkdir()
    first = load_own("mine.npz", write(tmp_path, **given))
    np.savez_compressed(tmp_path / "other" / "mine.npz", **given)
    again = load_own("mine.npz", tmp_path / "other")
    renamed = load_own("yours.npz", write(tmp_path, "yours.npz", **given))
    changed = load_own("mine.npz", write(tmp_path, **(given | {"y_test": given["y_test"] ^ 1})))

    assert first.digest == again.digest
    assert len({first.digest, renamed.digest, changed.digest}) == 3
    assert renamed.beside == ("yours.npz",)
    assert [health.problems for health in verify()] == [()] * 3


def test_a_named_folder_comes_before_the_assignments_own(tmp_path):
    (tmp_path / "named").mkdir()
    write(tmp_path, **arrays())
    write(tmp_path / "named", **arrays(test=7))

    assert load_own("mine.npz", tmp_path, data_dir=tmp_path / "named").samples == 7
    (tmp_path / "named" / "mine.npz").unlink()
    assert load_own("mine.npz", tmp_path, data_dir=tmp_path / "named").samples == 20


def test_labels_in_a_column_are_labels_in_a_row(tmp_path):
    given = arrays()
    column = {name: given[name][:, None] for name in ("y_train", "y_test")}
    dataset = load_own("mine.npz", write(tmp_path, **(given | column)))

    assert (dataset.labels() == given["y_test"]).all()


def test_to_another_machine_it_travels_without_its_labels(tmp_path):
    dataset = load_own("mine.npz", write(tmp_path, **arrays()))
    (tmp_path / "there").mkdir()
    arrived = unpack(pack(dataset), tmp_path / "there")

    assert arrived.beside == ("mine.npz",)
    assert arrived.digest == dataset.digest
    assert not list((tmp_path / "there").rglob("*label*"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"y_test": None}, "y_test is missing.\nReceived: x_test, x_train, y_train"),
        ({"y_train": None}, "y_train is missing"),
        ({"x_test": None, "y_test": None}, "x_test, y_test is missing"),
        ({"x_tset": np.zeros(3)}, "holds x_tset, which the grader does not know"),
        ({"y_test": np.zeros(19)}, "as many rows as each other.\nReceived: 20 and 19"),
        ({"x_train": np.array([{}] * 60, object)}, "x_train is an array of objects"),
        ({"y_test": np.array(["shoe"] * 20)}, "y_test should hold numbers.\nReceived: <U4"),
        ({"x_test": np.array(3.0)}, "x_test should hold one row a sample"),
        ({"x_test": np.zeros((20, 4, 2))}, "should have one shape.\nReceived: (4, 3) and (4, 2)"),
        ({"x_test": np.zeros((0, 4, 3)), "y_test": np.zeros(0)}, "x_test has no rows"),
        ({"x_train": np.ones((60, 4, 3))}, "one and the same value everywhere: 1"),
        ({"x_train": np.full((60, 4, 3), np.nan)}, "x_train holds values that are no numbers"),
        ({"x_test": np.full((20, 4, 3), np.inf)}, "x_test holds values that are no numbers"),
    ],
)
def test_a_file_that_is_not_what_it_ought_to_be_is_refused_by_name(tmp_path, changes, says):
    with pytest.raises(DataError) as caught:
        load_own("mine.npz", write(tmp_path, **arrays(**changes)))
    assert says in str(caught.value)
    assert "mine.npz" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path, content):
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"mine.npz: cannot be read as an .npz file"):
        load_own("mine.npz", tmp_path)


def test_one_array_without_a_name_is_refused(tmp_path):
    with (tmp_path / "mine.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(DataError, match=r"not with np.save"):
        load_own("mine.npz", tmp_path)


def test_a_file_that_is_not_there_names_both_places(tmp_path):
    (tmp_path / "named").mkdir()
    with pytest.raises(DataError, match=r"There is no mine.npz in .*named nor in "):
        load_own("mine.npz", tmp_path, data_dir=tmp_path / "named")
