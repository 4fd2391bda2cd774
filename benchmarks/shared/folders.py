"""A folder for one run of a benchmark, and its numbers as a file."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def working_folder(name: str, *, keep: bool = False) -> Iterator[Path]:
    """Make a folder for one run.

    Args:
        name: What its name begins with.
        keep: Whether it stays; then it is named.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"grader-{name}-"))
    try:
        yield folder
    finally:
        if keep:
            print(f"\nkept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def write_numbers(path: Path | None, numbers: Mapping[str, Any]) -> None:
    """Write what was measured as JSON, where that was asked for."""
    if path is not None:
        path.write_text(json.dumps(numbers, indent=2) + "\n", "utf-8")
