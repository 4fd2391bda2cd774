"""Takes the defences away, one at a time, and prints which test turns red for each.

::

    python -m tests.attacks.defences [WORD]

Run by hand, from the root of the checkout; nothing is edited, each defence is missing in a process
of its own only. A defence for which nothing turned red is a row too.
"""

# ruff: noqa: T201 - it prints its table

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from without import DEFENCES, VARIABLE

SELFTEST = """
import os, sys
import without
from grader.sandbox.delegation import find_groups
from grader.sandbox.ladder import rung
(defence,) = (each for each in without.DEFENCES if each.name == os.environ[without.VARIABLE])
defence.remove()
found = rung(defence.level)
claims = found.groups == find_groups()
notices = "does not notice" if claims else "no longer says that the kernel limits"
print(notices if found.works else found.reason)
"""
FAILED = re.compile(r"^FAILED \S*?([\w]+\.py)::(\w+)(?:\[(.*?)\])?(?: |$)", re.MULTILINE)
MOST_S = 150


def main() -> None:
    """Print the table, a row as soon as it is known."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    print("| without | the self-test | the test that turned red |")
    print("|---|---|---|")
    for defence in DEFENCES:
        if wanted in defence.name:
            noticed = _selftest(defence) if defence.level else "–"
            print(f"| {defence.name} | {noticed} | {_red(defence)} |", flush=True)


def _run(defence, *command):
    with tempfile.TemporaryDirectory() as cache:
        environment = {
            **os.environ,
            VARIABLE: defence.name,
            "GRADER_CACHE": cache,
            "PYTHONPATH": f"{Path.cwd()}:{Path(__file__).parent}",
        }
        Path(cache).chmod(0o755)
        try:
            done = subprocess.run(
                [sys.executable, *command],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=MOST_S,
            )
        except subprocess.TimeoutExpired:
            return f"it took longer than {MOST_S} s"
    return done.stdout + done.stderr


def _selftest(defence):
    said = _run(defence, "-c", SELFTEST).strip().splitlines()[-1]
    found = re.search(r"from inside it was possible to (.*)", said)
    return f"possible: {found[1]}" if found else said


def _red(defence):
    said = _run(
        defence, "-m", "pytest", "-q", "-p", "without", "-p", "no:cacheprovider", *defence.tests
    )
    red = FAILED.findall(said)
    if not red:
        last = said.strip().splitlines()[-1]
        return f"**none** ({last})"
    _, test, case = red[0]
    more = f" and {len(red) - 1} more" if len(red) > 1 else ""
    return f"`{test}`{f' [{case}]' if case else ''}{more}"


if __name__ == "__main__":
    main()
