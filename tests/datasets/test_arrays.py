"""Reading and writing arrays."""

import os
import pickle
import warnings
import zipfile

import numpy as np
import pytest

from grader.datasets.arrays import digest_of, read_npz, write_npz
from grader.errors import DataError


class _RunsAProgram:
    def __reduce__(self):
        return os.system, ("touch run-by-pickle",)


def _objects(*rows):
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def test_what_is_written_is_read(tmp_path):
    written = {"x": _objects([1, 2, 300], [70000]), "y": np.arange(3, dtype=np.uint8)}
    write_npz(tmp_path / "a.npz", written)
    found = read_npz(tmp_path / "a.npz")

    assert list(found) == ["x", "y"]
    assert found["x"].tolist() == [[1, 2, 300], [70000]]
    assert found["y"].dtype == np.uint8


def test_what_numpy_wrote_is_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=_objects([1], [2, 3]), y=np.eye(2))
    found = read_npz(tmp_path / "a.npz")

    assert found["x"].tolist() == [[1], [2, 3]]
    assert (found["y"] == np.eye(2)).all()


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, {"x": _objects([1, 2], [3])})

    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("inside", [_RunsAProgram(), [_RunsAProgram()], print, os.system])
def test_a_pickle_that_runs_a_program_is_refused(tmp_path, monkeypatch, inside):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "a.npz", x=_objects(inside, [1]))

    with pytest.raises(DataError, match="makes no array"):
        read_npz(tmp_path / "a.npz")
    assert not (tmp_path / "run-by-pickle").exists()


def test_a_pickle_that_is_no_array_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=_objects([1], [2]))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        header = archive.read("x.npy").split(b"\n")[0] + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", header + pickle.dumps([1, 2]))

    with pytest.raises(DataError, match="not the array"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, damage):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(1000))
    path.write_bytes(path.read_bytes()[:700] if damage is None else damage)

    with pytest.raises(DataError, match=r"a\.npz cannot be read"):
        read_npz(path)


def test_the_digest_is_of_what_arrays_say():
    x = np.arange(12).reshape(3, 4)
    same = digest_of({"x": np.asfortranarray(x), "y": x})

    assert digest_of({"y": x.copy(), "x": x.astype(">i8")}) == same
    assert digest_of({"x": x.reshape(4, 3), "y": x}) != same
    assert digest_of({"x": x.astype(np.int32), "y": x}) != same
    assert digest_of({"z": x, "y": x}) != same


def test_a_long_header_is_read(tmp_path):
    array = np.zeros(2, [(f"field{number}", np.uint8) for number in range(5000)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.savez(tmp_path / "a.npz", x=array)

    with pytest.raises(DataError, match="Header info length"):
        read_npz(tmp_path / "a.npz")
