import os

import pytest

from grader.sandbox.collect import collect, nothing


@pytest.fixture
def take(tmp_path):
    def take(name, most=100):
        folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return collect(folder, (name,), most)[name]
        finally:
            os.close(folder)

    return take


def test_a_plain_file_is_taken(tmp_path, take):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"bytes")

    assert take("a/b").data == b"bytes"
    assert take("a/b").problem == ""


def test_a_file_of_just_the_allowed_size_is_taken(tmp_path, take):
    (tmp_path / "a").write_bytes(b"x" * 100)

    assert take("a").data == b"x" * 100
    assert take("a", most=99).problem == "larger than 99 bytes"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make files that are others'")
def test_a_file_of_somebody_else_is_not_taken(tmp_path, take):
    (tmp_path / "a").write_bytes(b"a link to what the run may not read")
    os.chown(tmp_path / "a", 12345, 12345)

    assert take("a").problem == "not a plain file"


def test_a_giant_without_contents_is_not_read(tmp_path, take):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)

    assert take("a").problem == "larger than 100 bytes"


def test_what_grows_past_its_size_while_it_is_read_is_refused(tmp_path, take, monkeypatch):
    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr("os.read", lambda _, size: b"x" * size)

    assert take("a").data is None


def test_a_pipe_is_not_waited_for(tmp_path, take):
    os.mkfifo(tmp_path / "a")

    assert take("a").problem == "not a plain file"


def test_no_link_is_followed(tmp_path, take):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (tmp_path / "file").symlink_to(tmp_path / "outside" / "secret")
    (tmp_path / "folder").symlink_to(tmp_path / "outside")

    assert take("file").problem == "not a plain file"
    assert take("folder/secret").problem == "not a plain file"


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/../b", "/etc/passwd", "a//b", "a/"])
def test_a_name_leads_nowhere_else(take, name):
    assert take(name).problem == "not a path below the work folder"


def test_what_was_not_made_is_missing(take):
    assert take("a").problem == "missing"
    assert take("a/b").problem == "missing"
    assert nothing(("a",))["a"].problem == "missing"


def test_a_name_no_file_can_have_is_missing(take):
    assert take("a" * 5000).data is None
    assert take("a\0b").data is None
