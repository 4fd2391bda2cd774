"""The conformance list once more, as an ordinary user: what root may do hides many a fault.

Only where the tests themselves run as root. In a mount namespace of their own, folders that are
closed to others but lie above the interpreter or the tests are replaced by open ones in which
nothing but that path is left.
"""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else"),
    pytest.mark.skipif(
        not shutil.which("unshare") or not shutil.which("setpriv"), reason="util-linux is missing"
    ),
]

HERE = Path(__file__).parent
USER = "54321"


def closed_folder(path):
    """The topmost folder above a path that only its owner may enter."""
    for folder in reversed(path.resolve().parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def test_the_conformance_list_holds_for_an_ordinary_user(tmp_path):
    script = ["set -e"]
    needed = [Path(sys.base_prefix), Path(sys.prefix), HERE.parents[1]]
    for number, path in enumerate(dict.fromkeys(each.resolve() for each in needed)):
        folder = closed_folder(path)
        if folder:
            aside = tmp_path / str(number)
            aside.mkdir()
            script += [
                f"mount --bind '{path}' '{aside}'",
                f"mount -t tmpfs -o mode=0755 tmpfs '{folder}'",
                f"mkdir -p '{path}'",
                f"mount --bind '{aside}' '{path}'",
            ]
    script.append('exec "$@"')
    become = [
        "setpriv",
        "--reuid",
        USER,
        "--regid",
        USER,
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]
    tests = [
        sys.executable,
        "-m",
        "pytest",
        str(HERE / "test_conformance.py"),
        "-q",
        "--tb=short",
        "-rsx",
        "--durations=8",
    ]
    tests += ["-p", "no:cacheprovider", f"--rootdir={HERE.parents[1]}", "-m", "not keras"]
    # no file of the user's may lie about afterwards
    tests += ["--basetemp", f"/tmp/grader-as-user-{os.getpid()}"]

    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", "\n".join(script), "sh", *become, *tests],
        cwd=HERE.parents[1],
        env={"PATH": os.environ["PATH"], "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    shutil.rmtree(f"/tmp/grader-as-user-{os.getpid()}", ignore_errors=True)

    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout
