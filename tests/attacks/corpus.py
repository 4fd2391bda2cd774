"""The attacks: each a student's script or notebook in ``programs/``, told apart by its first lines.

``#: row`` is its row in the list of threats, ``says`` what it attempts, ``control`` how it is shown
to succeed where nothing stands in its way (``why`` says why it cannot be shown), ``ending`` how its
run may end, ``earns`` the checks it passes all the same, ``twice`` that it is handed in twice,
``notebook`` that it is a notebook, with a cell for each ``# %%``.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
CANARY = r"canary-[a-z]+-[0-9a-f]{32}"
PRELUDE = """\
NAME, TOKEN, CANARY, WORLD = {name!r}, {token!r}, {canary!r}, {world!r}
def _says(word, what):
    import os
    os.write(1, "-".join([word, NAME, TOKEN]).encode() + b" " + str(what).encode() + b"\\n")
    print("-".join([word, NAME, TOKEN]), what)
def won(what=""): _says("SUCCEEDED", what)
def claims(value): _says("CLAIMED", value)
"""
CLAIM = "accuracy: 0.9925 (99 %)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One of them."""

    name: str
    folder: Path | None
    source: str
    row: int
    says: str
    control: str = ""
    why: str = ""
    ending: tuple[str, ...] = ("finished", "raised")
    earns: tuple[str, ...] = ()
    twice: bool = False
    notebook: bool = False

    @property
    def students(self) -> tuple[str, ...]:
        """Who hands it in."""
        return (self.name, f"{self.name}-again") if self.twice else (self.name,)

    def hand_in(self, student: str, folder: Path, token: str, world: Mapping[str, object]) -> Path:
        """Write it, as this student would; gives the file that is run."""
        folder.mkdir(parents=True)
        prelude = PRELUDE.format(
            name=self.name, token=token, canary=CANARY, world={**world, "student": student}
        )
        for file in self.folder.iterdir() if self.folder else ():
            if file.is_file() and file.name != "work.py":
                text = file.read_text("utf-8").replace("@NAME@", self.name)
                name = file.name.removesuffix(".txt")  # which keeps pytest from taking it for ours
                (folder / name).write_text(text.replace("@TOKEN@", token), "utf-8")
        if not self.notebook:
            work = folder / "work.py"
            work.write_text(prelude + self.source, "utf-8")
            return work
        cells = [prelude, *self.source.split("# %%\n")]
        claim = {"output_type": "stream", "name": "stdout", "text": CLAIM}
        code = [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {},
                "execution_count": 1,
                "outputs": [claim],
                "source": cell,
            }
            for number, cell in enumerate(cells)
        ]
        work = folder / "work.ipynb"
        work.write_text(
            json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8"
        )
        return work


def _read(path: Path) -> Attack:
    file = path / "work.py" if path.is_dir() else path
    lines = file.read_text("utf-8").splitlines(keepends=True)
    head = "".join(line[3:] for line in lines if line.startswith("#: "))
    return Attack(
        name=path.stem,
        folder=path if path.is_dir() else None,
        source="".join(line for line in lines if not line.startswith("#: ")),
        **{
            key: tuple(value) if isinstance(value, list) else value
            for key, value in tomllib.loads(head).items()
        },
    )


ATTACKS = tuple(_read(path) for path in sorted(PROGRAMS.iterdir()) if path.name != "__pycache__")
