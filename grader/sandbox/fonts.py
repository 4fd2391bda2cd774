"""The list of fonts that matplotlib makes when it is first imported by a user.

Every run has a home of its own, and would make it anew: a second of work, more than many a homework
takes. So it is made once, in the user's cache, and laid into the home of every run.
"""

import functools
import hashlib
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from grader.folders import cache_folder

FOLDER = ".matplotlib"
"""Of a run's home: its ``MPLCONFIGDIR``."""

# System fonts only: what lies in somebody's home is not there in a run.
_MAKE = """
import os, pathlib, sys, tempfile
kept = pathlib.Path(sys.argv[1])
kept.parent.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory(prefix=".making-", dir=kept.parent) as home:
    os.environ.update(HOME=home, MPLCONFIGDIR=home)
    import matplotlib.font_manager
    (found,) = pathlib.Path(home).glob("fontlist-*.json")
    kept.mkdir(exist_ok=True)
    found.replace(kept / found.name)
"""


@functools.cache
def font_list() -> tuple[str, bytes] | None:
    """Give name and content of the list, if it has been made; else have it made for the next time.

    Made in the background: whoever asks first goes without.
    """
    try:
        drawing = version("matplotlib")
    except PackageNotFoundError:
        return None
    key = hashlib.sha256(f"{drawing} {sys.prefix}".encode()).hexdigest()[:16]
    kept = cache_folder() / "fonts" / key
    for file in kept.glob("fontlist-*.json"):
        return file.name, file.read_bytes()
    threading.Thread(target=_make, args=(kept,), daemon=True, name="fonts").start()
    return None


def _make(kept: Path) -> None:
    """Make it in a process of its own: nothing here shall import what draws."""
    with suppress(OSError):
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", "-c", _MAKE, str(kept)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
