import numpy as np

from grader.datasets import load
from grader.datasets.arrays import read_npz
from grader.datasets.part import part_of


def test_a_part_has_the_first_rows_of_what_is_served_and_all_that_is_held_out(tmp_path):
    whole = load("mnist")
    part = part_of(whole, 50, tmp_path / "part")
    arrays, all_of_them = (read_npz(each.served / "mnist.npz") for each in (part, whole))
    assert {name: len(array) for name, array in arrays.items()} == dict.fromkeys(all_of_them, 50)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, all_of_them[name][:50])
    assert part.held_out == whole.held_out
    assert part.labels_file == whole.labels_file
    assert part.served_sha256 != whole.served_sha256
    assert part.description.startswith("the first 50 rows of the embedded stand-in")
