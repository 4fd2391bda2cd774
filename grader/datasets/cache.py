"""The cache of data sets taken apart: made once, checked at every use.

``<cache>/sets/<digest>/`` holds one data set in three folders and a manifest::

    a/              served to students: the files of Keras' cache
    b/              held-out inputs, for the judge
    c/              held-out labels, for the host alone (mode 0700)
    manifest.json   size, time and SHA-256 of each file, and facts (mode 0600)

The folders have no telling names because their paths may show inside a sandbox. A data set is
written beside its place and renamed into it, so that a reader sees all of it or none, and of
two processes that make the same one the second throws its copy away. ``<cache>/seen/`` remembers
which content a source has, so that a source that was read before need only be hashed.
MNIST takes 60 MB, IMDb 52 MB, CIFAR-10 215 MB; nothing is compressed, because it is read at every
run.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from grader.datasets.arrays import Arrays, digest_of, sha256_of
from grader.datasets.recipe import Layout, Recipe
from grader.errors import DataError
from grader.folders import cache_folder

FORMAT = 1
"""Raised whenever a file in the cache is written in another way."""

_OPEN, _CLOSED = 0o755, 0o700
_MANIFEST = "manifest.json"
_ABANDONED_S = 3600.0
"""No build takes an hour: an older temporary folder belongs to a process that was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One data set in the cache."""

    name: str
    """Which data set."""
    digest: str
    """The hash of its content."""
    folder: Path
    """Where it lies."""
    facts: Mapping[str, float]
    """Facts of its training inputs."""
    files: Mapping[str, Mapping[str, Any]]
    """``bytes``, ``mtime_ns`` and ``sha256`` of each file, by its path in the folder."""

    @property
    def layout(self) -> Layout:
        """The three folders."""
        return _layout(self.folder)

    @property
    def served_sha256(self) -> tuple[str, ...]:
        """The hashes of the files served to students."""
        return tuple(
            str(file["sha256"]) for path, file in self.files.items() if path.startswith("a/")
        )

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read an entry's manifest.

        Raises:
            ValueError: There is none, or it is damaged.
        """
        try:
            found = json.loads((folder / _MANIFEST).read_text("utf-8"))
            return cls(
                name=str(found["name"]),
                digest=str(found["digest"]),
                folder=folder,
                facts={str(k): float(v) for k, v in found["facts"].items()},
                files={str(k): dict(v) for k, v in found["files"].items()},
            )
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{_MANIFEST} is missing or damaged ({error})") from error

    def problems(self, *, thorough: bool) -> list[str]:
        """Compare the files with the manifest.

        Args:
            thorough: Hash every file, whatever its size and time say.

        Returns:
            A sentence for each file that differs.
        """
        found = []
        for path, known in self.files.items():
            file = self.folder / path
            try:
                state = file.stat()
                if state.st_size != known["bytes"]:
                    found.append(f"{file} has {state.st_size} bytes, not {known['bytes']}.")
                    continue
                if not thorough and state.st_mtime_ns == known["mtime_ns"]:
                    continue
                if sha256_of(file) != known["sha256"]:
                    found.append(f"{file} is not what was written: its hash differs.")
                elif state.st_mtime_ns != known["mtime_ns"]:
                    # Copied or touched, but sound: the next look need not hash it again.
                    with contextlib.suppress(OSError):
                        os.utime(file, ns=(state.st_atime_ns, known["mtime_ns"]))
            except (OSError, KeyError) as error:
                found.append(f"{file} cannot be checked: {error}.")
        return found

    def disown(self) -> None:
        """Take the manifest away, so that the entry is made anew when it is next wanted."""
        with contextlib.suppress(OSError):
            (self.folder / _MANIFEST).unlink()


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder of all entries."""

    folder: Path
    """See :func:`grader.folders.cache_folder`."""

    @classmethod
    def of_user(cls) -> Self:
        """Give the cache of this user."""
        return cls(cache_folder())

    def find(self, key: str) -> Entry | None:
        """Give the sound entry of a source that was read before.

        Args:
            key: What tells the source from all others.

        Returns:
            The entry, or nothing where it has to be made (again).
        """
        digest = self.digest_seen(key)
        return self._sound(digest) if digest else None

    def digest_seen(self, key: str) -> str | None:
        """Give the digest of a source's content, where the source was read before."""
        with contextlib.suppress(OSError, ValueError):
            digest = (self.folder / "seen" / key).read_text("ascii").strip()
            if digest.isalnum():
                return digest
        return None

    def entries(self) -> list[Path]:
        """Give the folders of all entries, sound or not."""
        sets = self.folder / "sets"
        return sorted(sets.glob("[!.]*")) if sets.is_dir() else []

    def store(self, key: str, recipe: Recipe, content: Arrays) -> Entry:
        """Take a data set apart into the cache, unless it is there.

        Args:
            key: What tells its source from all others.
            recipe: How it is taken apart.
            content: The data set.

        Returns:
            Its entry.

        Raises:
            DataError: The cache cannot be written.
        """
        digest = digest_of(content)
        try:
            entry = self._sound(digest) or self._build(digest, recipe, content)
            self._remember(key, digest)
        except OSError as error:
            raise DataError(
                f"The data cache {self.folder} cannot be written: {error}.",
                remedy="Name a writable folder with some 200 MB of room in GRADER_CACHE.",
            ) from error
        return entry

    def note(self, name: str) -> Path:
        """Give the path of a small note to ourselves; its folder exists."""
        return self._made("notes") / name

    def _sound(self, digest: str) -> Entry | None:
        with contextlib.suppress(ValueError):
            entry = Entry.read(self._place(digest))
            if entry.digest == digest and not entry.problems(thorough=False):
                return entry
        return None

    def _place(self, digest: str) -> Path:
        return self.folder / "sets" / f"{digest[:32]}-{FORMAT}"

    def _build(self, digest: str, recipe: Recipe, content: Arrays) -> Entry:
        """Make an entry, or make it anew.

        Raises:
            DataError: It could be written, but not read back.
            OSError: It could not be written.
        """
        place = self._place(digest)
        with self._alone(), self._beside() as folder:
            # Another process may have made it while this one waited.
            if entry := self._sound(digest):
                return entry
            layout = _layout(folder)
            for part in (layout.served, layout.held_out, layout.labels):
                part.mkdir()
                part.chmod(_OPEN if part == layout.served else _CLOSED)
            facts = recipe.lay_out(content, layout)
            _write_manifest(folder, recipe.name, digest, facts)
            folder.chmod(_OPEN)
            with contextlib.suppress(FileNotFoundError), self._beside() as trash:
                place.rename(trash / "damaged")
            folder.rename(place)
            if entry := self._sound(digest):
                return entry
        raise DataError(
            f"What was written to {place} did not come back the same.",
            remedy="Look after the disk, or name another folder in GRADER_CACHE.",
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process builds; the lock ends with its process."""
        lock = self._made("sets").parent / "lock"
        with lock.open("w") as stream:
            # Some network file systems know no locks; then two may build at once, and the
            # later one's rename fails or wins.
            with contextlib.suppress(OSError):
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _beside(self) -> Iterator[Path]:
        """Give a temporary folder on the same disk, and clear it and its forerunners away."""
        sets = self._made("sets")
        for old in sets.glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > _ABANDONED_S:
                    shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=".", dir=sets))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _made(self, name: str) -> Path:
        """Make a folder of the cache that a sandbox's unprivileged user can pass through."""
        folder = self.folder / name
        for made in (self.folder, folder):
            if not made.is_dir():
                made.mkdir(parents=True, exist_ok=True)
                made.chmod(_OPEN)
        return folder

    def _remember(self, key: str, digest: str) -> None:
        place = self._made("seen") / key
        handle, name = tempfile.mkstemp(prefix=".", dir=place.parent)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(f"{digest}\n")
        Path(name).replace(place)


def _layout(folder: Path) -> Layout:
    return Layout(served=folder / "a", held_out=folder / "b", labels=folder / "c")


def _write_manifest(folder: Path, name: str, digest: str, facts: Mapping[str, float]) -> None:
    files = {}
    served = _layout(folder).served
    for path in sorted(folder.glob("*/**/*")):
        if path.is_dir():
            path.chmod(_OPEN)
            continue
        path.chmod(0o644 if path.is_relative_to(served) else 0o600)
        state = path.stat()
        files[path.relative_to(folder).as_posix()] = {
            "bytes": state.st_size,
            "mtime_ns": state.st_mtime_ns,
            "sha256": sha256_of(path),
        }
    manifest = folder / _MANIFEST
    manifest.write_text(
        json.dumps(
            {"name": name, "digest": digest, "facts": dict(facts), "files": files},
            indent=1,
        ),
        "utf-8",
    )
    manifest.chmod(0o600)
