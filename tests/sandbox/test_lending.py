"""What a rung of users lends to a run, and what it clears away behind one."""

import os
import subprocess
import sys

import pytest

from grader.sandbox.leftovers import cleared, strewn
from grader.sandbox.lending import closed_part, lent
from grader.sandbox.users import own_user

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can lend to other users")

_READ = """
import os, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
try:
    print(open(sys.argv[2]).read(), end="")
except PermissionError:
    print("refused", end="")
"""


def read_as(user, path):
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _READ, str(user), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


@pytest.fixture
def treasure(reachable):
    """A file in folders of our own, which only we may enter."""
    closed = reachable / "closed"
    (closed / "data" / "deep").mkdir(parents=True)
    closed.chmod(0o700)
    file = closed / "data" / "deep" / "file"
    file.write_text("lent")
    return file


@needs_root
@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_what_is_closed_is_lent_to_one_user_alone(treasure, mode):
    treasure.chmod(mode)
    with own_user() as borrower, own_user() as other:
        with lent({"data": treasure.parents[1]}, borrower) as places:
            shown = places["data"] / "deep" / "file"

            assert read_as(borrower, shown) == "lent"
            assert read_as(other, shown) == "refused"
            assert read_as(borrower, treasure) == "refused"
        assert not shown.exists()
    assert treasure.read_text() == "lent"
    assert treasure.stat().st_mode & 0o777 == mode


@needs_root
def test_what_everybody_may_read_is_shown_where_it_lies(reachable):
    (reachable / "data").mkdir()
    with own_user() as user, lent({"data": reachable / "data"}, user) as places:
        assert places == {"data": reachable / "data"}


def test_the_part_that_is_closed_is_named(treasure):
    closed = treasure.parents[2]

    assert closed_part(treasure) == closed
    closed.chmod(0o711)
    assert closed_part(treasure) is None
    treasure.chmod(0o600)
    assert closed_part(treasure) == treasure


def test_what_a_user_left_in_open_folders_is_removed(reachable, monkeypatch):
    monkeypatch.setattr("grader.sandbox.leftovers.open_folders", lambda: {reachable})
    (reachable / "before").write_text("of an earlier run")
    with cleared(os.getuid()):
        assert not (reachable / "before").exists()
        (reachable / "link").symlink_to(reachable.parent)
        (reachable / "folder" / "deep").mkdir(parents=True)
        (reachable / "folder" / "deep" / "file").write_text("x")
        (reachable / "folder" / "deep").chmod(0)
        (reachable / "grader-box-by-name-only").mkdir()
        (reachable / "box").mkdir()
        found = {entry.name for entry in strewn(os.getuid(), reachable / "box")}
        assert found == {"link", "folder", "grader-box-by-name-only"}

    assert list(reachable.iterdir()) == []


def test_what_belongs_to_others_stays(reachable, monkeypatch):
    monkeypatch.setattr("grader.sandbox.leftovers.open_folders", lambda: {reachable})
    (reachable / "file").write_text("x")
    with cleared(os.getuid() + 1):
        pass

    assert (reachable / "file").exists()
