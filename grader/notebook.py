"""What a handout's last cell calls: checks the notebook that it stands in.

Runs in the student's own Jupyter, where nothing heavy may be imported: the work is done by
``grader check`` in a process of its own.
"""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

_BELONGS = re.compile(r'"grader":\s*\{\s*"assignment":')
_WANT_COLOURS = ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE")
_WORKER = "grader_worker"
"""What our programs in a sandbox are called."""


def check(*options: str, file: str | Path | None = None) -> None:
    """Run the visible checks on this notebook, as it was last saved.

    Args:
        options: More of ``grader check``, e.g. ``"--fresh"``.
        file: The notebook, where it is not found by itself.
    """
    if _WORKER in sys.modules:
        return  # it is being graded: nobody would read it, and it would never end
    found = Path(file) if file else this_notebook()
    if found is None or not found.is_file():
        print("Which notebook is this? Say it: check(file='my_notebook.ipynb')")  # noqa: T201
        return
    saved = datetime.fromtimestamp(found.stat().st_mtime)  # noqa: DTZ006 - the student's own clock
    print(f"Checking {found.name} as saved at {saved:%H:%M:%S} ...", flush=True)  # noqa: T201
    with subprocess.Popen(  # noqa: S603 - this interpreter, and our own program
        [sys.executable, "-m", "grader", "check", str(found), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=_plain_environment(),
    ) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)  # noqa: T201 - into the cell's output


def _plain_environment() -> dict[str, str]:
    """Jupyter asks every program for colours and moving bars, which a cell cannot show."""
    kept = {name: value for name, value in os.environ.items() if name not in _WANT_COLOURS}
    return kept | {"NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}


def this_notebook() -> Path | None:
    """Find the notebook whose kernel this is, or the only one here that is a handout's."""
    for told in (_told_by_vscode(), os.environ.get("JPY_SESSION_NAME", "")):
        for place in (Path(told), Path.cwd() / Path(told).name):
            if told and place.suffix == ".ipynb" and place.is_file():
                return place
    handouts = [path for path in sorted(Path.cwd().glob("*.ipynb")) if _is_handouts(path)]
    return handouts[0] if len(handouts) == 1 else None


def _told_by_vscode() -> str:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return str(getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__", ""))


def _is_handouts(path: Path) -> bool:
    try:
        text = path.read_text("utf-8")
        return bool(_BELONGS.search(text)) and isinstance(json.loads(text), dict)
    except (OSError, ValueError):
        return False
