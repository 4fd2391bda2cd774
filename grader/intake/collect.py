"""Paths, folders and zips → :class:`Submission`, read but not run.

A file is one submission. A folder holds many: each notebook or script in it is one, and each
sub-folder is one student's work, with whatever lies beside the notebook. A zip is unpacked, within
bounds, and treated as the folder it holds.
"""

import io
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from grader.errors import UsageError
from grader.intake.last_cell import is_last_cell
from grader.intake.sources import (
    LARGEST_NOTEBOOK,
    MOST_CELLS,
    UnreadableError,
    read_notebook,
    read_script,
)
from grader.records import Submission
from grader.safe.inert import printable
from grader.safe.unzip import UNZIP_ERRORS

MIB = 1 << 20
LARGEST_ZIP = 500 * MIB
LARGEST_UNPACKED = 1024 * MIB
MOST_MEMBERS = 20_000
HIGHEST_RATIO = 100
LARGEST_BESIDE = 100 * MIB
USUAL_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
MOST_NAMED = 10
"""Files named in one sentence."""
LONGEST_NAME = 255
"""Bytes of one part of a path, on the usual file systems."""
LONGEST_PATH = 1024
KINDS = {".ipynb": "notebook", ".py": "script"}
_LITTER = re.compile(r"(^|/)(\.|__MACOSX|__pycache__|.*\.pyc$|Thumbs\.db$)")

Files = Mapping[str, bytes]


def collect(paths: Iterable[Path]) -> list[Submission]:
    """Read every submission below the given paths.

    Args:
        paths: Notebooks, scripts, folders or zips.

    Returns:
        One submission for each piece of work, in a stable order, with unique names. What cannot be
        read is a submission with a ``problem``.

    Raises:
        UsageError: A path is not there, or there is nothing to grade below it.
    """
    found: list[Submission] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder.")
        below = list(_below(path))
        if not below:
            raise UsageError(
                f"{path}: holds nothing to grade.",
                remedy="Expected notebooks (.ipynb) or scripts (.py), or folders or a zip of them.",
            )
        found += below
    return _with_unique_names(found)


def _below(path: Path) -> Iterator[Submission]:
    if path.suffix.lower() == ".zip":
        files, problem = _unzip(path)
        if problem:
            yield _unreadable(path.stem, str(path), "script", problem)
        else:
            yield from _grouped(files, str(path), alone=path.stem)
    elif path.is_dir():
        yield from _grouped(_read_folder(path), str(path), alone=None)
    elif path.suffix.lower() in KINDS:
        yield _read(path.stem, str(path), path.name, _read_file(path), {})
    else:
        raise UsageError(
            f"{path}: is neither a notebook (.ipynb), a script (.py), a folder nor a zip."
        )


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_NOTEBOOK + 1)
    except OSError as error:
        raise UsageError(
            f"{printable(str(path))}: cannot be read: {error.strerror}.",
            remedy="Make it readable, or move it out of the folder.",
        ) from None


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        # A link could point at anything of the instructor's.
        if not path.is_symlink() and path.is_file() and not _LITTER.search(name):
            files[name] = _read_file(path)
    return files


def _grouped(files: Files, origin: str, *, alone: str | None) -> Iterator[Submission]:
    """Top-level files are one submission each; a top-level folder is one student's."""
    if alone is not None:
        files = _without_single_root(files)
    main = _main_file(files)
    if isinstance(main, str) and "/" not in main and _candidates(files) == [main]:
        beside = {name: data for name, data in files.items() if name != main}
        yield _read(PurePosixPath(main).stem, f"{origin}/{main}", main, files[main], beside)
        return
    students: dict[str, dict[str, bytes]] = {}
    for name, data in files.items():
        head, _, rest = name.partition("/")
        if rest:
            students.setdefault(head, {})[rest] = data
        elif PurePosixPath(name).suffix.lower() in KINDS:
            student = PurePosixPath(name).stem
            yield _read(student, f"{origin}/{name}", name, data, {})
    for student, own in students.items():
        main = _main_file(own)
        place = f"{origin}/{student}"
        if isinstance(main, str):
            beside = {name: data for name, data in own.items() if name != main}
            yield _read(student, f"{place}/{main}", main, own[main], beside)
        elif main:
            names = ", ".join(main[:MOST_NAMED]) + (", …" if len(main) > MOST_NAMED else "")
            yield _unreadable(
                student,
                place,
                "notebook",
                f"there are several candidates ({names}): hand in one notebook or script",
            )
        elif alone is None:
            yield _unreadable(student, place, "notebook", "there is no notebook or script in it")


def _without_single_root(files: Files) -> Files:
    """A zip of one folder means its contents, when those are students' folders or files."""
    roots = {name.partition("/")[0] for name in files}
    if len(roots) != 1 or any("/" not in name for name in files):
        return files
    inner = {name.partition("/")[2]: data for name, data in files.items()}
    top = [name for name in _candidates(inner) if "/" not in name]
    notebooks = [name for name in top if name.endswith(".ipynb")]
    # One notebook, or one script, with whatever it needs beside it is one student's folder.
    return files if len(notebooks) == 1 or len(top) == 1 else inner


def _candidates(files: Files) -> list[str]:
    return sorted(name for name in files if PurePosixPath(name).suffix.lower() in KINDS)


def _main_file(files: Files) -> str | list[str]:
    top = [name for name in files if "/" not in name]
    for suffix in KINDS:
        candidates = sorted(name for name in top if PurePosixPath(name).suffix.lower() == suffix)
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            return candidates
    deeper = _candidates(files)
    return deeper[0] if len(deeper) == 1 else deeper


# ------------------------------------------------------------------ zips


def _unzip(path: Path) -> tuple[dict[str, bytes], str]:
    """Unpack within bounds, in memory.

    Returns:
        The files by path, and why the archive was refused (then there are no files).
    """
    if path.stat().st_size > LARGEST_ZIP:
        return {}, f"the archive is larger than {LARGEST_ZIP // MIB} MiB"
    files: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                return {}, f"the archive has more than {MOST_MEMBERS} members"
            for member in members:
                name = member.filename.replace("\\", "/")
                if problem := _bad_member(member, name):
                    return {}, problem
                if member.is_dir() or _LITTER.search(name):
                    continue
                with archive.open(member) as file:
                    # The size that the archive claims is a claim: bound the read itself.
                    data = file.read(LARGEST_NOTEBOOK + 1)
                total += len(data)
                if total > LARGEST_UNPACKED:
                    return (
                        {},
                        f"the archive unpacks to more than {LARGEST_UNPACKED // MIB} MiB",
                    )
                files[name] = data
    except UNZIP_ERRORS as error:
        return {}, f"the archive cannot be read: {error}"
    return files, ""


def _bad_member(member: zipfile.ZipInfo, name: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts:
        return "the archive holds a file without a name"
    if (
        name.startswith("/")
        or ".." in parts
        or re.match(r"[A-Za-z]:", name)
        or "\0" in member.orig_filename
    ):
        return f"the archive holds a path that leads outside of it: {printable(name)}"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"the archive holds something that is no plain file: {printable(name)}"
    if member.compress_type not in USUAL_METHODS:
        return f"the archive holds a file that is packed in an unusual way: {printable(name)}"
    if member.file_size > MIB and member.file_size > HIGHEST_RATIO * max(1, member.compress_size):
        return f"the archive holds a compression bomb: {printable(name)}"
    return ""


# ------------------------------------------------------------------ notebooks and scripts


def _read(student: str, origin: str, name: str, data: bytes, beside: Files) -> Submission:
    kind = KINDS[PurePosixPath(name).suffix.lower()]
    read = read_notebook if kind == "notebook" else read_script
    try:
        notebook = read(data)
    except UnreadableError as error:
        return _unreadable(student, origin, kind, str(error))
    notebook = {**notebook, "cells": _passing_over(notebook["cells"])}
    cells = tuple(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code")
    if not any(cell.strip() for cell in cells):
        return _unreadable(student, origin, kind, "there is no code in it")
    if len(cells) > MOST_CELLS:
        return _unreadable(student, origin, kind, f"it has more than {MOST_CELLS} cells")
    if sum(map(len, beside.values())) > LARGEST_BESIDE:
        return _unreadable(
            student,
            origin,
            kind,
            f"the files beside it are larger than {LARGEST_BESIDE // MIB} MiB",
        )
    if problem := _cannot_lie_beside(beside):
        return _unreadable(student, origin, kind, problem)
    return Submission(
        student=student,
        origin=origin,
        kind="notebook" if kind == "notebook" else "script",
        cells=cells,
        notebook=notebook,
        files=beside,
    )


def _cannot_lie_beside(beside: Files) -> str:
    """Say which file no folder could hold: an archive may have names that a disk has not."""
    folders = {str(above) for name in beside for above in PurePosixPath(name).parents}
    for name in beside:
        parts = [len(os.fsencode(part)) for part in PurePosixPath(name).parts]
        if max(parts, default=0) > LONGEST_NAME or sum(parts) + len(parts) > LONGEST_PATH:
            return f"a file beside it has too long a name: {printable(name[:40])}…"
        if str(PurePosixPath(name)) in folders:
            return f"beside it lies a file that is a folder as well: {printable(name)}"
    return ""


def _passing_over(cells: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Drop a handout's last cell; where others follow it, keep its number and empty it."""
    kept: list[Mapping[str, Any]] = []
    for cell in reversed(cells):
        ours = cell["cell_type"] == "code" and is_last_cell(cell["source"])
        if not ours:
            kept.append(cell)
        elif any(behind["cell_type"] == "code" for behind in kept):
            kept.append({**cell, "source": ""})
    return kept[::-1]


def _unreadable(student: str, origin: str, kind: str, problem: str) -> Submission:
    return Submission(
        student=student,
        origin=origin,
        kind="notebook" if kind == "notebook" else "script",
        problem=problem,
    )


# ------------------------------------------------------------------ names


def _with_unique_names(found: list[Submission]) -> list[Submission]:
    """Names that are safe for folders and differ even where case does not count."""
    taken: set[str] = set()
    named = []
    for submission in found:
        base = safe_name(submission.student)
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        named.append(replace(submission, student=name))
    return named


def safe_name(text: str) -> str:
    """A folder name of letters, digits, ``-``, ``_``, ``.`` and blanks; never empty or hidden."""
    name = unicodedata.normalize("NFC", text)
    name = re.sub(r"[^\w\-. ]+", "_", name).strip(". ")[:100]
    return name or "unnamed"
