"""The data set of an assignment that has none: two empty folders, and no label."""

from grader.datasets.records import Dataset
from grader.errors import DataError
from grader.folders import cache_folder

_OPEN = 0o755


def nothing() -> Dataset:
    """Give a data set with nothing in it; wherever files are served, packed or hashed, it fits.

    Raises:
        DataError: The cache cannot be written.
    """
    folder = cache_folder() / "no-data"
    served, held_out = folder / "served", folder / "held-out"
    try:
        for each in (served, held_out):
            each.mkdir(parents=True, exist_ok=True)
        for each in (folder, served):  # another user, as whom student code may run, looks in
            each.chmod(_OPEN)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}.") from None
    return Dataset(
        name="",
        source="none",
        description="no data set",
        verified=True,
        digest="",
        served=served,
        served_sha256=(),
        held_out=held_out,
        train_facts={},
        labels_file=folder / "there-are-none",
        labels_sha256="",
    )
