import numpy as np

from grader.datasets import load, nothing
from grader.datasets.arrays import read_npz
from grader.datasets.part import part_of


def test_a_part_has_the_first_rows_of_what_is_served_and_of_what_is_held_out(tmp_path):
    whole = load("mnist")
    part = part_of(whole, 50, tmp_path / "part")

    arrays, all_of_them = (read_npz(each.served / "mnist.npz") for each in (part, whole))
    assert {name: len(array) for name, array in arrays.items()} == dict.fromkeys(all_of_them, 50)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, all_of_them[name][:50])
    assert part.served_sha256 != whole.served_sha256
    assert part.description.startswith("the first 50 rows of the embedded stand-in")

    assert part.samples == 50
    assert part.sample_shape == whole.sample_shape
    for name, rows in (("inputs", 50), ("train_mean", 28), ("train_std", 28)):
        here, there = (np.load(each.held_out / f"{name}.npy") for each in (part, whole))
        np.testing.assert_array_equal(here, there[:rows])
    np.testing.assert_array_equal(part.labels(), whole.labels()[:50])
    assert not {part.labels_file.parent, *part.labels_file.parents} & {part.served, part.held_out}


def test_a_part_of_reviews_is_whole_reviews(tmp_path):
    whole = load("imdb")
    part = part_of(whole, 7, tmp_path)

    lengths = np.load(part.held_out / "lengths.npy")
    np.testing.assert_array_equal(lengths, np.load(whole.held_out / "lengths.npy")[:7])
    ranks = np.load(part.held_out / "ranks.npy")
    assert len(ranks) == lengths.sum()
    np.testing.assert_array_equal(ranks, np.load(whole.held_out / "ranks.npy")[: len(ranks)])
    assert part.samples == len(part.labels()) == 7


def test_what_cannot_be_served_in_part_is_served_whole(tmp_path):
    whole = load("cifar10")
    part = part_of(whole, 20, tmp_path)

    assert part.served == whole.served
    assert part.served_sha256 == whole.served_sha256
    assert part.samples == len(part.labels()) == 20


def test_of_no_data_there_is_no_part(tmp_path):
    part = part_of(nothing(), 20, tmp_path)

    assert part.samples == 0
