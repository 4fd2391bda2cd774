"""Arrays in files: read without trusting them, written the same way every time.

Paths of ``.npz`` files come in, arrays go out, and the other way round. Keras keeps reviews as
object arrays, which NumPy can only store as pickles, and a pickle can run any program: here
such an array is unpickled by :class:`ArrayUnpickler`, which knows how to make arrays and
nothing else.
"""

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from grader.errors import DataError

Arrays = Mapping[str, np.ndarray]
"""Arrays by name."""

_MAKES_ARRAYS = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
    }
)
"""All that a pickled object array of lists of integers names, before NumPy 2 and since."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date in our zip files: the earliest that zip knows, so that no clock is in them."""


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler of arrays, numbers, strings and lists that refuses all else."""

    def find_class(self, module: str, name: str, /) -> object:
        """Give the few globals that make an array.

        Raises:
            pickle.UnpicklingError: For any other global; nothing of it is imported.
        """
        if (module, name) in _MAKES_ARRAYS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which makes no array")


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read every array of an ``.npz`` file, object arrays included, running nothing in it.

    Args:
        path: The file.

    Returns:
        Its arrays by name.

    Raises:
        DataError: The file is not an ``.npz`` file, is damaged, or holds anything but arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                member.removesuffix(".npy"): _read_npy(io.BytesIO(archive.read(member)))
                for member in archive.namelist()
                if member.endswith(".npy")
            }
    except (
        # What zipfile, NumPy's header parser and pickle raise for bytes they cannot read.
        *(OSError, zipfile.BadZipFile, ValueError, EOFError, SyntaxError),
        *(pickle.UnpicklingError, AttributeError, ImportError, IndexError, KeyError),
        *(MemoryError, NotImplementedError, TypeError, RuntimeError),
    ) as error:
        raise DataError(
            f"{path} cannot be read as an .npz file of arrays: {error}.",
            remedy="Delete it, or put a sound copy in its place.",
        ) from error


def _read_npy(stream: BinaryIO) -> np.ndarray:
    """Read one array; see NumPy's ``lib.format`` for the file's layout."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        header = np.lib.format.read_array_header_1_0(stream)
    else:
        header = np.lib.format.read_array_header_2_0(stream)
    shape, _, dtype = header
    if not dtype.hasobject:
        stream.seek(0)
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
    found = ArrayUnpickler(stream).load()
    if not isinstance(found, np.ndarray) or found.shape != shape:
        raise ValueError("a pickle in it is not the array that its header announces")
    return found


def write_npz(path: Path, arrays: Arrays) -> None:
    """Write arrays as an ``.npz`` file whose bytes depend on nothing but the arrays.

    It is not compressed: it is read thousands of times and written once.

    Args:
        path: The file to write.
        arrays: What to write; an object array must hold plain lists of numbers.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array)


def digest_of(arrays: Arrays) -> str:
    """Hash what arrays say: names, types, shapes and values, whatever file they came from.

    Args:
        arrays: Plain arrays, none of objects.

    Returns:
        A SHA-256, 64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.data)
    return total.hexdigest()


def sha256_of(path: Path) -> str:
    """Hash a file.

    Returns:
        Its SHA-256, 64 hexadecimal digits.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
