"""Where the grader keeps what it can make again."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Give ``GRADER_CACHE``, or the user's cache folder for ``keras-grader``."""
    named = os.environ.get("GRADER_CACHE")
    folder = Path(named) if named else platformdirs.user_cache_path("keras-grader")
    return folder.expanduser().absolute()
