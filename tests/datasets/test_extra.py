"""A second held-out set: what it is made of, that it is made alike, and what is refused."""

import numpy as np
import pytest

from grader.cluster.parcel import pack, unpack
from grader.datasets import load_own, verify, with_extra
from grader.errors import DataError


def images(seed, samples=40, shape=(6, 5), dtype="uint8"):
    """Images of pixels that are all different, and labels."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (samples, *shape)).astype(dtype)
    return x, rng.integers(0, 3, samples)


@pytest.fixture
def own(tmp_path):
    """An assignment's own data, and a file of more: ``own(**more) → its data set``."""

    def make(shape=(6, 5), dtype="uint8", **more):
        (x, y), (x_test, y_test) = images(1, 90, shape, dtype), images(2, 40, shape, dtype)
        np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
        private = dict(zip(("x_test", "y_test"), images(3, 25, shape, dtype), strict=True))
        np.savez(tmp_path / "private.npz", **{**private, **more})
        return load_own("mine.npz", tmp_path)

    return make


def inputs(dataset):
    return np.load(dataset.held_out / "inputs.npy")


def test_samples_of_a_file_are_asked_and_nothing_else_changes(own, tmp_path):
    main = own()
    dataset = with_extra(main, "private.npz", None, tmp_path)
    extra = dataset.extra
    assert (inputs(extra) == images(3, 25)[0]).all()
    assert (extra.labels() == images(3, 25)[1]).all()
    assert extra.samples == 25
    # the forms and their scales are those of the main set
    for name in ("train_mean.npy", "train_std.npy"):
        assert (extra.held_out / name).read_bytes() == (main.held_out / name).read_bytes()
    assert extra.train_facts == main.train_facts
    # the student's run is the same run
    assert (extra.served, extra.served_sha256) == (main.served, main.served_sha256)
    assert dataset.digest == main.digest != extra.digest
    assert (inputs(dataset) == inputs(main)).all()
    assert not extra.labels_file.parent.stat().st_mode & 0o077
    assert all(health.problems == () for health in verify())


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
@pytest.mark.parametrize("transform", ["noise", "shift"])
def test_a_transform_changes_every_sample_a_little_and_always_alike(
    own, tmp_path, transform, shape, monkeypatch
):
    main = own(shape)
    extra = with_extra(main, None, transform, tmp_path).extra
    before, after = inputs(main), inputs(extra)
    assert after.dtype == before.dtype
    assert after.shape == before.shape
    assert (after != before).reshape(len(before), -1).any(axis=1).all()
    assert (extra.labels() == main.labels()).all()
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "another"))
    assert with_extra(main, None, transform, tmp_path).extra.digest == extra.digest


def test_noise_is_small_and_stays_in_range(own, tmp_path):
    main = own((50, 40))
    before, after = (
        inputs(each).astype(float)
        for each in (main, with_extra(main, None, "noise", tmp_path).extra)
    )
    spread = (after - before)[(before > 60) & (before < 190)].std()
    assert spread == pytest.approx(0.1 * main.train_facts["std"], rel=0.05)
    assert (after.min(), after.max()) == (0, 255)


def test_a_shift_moves_each_image_by_one_pixel(own, tmp_path):
    main = own()
    before, after = inputs(main), inputs(with_extra(main, None, "shift", tmp_path).extra)
    ways = set()
    for old, new in zip(before, after, strict=True):
        found = [
            (down, right)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if (np.roll(old, (-down, -right), (0, 1))[1:-1, 1:-1] == new[1:-1, 1:-1]).all()
        ]
        assert len(found) == 1
        ways.update(found)
    assert len(ways) == 8


def test_both_together_change_the_samples_of_the_file(own, tmp_path):
    extra = with_extra(own(), "private.npz", "noise", tmp_path).extra
    assert extra.samples == 25
    assert (inputs(extra) != images(3, 25)[0]).any()
    assert extra.description == "private.npz, with noise"


def test_of_texts_some_words_are_left_out_but_never_the_first(stand_ins, tmp_path):
    main = stand_ins["imdb"]
    extra = with_extra(main, None, "noise", tmp_path).extra
    ranks, lengths, kept, shorter = (
        np.load(each.held_out / f"{name}.npy")
        for each in (main, extra)
        for name in ("ranks", "lengths")
    )
    assert shorter.sum() == len(kept)
    assert len(kept) / len(ranks) == pytest.approx(0.9, abs=0.01)
    starts, new_starts = (np.cumsum(each) - each for each in (lengths, shorter))
    assert (ranks[starts] == kept[new_starts]).all()
    place = 7
    old = iter(ranks[starts[place] :][: lengths[place]])
    assert all(word in old for word in kept[new_starts[place] :][: shorter[place]])  # in order
    assert (extra.labels() == main.labels()).all()


def test_to_another_machine_it_travels_without_its_labels(own, tmp_path):
    dataset = with_extra(own(), "private.npz", None, tmp_path)
    (tmp_path / "there").mkdir()
    arrived = unpack(pack(dataset), tmp_path / "there")
    assert (inputs(arrived.extra) == inputs(dataset.extra)).all()
    assert (inputs(arrived) == inputs(dataset)).all()
    assert arrived.extra.served == arrived.served
    assert not arrived.extra.held_out.stat().st_mode & 0o077
    assert not list((tmp_path / "there").rglob("*label*"))
    (tmp_path / "plain").mkdir()
    assert unpack(pack(own()), tmp_path / "plain").extra is None


def test_the_students_copy_has_none(own, tmp_path):
    x, y = images(2)
    own()
    np.savez(tmp_path / "mine.npz", x_test=x[:0], y_test=y[:0])
    assert with_extra(load_own("mine.npz", tmp_path), "private.npz", None, tmp_path).extra is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"x_test": images(3, 25, (6, 4))[0]}, "the shape of those of mine, (6, 5)"),
        ({"x_test": images(3, 25)[0] / 255.0}, "Received: 0…1"),
        ({"x_train": images(5, 25)[0], "y_train": images(5, 25)[1]}, "holds x_train"),
        ({"x_test": images(2)[0], "y_test": images(2)[1]}, "holds the held-out samples"),
        ({"y_test": np.zeros(3)}, "as many rows as each other"),
        ({"x_test": images(3, 0)[0], "y_test": images(3, 0)[1]}, "x_test has no rows"),
    ],
)
def test_a_file_that_does_not_suit_is_refused_by_name(own, tmp_path, changes, says):
    with pytest.raises(DataError) as caught:
        with_extra(own(**changes), "private.npz", None, tmp_path)
    assert says in str(caught.value)
    assert ("private.npz" if "held-out" not in says else "mine") in str(caught.value)


def test_what_cannot_be_done_to_these_samples_is_refused(own, stand_ins, tmp_path):
    with pytest.raises(DataError, match='"shift" moves images'):
        with_extra(stand_ins["imdb"], None, "shift", tmp_path)
    own()
    with pytest.raises(DataError, match="texts of any length"):
        with_extra(stand_ins["imdb"], "private.npz", None, tmp_path)
    table = own((12,), "float32")
    with pytest.raises(DataError, match='"shift" moves images'):
        with_extra(table, None, "shift", tmp_path)
    with pytest.raises(DataError, match=r"There is no none.npz"):
        with_extra(table, "none.npz", None, tmp_path)
