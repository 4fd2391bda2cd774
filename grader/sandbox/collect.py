"""Takes artefacts out of a work folder whose process tree is dead.

The folder was written by a hostile process. No file is looked at before it is opened, no symlink is
followed, no pipe is waited for, no size is believed; what was read once is never read again.
"""

import os
import stat
from collections.abc import Iterable, Mapping

from grader.sandbox.interface import Artefact

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CHUNK = 1 << 20


def collect(folder: int, names: Iterable[str], most: int) -> Mapping[str, Artefact]:
    """Read plain files.

    Args:
        folder: An open file descriptor of the work folder.
        names: Relative POSIX paths.
        most: Bytes of one file.

    Returns:
        An entry for each name.
    """
    return {name: _artefact(folder, name, most) for name in names}


def nothing(names: Iterable[str]) -> Mapping[str, Artefact]:
    """Give the entries of a run that never had a work folder."""
    return {name: Artefact(name=name, data=None, problem="missing") for name in names}


def _artefact(folder: int, name: str, most: int) -> Artefact:
    parts = name.split("/")
    if "\0" in name or any(part in {"", ".", ".."} for part in parts):
        return Artefact(name=name, data=None, problem="not a path below the work folder")
    opened: list[int] = []
    owner = os.fstat(folder).st_uid
    try:
        for part in parts[:-1]:
            folder = os.open(part, _FOLDER, dir_fd=folder)
            opened.append(folder)
        opened.append(os.open(parts[-1], _FILE, dir_fd=folder))
        return _read(opened[-1], name, most, owner)
    except FileNotFoundError:
        return Artefact(name=name, data=None, problem="missing")
    except OSError:  # a symlink, a socket, a folder in the way, or modes that let nobody in
        return Artefact(name=name, data=None, problem="not a plain file")
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _read(file: int, name: str, most: int, owner: int) -> Artefact:
    facts = os.fstat(file)
    too_large = Artefact(name=name, data=None, problem=f"larger than {most} bytes")
    # Somebody else's file in a run's folder is a link to what the run itself may not read.
    if not stat.S_ISREG(facts.st_mode) or facts.st_uid != owner:
        return Artefact(name=name, data=None, problem="not a plain file")
    if facts.st_size > most:
        return too_large
    data = bytearray()
    while len(data) <= most:
        chunk = os.read(file, min(_CHUNK, most + 1 - len(data)))
        if not chunk:
            return Artefact(name=name, data=bytes(data))
        data += chunk
    return too_large
