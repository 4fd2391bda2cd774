"""Where data sets lie: folders, Keras' cache, and Keras' download.

Names of data sets come in, paths of files go out. Nothing is read here but hashes.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

from grader.datasets.cache import Cache
from grader.datasets.recipe import Files, Recipe
from grader.errors import DataError

_FETCH = Path(__file__).parents[1] / "worker" / "fetch.py"
_PROBE_S = 2.0
_FETCH_S = 600.0
_PAUSE_S = 3600.0
"""A download that failed is not tried again for an hour: each try costs seconds."""


def named_folder(data_dir: Path | None) -> Path | None:
    """Give the folder a person named: the argument, or else ``GRADER_DATA``.

    Raises:
        DataError: It is named and not there.
    """
    named = data_dir or os.environ.get("GRADER_DATA") or None
    if named is None:
        return None
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        whence = "--data" if data_dir else "GRADER_DATA"
        raise DataError(
            f"There is no folder {folder}, which {whence} names.",
            remedy="Name a folder with files such as mnist.npz, or name none.",
        )
    return folder


def keras_cache() -> Path:
    """Give the folder in which Keras keeps data sets: ``$KERAS_HOME`` or ``~/.keras``."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser().absolute() / "datasets"


def in_folder(recipe: Recipe, folder: Path) -> Files | None:
    """Find the files of a data set in a folder, or in ``datasets`` in it.

    Returns:
        The paths of its files by Keras' names, or nothing when one is missing.
    """
    for place in (folder, folder / "datasets"):
        if recipe.find:
            if files := recipe.find(place):
                return files
        elif all((place / name).is_file() for name in recipe.files):
            names = (*recipe.files, *recipe.extras)
            return {name: place / name for name in names if (place / name).is_file()}
    return None


def why_no_download(recipe: Recipe, cache: Cache, *, offline: bool) -> str:
    """Say why no download would be tried now.

    Returns:
        The reason, or nothing where one would be tried.
    """
    if offline:
        return "not tried: offline was asked for"
    if os.environ.get("GRADER_OFFLINE"):
        return "not tried: GRADER_OFFLINE is set"
    with contextlib.suppress(OSError):
        note = cache.note(f"{recipe.name}-download")
        if time.time() - note.stat().st_mtime < _PAUSE_S:
            return f"failed within the last hour: {note.read_text('utf-8')}"
    if not _reachable(recipe.host):
        return f"{recipe.host} did not answer within {_PROBE_S:.0f} seconds"
    return ""


def download(recipe: Recipe, cache: Cache) -> Files | None:
    """Let Keras download a data set into its cache, in a process of its own.

    Returns:
        Its files there, or nothing; then the reason is noted for an hour.
    """
    failure = _fetch(recipe.name)
    found = in_folder(recipe, keras_cache())
    with contextlib.suppress(OSError):
        note = cache.note(f"{recipe.name}-download")
        if found is None:
            note.write_text(failure or f"no files in {keras_cache()}", "utf-8")
        else:
            note.unlink(missing_ok=True)
    return found


def _fetch(name: str) -> str:
    """Run the program that downloads; give the last line of its complaint."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(  # noqa: S603 - our own program and one of our own names
            [sys.executable, "-P", str(_FETCH), name],
            env=os.environ | quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_FETCH_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()
    return said[-1] if said else f"exit status {done.returncode}"


def _reachable(host: str) -> bool:
    """Tell whether a download stands a chance: the host, or its proxy, takes a call.

    In a thread, because looking up a name obeys no time limit.
    """
    answered = threading.Event()

    def call() -> None:
        with (
            contextlib.suppress(OSError, ValueError),
            socket.create_connection(_gate(host), timeout=_PROBE_S),
        ):
            answered.set()

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(_PROBE_S)
    return answered.is_set()


def _gate(host: str) -> tuple[str, int]:
    """Give the host and port that a download would call first."""
    proxy = urllib.request.getproxies().get("https")
    if proxy is None or urllib.request.proxy_bypass(host):
        return host, 443
    address = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return address.hostname or host, address.port or 443
