"""Which source is used, and what is told of each."""

# ruff: noqa: ARG001 - many a fixture is asked for only to have its effect

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.datasets import KNOWN, available, load, sources
from grader.datasets.cache import Cache
from grader.errors import DataError

FETCH = Path(sources._FETCH)
HOST = "data.example"


@pytest.fixture
def named(tmp_path):
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "toy.bin").write_bytes(b"named")
    return folder


@pytest.fixture
def cached(tmp_path):
    folder = tmp_path / "keras" / "datasets"
    folder.mkdir(parents=True)
    (folder / "toy.bin").write_bytes(b"original")
    return folder


@pytest.fixture
def online(monkeypatch, tmp_path):
    """A network that gives ``toy.bin``, and a list of what was fetched."""
    fetched = []

    def fetch(name):
        fetched.append(name)
        folder = tmp_path / "keras" / "datasets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "toy.bin").write_bytes(b"fetched")
        return ""

    monkeypatch.delenv("GRADER_OFFLINE")
    monkeypatch.setattr(sources, "_reachable", lambda _host: True)
    monkeypatch.setattr(sources, "_fetch", fetch)
    return fetched


def _told(**options):
    return {offer.source: offer for offer in available(**options) if offer.name == "toy"}


def test_a_named_folder_comes_first(toy, named, cached, online):
    assert load("toy", data_dir=named).source == "directory"
    assert not online


def test_a_folder_is_named_by_the_environment_too(toy, named, cached, monkeypatch):
    monkeypatch.setenv("GRADER_DATA", str(named))

    assert load("toy").source == "directory"
    assert load("toy").description.startswith(f"Toy from {named}/toy.bin (sha256 ")


def test_a_named_folder_may_be_a_keras_home(toy, cached):
    assert load("toy", data_dir=cached.parent).source == "directory"


def test_keras_cache_comes_second(toy, tmp_path, cached, online):
    assert load("toy", data_dir=tmp_path).source == "keras-cache"
    assert not online


def test_a_download_comes_third(toy, online):
    assert load("toy").source == "download"
    assert load("toy").source == "keras-cache"
    assert online == ["toy"]


def test_the_stand_in_comes_last(toy):
    dataset = load("toy")

    assert dataset.source == "stand-in"
    assert dataset.description == "the embedded stand-in: seven numbers; not the real Toy"
    assert not dataset.verified


def test_nothing_is_downloaded_when_offline_is_asked_for(toy, online):
    assert load("toy", offline=True).source == "stand-in"
    assert not online


def test_a_download_that_fails_is_not_tried_again_at_once(toy, online, monkeypatch):
    tried = []
    monkeypatch.setattr(sources, "_fetch", lambda name: tried.append(name) or "no route")

    assert [load("toy").source for _ in range(3)] == ["stand-in"] * 3
    assert tried == ["toy"]
    assert _told()["download"].note == "failed within the last hour: no route"


def test_a_download_that_failed_is_tried_again_after_an_hour(toy, online):
    note = Cache.of_user().note("toy-download")
    note.write_text("no route")
    os.utime(note, (0, 0))

    assert load("toy").source == "download"
    assert not note.exists()


def test_what_was_fetched_but_is_damaged_is_passed_over(toy, online, monkeypatch):
    def unreadable(_files):
        raise DataError("It is damaged.")

    monkeypatch.setitem(
        sys.modules["grader.datasets.finding"].RECIPES, "toy", _with(toy, read=unreadable)
    )

    assert load("toy").source == "stand-in"
    assert _told()["keras-cache"].note == "It is damaged."


def _with(recipe, **changes):
    return type(recipe)(
        **{name: getattr(recipe, name) for name in recipe.__dataclass_fields__} | changes
    )


def test_a_named_file_that_is_damaged_is_an_error(tmp_path, cached):
    (tmp_path / "mnist.npz").write_bytes(b"PK but no zip")

    with pytest.raises(DataError, match=r"mnist\.npz cannot be read"):
        load("mnist", data_dir=tmp_path)


def test_a_named_folder_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="which --data names"):
        load("mnist", data_dir=tmp_path / "none")
    monkeypatch.setenv("GRADER_DATA", str(tmp_path / "none"))
    with pytest.raises(DataError, match="which GRADER_DATA names"):
        available()


def test_an_unknown_data_set_is_an_error_that_names_the_known():
    with pytest.raises(DataError, match=r"one of mnist, imdb, cifar10") as caught:
        load("cifar")
    assert "Received: 'cifar'" in caught.value.message
    assert KNOWN == ("mnist", "imdb", "cifar10")


def test_a_file_that_cannot_be_read_is_an_error(toy, named, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("grader.datasets.finding.sha256_of", refuse)

    with pytest.raises(DataError, match=r"cannot be read.*Permission denied"):
        load("toy", data_dir=named)


def test_equal_content_has_one_digest_whatever_its_source(toy, named, cached):
    (named / "toy.bin").write_bytes(b"original")

    assert load("toy", data_dir=named).digest == load("toy").digest
    assert load("toy", data_dir=named).served == load("toy").served


def test_keras_own_files_are_verified_and_others_are_not(toy, named, cached):
    assert load("toy").verified
    assert "verified), without toy.txt" in load("toy").description
    assert not load("toy", data_dir=named).verified
    assert "not verified" in load("toy", data_dir=named).description


def test_known_content_is_verified_in_whatever_file(toy, named, monkeypatch):
    digest = load("toy", data_dir=named).digest
    monkeypatch.setitem(
        sys.modules["grader.datasets.finding"].RECIPES,
        "toy",
        _with(toy, originals=frozenset({digest})),
    )

    assert load("toy", data_dir=named).verified


def test_it_tells_of_each_source_and_which_would_be_used(toy, named, cached):
    told = _told(data_dir=named)

    assert list(told) == ["directory", "keras-cache", "download", "stand-in"]
    assert [offer.there for offer in told.values()] == [True, True, False, True]
    assert [offer.used for offer in told.values()] == [True, False, False, False]
    assert [offer.verified for offer in told.values()] == [False, True, False, False]
    assert told["download"].note == "not tried: GRADER_OFFLINE is set"
    assert _told()["directory"].note == "no folder is named: --data DIR or GRADER_DATA"


def test_it_tells_what_is_missing(toy, tmp_path):
    assert _told(data_dir=tmp_path)["directory"].note == "no toy.bin there"
    assert _told(offline=True)["download"].note == "not tried: offline was asked for"
    assert _told()["stand-in"].used


def test_it_tells_of_a_download_without_making_it(toy, online, monkeypatch):
    assert _told()["download"].used
    assert not online
    monkeypatch.setattr(sources, "_reachable", lambda _host: False)
    assert _told()["download"].note.endswith("did not answer within 2 seconds")


def test_a_host_that_does_not_answer_is_not_reachable(monkeypatch):
    monkeypatch.setattr(sources, "_gate", lambda _host: ("127.0.0.1", 1))

    assert not sources._reachable(HOST)


def test_the_proxy_is_called_where_there_is_one(monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert sources._gate(HOST) == (HOST, 443)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert sources._gate(HOST) == ("proxy.example", 3128)
    monkeypatch.setenv("no_proxy", HOST)
    assert sources._gate(HOST) == (HOST, 443)


FAKE = """
import os, pathlib
class mnist:
    def load_data():
        home = pathlib.Path(os.environ["KERAS_HOME"]) / "datasets"
        (home / "mnist.npz").write_bytes(b"fetched")
class imdb(mnist):
    def get_word_index():
        raise OSError("URL fetch failure")
class datasets:
    mnist, imdb = mnist, imdb
"""


@pytest.fixture
def fake_keras(tmp_path, monkeypatch):
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "keras.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))


def test_the_fetching_program_lets_keras_download(fake_keras, tmp_path):
    assert sources._fetch("mnist") == ""
    assert (tmp_path / "keras" / "datasets" / "mnist.npz").read_bytes() == b"fetched"


def test_the_fetching_program_says_why_it_failed(fake_keras):
    assert sources._fetch("imdb") == "OSError: URL fetch failure"


def test_the_fetching_program_refuses_where_keras_would_go_elsewhere(fake_keras, tmp_path):
    (tmp_path / "keras").touch()

    assert "keras" in sources._fetch("mnist")


def test_the_fetching_program_knows_its_argument(fake_keras):
    done = subprocess.run(
        [sys.executable, "-P", FETCH, "cifar"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "cifar" in done.stderr


def test_a_host_that_answers_is_reachable(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(sources, "_gate", lambda _host: server.getsockname())

        assert sources._reachable(HOST)


def test_a_download_that_takes_too_long_is_given_up(fake_keras, monkeypatch):
    monkeypatch.setattr(sources, "_FETCH_S", 0.0)

    assert "timed out" in sources._fetch("mnist")
