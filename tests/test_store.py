import contextlib
import errno
import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import grader.cli.store
from grader.errors import StoreError
from grader.report.shelf import size_words
from grader.store import Store, default_folder, faults, index, travel
from grader.store.blobs import Blobs

LONG_AGO = time.time() - 7200


def key(number):
    return hashlib.sha256(f"key {number}".encode()).hexdigest()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def put(store, number, **changes):
    given_ = {
        "kind": "run",
        "facts": json.dumps({"number": number}).encode(),
        "blobs": {"model": b"model %d" % number, "log": b"shared by all"},
        "about": {"student": f"student-{number}", "assignment": "mnist_softmax"},
    }
    return store.put(key(number), **(given_ | changes))


def blob_of(store, data):
    return store.folder / "blobs" / sha(data)[:2] / sha(data)


def of_sqlite(code):
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


def spoil(path, data):
    path.write_bytes(data)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "evidence") as opened:
        yield opened


# ------------------------------------------------------------------ putting and getting

texts = st.text(max_size=8) | st.sampled_from(["\ud800", "a\x00b", "../x", ""])


@settings(max_examples=25, deadline=None)
@given(
    puts=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["run", "judgement"]),
            st.binary(max_size=50),
            st.dictionaries(texts, st.sampled_from([b"", b"one", b"two"]) | st.binary(max_size=20)),
            st.dictionaries(texts, texts),
        ),
        max_size=6,
    )
)
def test_what_was_put_comes_back_and_the_last_writer_wins(puts):
    with tempfile.TemporaryDirectory() as folder:
        last = {}
        with Store(Path(folder) / "s") as store:
            for number, kind, facts, blobs, about in puts:
                store.put(key(number), kind=kind, facts=facts, blobs=blobs, about=about)
                last[key(number)] = (kind, facts, blobs, about)
        with Store(Path(folder) / "s") as store:
            found = store.get_many([key(number) for number in range(4)])
            assert {
                name: (
                    entry.kind,
                    entry.facts,
                    {part: store.blob(hashed) for part, hashed in entry.blobs.items()},
                    dict(entry.about),
                )
                for name, entry in found.items()
            } == last
            assert {entry.key for entry in store.entries()} == set(last)
            assert not [problem for problem in store.verify() if not problem.sweepable]


def test_an_entry_says_when_it_was_made_and_how_large_it_is(store):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    entry = put(store, 1, facts=b"12345", blobs={"a": b"123", "b": b"123", "c": b""})
    assert before <= entry.made <= datetime.now(UTC)
    assert entry.made.tzinfo is UTC
    assert entry.size == 8
    assert store.get(key(1)) == entry


def test_to_put_the_same_again_renews_its_time_and_nothing_else(store):
    first = put(store, 1)
    again = put(store, 1)
    assert again.made > first.made
    assert replace(again, made=first.made) == first
    assert [entry.key for entry in store.entries()] == [key(1)]
    changed = put(store, 1, facts=b"{}")
    assert changed.made > first.made


def test_what_is_not_there_is_none(store):
    assert store.get(key(1)) is None
    assert store.get("no key at all") is None
    assert store.get_many([]) == {}
    with pytest.raises(StoreError, match="missing"):
        store.blob(sha(b"nothing"))
    with pytest.raises(StoreError):
        store.blob("../../etc/passwd")


@pytest.mark.parametrize("wrong", [{"key": "abc"}, {"kind": "two words"}, {"key": key(1).upper()}])
def test_a_key_is_a_hash_and_a_kind_a_word(store, wrong):
    given_ = {"key": key(1), "kind": "run"} | wrong
    with pytest.raises(ValueError, match="no 64 hex digits"):
        store.put(given_.pop("key"), facts=b"", blobs={}, **given_)


def test_entries_come_newest_first_over_many_pages(store):
    for number in range(230):
        put(store, number, blobs={})
    assert [entry.key for entry in store.entries()] == [key(n) for n in reversed(range(230))]


def test_many_are_found_by_one_look(store):
    facts = json.dumps({"cells": ["output"] * 1000}).encode()
    for number in range(1000):
        put(store, number, facts=facts, blobs={"a": b"%d" % (number % 10), "b": b"b"})
    keys = [key(number) for number in range(1000)]
    began = time.perf_counter()
    found = store.get_many([*keys, key(-1)])
    print(f"get_many of 1,000: {1000 * (time.perf_counter() - began):.0f} ms")  # noqa: T201 - a measure
    assert list(found) == keys


def test_threads_share_a_store(store):
    def work(first):
        for number in range(first, first + 20):
            put(store, number)
            assert store.get(key(number))

    threads = [threading.Thread(target=work, args=(10 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.entries())) == 50
    assert list(store.verify()) == []


# ------------------------------------------------------------------ several processes, their end

CHILD = """
import hashlib, os, sys
from pathlib import Path
from grader.store import Store

folder, first, number, large = Path(sys.argv[1]), *map(int, sys.argv[2:5])
with Store(folder) as store:
    for n in range(first, first + number):
        word = b"%d" % n
        key = hashlib.sha256(b"key " + word).hexdigest()
        blobs = {"model": word * large, "log": b"shared by all", "empty": b""}
        store.put(key, kind="run", facts=b'{"n": %s}' % word, blobs=blobs, about={"student": "x"})
        twice = b'{"twice": %s}' % word
        store.put("0" * 64, kind="run", facts=twice, blobs={"twice": twice}, about={})
        os.write(1, key.encode() + b"\\n")
"""


def child(folder, first, number=10**6, large=1):
    argv = [sys.executable, "-c", CHILD, *map(str, (folder, first, number, large))]
    return subprocess.Popen(argv, stdout=subprocess.PIPE)


def intact(store, keys):
    """All these entries are there, with every byte of their blobs."""
    found = store.get_many(keys)
    assert set(found) == set(keys)
    for entry in found.values():
        for hashed in entry.blobs.values():
            store.blob(hashed)


def test_processes_put_at_once(tmp_path):
    folder = tmp_path / "evidence"
    children = [child(folder, first, 40) for first in (0, 20, 40)]
    said = [process.communicate()[0].decode().split() for process in children]
    assert [process.returncode for process in children] == [0, 0, 0]
    with Store(folder) as store:
        intact(store, [each for keys in said for each in keys])
        assert len(list(store.entries())) == 81
        assert not [problem for problem in store.verify() if not problem.sweepable]


def test_whatever_was_put_survives_the_end_of_the_process_at_any_moment(tmp_path):
    folder = tmp_path / "evidence"
    chance = random.Random(20)
    acknowledged = []
    for number in range(40):
        with child(folder, 1000 * number, large=chance.choice([1, 1000, 100_000])) as process:
            # Sometimes while it opens the store, mostly while it puts.
            if number % 5:
                acknowledged.append(process.stdout.readline().decode().strip())
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().decode()
        acknowledged += rest.split("\n")[:-1]
        with Store(folder) as store:
            intact(store, acknowledged)
            assert [problem for problem in store.verify() if not problem.sweepable] == []
            for path in folder.glob("blobs/*/[!.]*"):
                assert sha(path.read_bytes()) == path.name
            twice = store.get("0" * 64)
            assert twice is None or store.blob(twice.blobs["twice"]) == twice.facts
    for path in folder.glob("blobs/*/*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    with Store(folder) as store:
        store.prune()
        assert list(store.verify()) == []
        intact(store, acknowledged)


FULL = """
import os, sys
from pathlib import Path
from grader.errors import StoreError
from grader.store import Store

folder, size = Path(sys.argv[1]), int(sys.argv[2])
kept = []
(folder / "others").write_bytes(bytes(2_000_000))
with Store(folder / "evidence") as store:
    while True:
        key = "%064x" % len(kept)
        try:
            store.put(key, kind="run", facts=os.urandom(2000), blobs={
                "small": os.urandom(100), "large": os.urandom(size)}, about={})
        except StoreError as error:
            assert "no space" in str(error), error
            break
        kept.append(key)
    assert kept
    assert not store.get(key)
    found = store.get_many(kept)
    assert list(found) == kept
    for entry in found.values():
        for blob in entry.blobs.values():
            store.blob(blob)
    assert list(store.verify()) == [], list(store.verify())
    assert len(list(folder.glob("evidence/blobs/*/*"))) == 2 * len(kept)
    (folder / "others").unlink()
    pruned = store.prune(keep_bytes=size)
    assert pruned.entries
    store.put(key, kind="run", facts=b"", blobs={"large": os.urandom(size)}, about={})
print(len(kept))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("size", [200, 20_000, 700_000])
def test_a_full_disk_costs_only_what_was_being_put(tmp_path, size):
    if not shutil.which("unshare"):
        pytest.skip("util-linux is missing")
    mounted = f"mount -t tmpfs -o size=8m,mode=0700 tmpfs '{tmp_path}' && exec \"$@\""
    subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            mounted,
            "sh",
            sys.executable,
            "-c",
            FULL,
            tmp_path,
            str(size),
        ],
        check=True,
    )


LIMITED = """
import os, resource, sys
from pathlib import Path
from grader.errors import StoreError
from grader.store import Store

with Store(Path(sys.argv[1])) as store:
    store.put("0" * 64, kind="run", facts=b"{}", blobs={"a": b"a"}, about={})
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        blobs = {"a": b"b", "large": bytes(10**6)}
        store.put("1" * 64, kind="run", facts=b"", blobs=blobs, about={})
    except StoreError as error:
        assert "no space" in str(error), error
    else:
        raise SystemExit("it was put")
    assert [entry.key for entry in store.entries()] == ["0" * 64]
    assert list(store.verify()) == []
"""


def test_a_file_that_cannot_grow_leaves_nothing_behind(tmp_path):
    subprocess.run([sys.executable, "-c", LIMITED, tmp_path / "s"], check=True)


# ------------------------------------------------------------------ damage


def test_the_folder_is_its_owners_alone(store):
    put(store, 1)
    assert store.folder.stat().st_mode & 0o777 == 0o700
    for path in store.folder.rglob("*"):
        assert not path.stat().st_mode & 0o077, path
    store.folder.chmod(0o755)
    (problem,) = store.verify()
    assert "mode 755" in problem.what
    assert "chmod 700" in problem.remedy


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        Store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "spoilt", [b"no database", b"SQLite format 3\0" + b"x" * 500, b"\0" * 9000, b""]
)
def test_a_damaged_index_is_a_sentence_with_a_remedy(tmp_path, spoilt):
    with Store(tmp_path / "e") as store:
        put(store, 1)
    spoil(tmp_path / "e" / "index.sqlite", spoilt)
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "e")
    assert "damaged" in str(caught.value)
    assert f"mv {tmp_path}/e {tmp_path}/e.damaged" in caught.value.remedy
    (tmp_path / "e").rename(tmp_path / "e.damaged")
    with Store(tmp_path / "e") as store:
        assert put(store, 1)


def test_a_damaged_index_is_never_a_traceback_and_never_a_wrong_fact(tmp_path):
    with Store(tmp_path / "whole") as store:
        for number in range(60):
            put(store, number, facts=os.urandom(3000), blobs={})
        expected = {entry.key: entry.facts for entry in store.entries()}
    whole = (tmp_path / "whole" / "index.sqlite").read_bytes()
    chance = random.Random(20)
    healthy = 0
    for number in range(60):
        folder = tmp_path / str(number)
        folder.mkdir(mode=0o700)
        if number % 2:
            spoilt = whole[: chance.randrange(1, len(whole))]
        else:
            place = chance.randrange(len(whole))
            spoilt = whole[:place] + os.urandom(100) + whole[place + 100 :]
        spoil(folder / "index.sqlite", spoilt)
        with contextlib.suppress(StoreError), Store(folder) as store:
            healthy += not list(store.verify())
            with contextlib.suppress(StoreError):
                # What is given is true: damage may hide an entry, but never change one.
                for name, entry in store.get_many(list(expected)).items():
                    assert entry.facts == expected[name]
            with contextlib.suppress(StoreError):
                list(store.entries())
            store.prune(damaged=True)
    # Only where the damage fell on bytes that mean nothing: pages have gaps.
    assert healthy < 30


def test_where_machines_share_a_folder_the_index_does_without_their_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "_is_shared", lambda _: True)
    with Store(tmp_path / "e") as store, Store(tmp_path / "e") as other:
        assert store._index.read("PRAGMA journal_mode") == [("delete",)]
        put(store, 1)
        put(other, 2)
        intact(store, [key(1), key(2)])
        assert not (store.folder / "index.sqlite-wal").exists()
        assert list(store.verify()) == []


def test_kinds_of_file_systems_are_known_by_the_kernels_own_list(tmp_path, monkeypatch):
    assert not index._is_shared(tmp_path)
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for kind, shared in (("nfs4", True), ("fuse.sshfs", True), ("ext4", False)):
        line = f"36 35 {number} / /home rw,noatime shared:1 - {kind} server:/home rw\n"
        monkeypatch.setattr(Path, "read_text", lambda *_, line=line: line)
        assert index._is_shared(tmp_path) is shared


def test_a_store_that_is_not_let_go_of_is_a_sentence(store, monkeypatch):
    monkeypatch.setattr(index, "_PATIENCE_S", 0.05)
    with (store.folder / "lock").open("r") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="in use"):
            put(store, 1)
    assert store.get(key(1)) is None
    assert all(problem.sweepable for problem in store.verify())
    assert put(store, 1)


def test_a_file_system_without_locks_will_do(store, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    put(store, 1)
    intact(store, [key(1)])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, ""), "no space"),
        (OSError(errno.EDQUOT, ""), "no space"),
        (OSError(errno.EACCES, ""), "not yours"),
        (OSError(errno.EROFS, ""), "not yours"),
        (OSError(errno.EIO, ""), "cannot be read or written"),
        (of_sqlite(sqlite3.SQLITE_FULL), "no space"),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), "in use"),
        (of_sqlite(sqlite3.SQLITE_READONLY_DIRECTORY), "not yours"),
        (of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), "cannot be read or written"),
        (of_sqlite(sqlite3.SQLITE_CORRUPT_INDEX), "damaged"),
    ],
)
def test_each_fault_has_its_sentence_and_its_remedy(tmp_path, error, says):
    with pytest.raises(StoreError, match=says) as caught, faults.told(tmp_path):
        raise error
    assert caught.value.remedy


def test_an_input_output_error_on_a_full_disk_is_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "_LITTLE", 1 << 70)
    with pytest.raises(StoreError, match="no space"), faults.told(tmp_path):
        raise of_sqlite(sqlite3.SQLITE_IOERR_SHMSIZE)


def test_a_closed_store_can_be_closed_again(store):
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.get(key(1))


def test_a_newer_store_is_left_alone(tmp_path):
    Store(tmp_path / "e").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "e" / "index.sqlite")) as connection:
        connection.execute("PRAGMA user_version=2")
    with pytest.raises(StoreError, match="newer grader") as caught:
        Store(tmp_path / "e")
    assert "Update" in caught.value.remedy


def test_somebody_elses_database_is_left_alone(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="another program"):
        Store(tmp_path)


@pytest.mark.parametrize("damage", ["other bytes", "cut", "gone"])
def test_a_damaged_blob_is_told_and_made_anew(store, damage):
    put(store, 1)
    put(store, 2)
    path = blob_of(store, b"model 1")
    data = {"other bytes": b"MODEL 1", "cut": b"mod"}.get(damage)
    path.unlink()
    if data:
        spoil(path, data)
    with pytest.raises(StoreError, match=r"missing|damaged"):
        store.blob(sha(b"model 1"))
    assert damage == "other bytes" or store.get(key(1)) is None
    (problem,) = store.verify()
    assert path.name in problem.what
    assert key(1)[:12] in problem.what
    assert "prune --damaged" in problem.remedy
    put(store, 1)
    assert store.blob(sha(b"model 1")) == b"model 1"
    assert list(store.verify()) == []


def test_a_changed_row_is_as_if_it_were_not_there(store):
    put(store, 1)
    put(store, 2)
    with contextlib.closing(sqlite3.connect(store.folder / "index.sqlite")) as connection:
        connection.execute("UPDATE entries SET facts = ? WHERE key = ?", [b'{"points": 9}', key(1)])
        connection.execute("DELETE FROM uses WHERE key = ?", [key(2)])
        connection.commit()
    assert store.get(key(1)) is None
    told = [problem.what for problem in store.verify() if not problem.sweepable]
    assert f"The entry {key(1)} is damaged." in told
    assert any("contradicts itself" in what for what in told)


def test_what_is_damaged_can_be_dropped(store):
    for number in range(3):
        put(store, number)
    spoil(blob_of(store, b"model 1"), b"MODEL 1")
    assert store.prune(damaged=True, dry_run=True).entries == 1
    assert store.prune(damaged=True).entries == 1
    assert list(store.verify()) == []
    assert {entry.key for entry in store.entries()} == {key(0), key(2)}


def test_strangers_and_leftovers_are_told_apart(store):
    put(store, 1)
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / "blobs" / "ab" / "x").write_text("mine")
    (store.folder / "blobs" / "ab" / ".tmp1").write_bytes(b"half")
    spoil(blob_of(store, b"nobody's"), b"nobody's")
    found = {problem.where.name: problem.sweepable for problem in store.verify()}
    assert found == {"notes.txt": False, "x": False, ".tmp1": True, sha(b"nobody's"): True}


# ------------------------------------------------------------------ pruning


def age(store, number, days):
    """Put an entry as of some days ago."""
    made = datetime.now(UTC) - timedelta(days=days)
    name = b"model %d" % number
    return store._put(key(number), "run", b"{}", {"model": name, "log": b"shared"}, {}, made)


def test_prune_removes_the_old_and_keeps_what_is_named(store):
    for number in range(4):
        age(store, number, days=number)
    would = store.prune(older_than=timedelta(days=1.5), dry_run=True)
    assert len(list(store.entries())) == 4
    pruned = store.prune(older_than=timedelta(days=1.5))
    assert pruned == would
    assert (pruned.entries, pruned.blobs, pruned.bytes) == (2, 2, 2 * (7 + 2))
    assert [entry.key for entry in store.entries()] == [key(0), key(1)]
    assert store.blob(sha(b"shared")) == b"shared"
    assert not blob_of(store, b"model 3").exists()
    assert list(store.verify()) == []


def test_prune_keeps_the_newest_that_fit(store):
    for number in range(4):
        age(store, number, days=number)
    assert store.prune(keep_bytes=2 * 9 + 6).entries == 2
    assert [entry.key for entry in store.entries()] == [key(0), key(1)]
    assert store.prune(keep_bytes=0).entries == 2
    assert not list((store.folder / "blobs").glob("*/*"))
    assert list(store.verify()) == []


def test_prune_sweeps_what_nobody_will_finish_and_leaves_the_young_alone(store):
    old, young = store.folder / "blobs" / "ab" / ".old", store.folder / "blobs" / "ab" / ".young"
    for path in (old, young, blob_of(store, b"old"), blob_of(store, b"young")):
        spoil(path, path.name.encode())
    for path in (old, blob_of(store, b"old")):
        os.utime(path, (LONG_AGO, LONG_AGO))
    would = store.prune(dry_run=True)
    assert old.exists()
    pruned = store.prune()
    assert pruned == would
    assert (pruned.entries, pruned.blobs, pruned.leftovers) == (0, 1, 1)
    assert young.exists()
    assert blob_of(store, b"young").exists()


def test_prune_gives_room_back_to_the_disk(store):
    for number in range(50):
        put(store, number, facts=os.urandom(100_000), blobs={})
    store.prune(keep_bytes=200_000)
    assert (store.folder / "index.sqlite").stat().st_size < 500_000


def test_a_blob_pruned_in_the_middle_of_a_put_is_written_once_more(store, monkeypatch):
    write = Blobs.write
    calls = []

    def and_lose_it(blobs, hashed, data):
        calls.append(hashed)
        fresh = write(blobs, hashed, data)
        if len(calls) == 1:
            blobs.path(hashed).unlink()
        return fresh

    monkeypatch.setattr(Blobs, "write", and_lose_it)
    put(store, 1, blobs={"a": b"a"})
    assert calls == [sha(b"a")] * 2
    intact(store, [key(1)])


def test_puts_survive_a_pruner_beside_them(tmp_path):
    stop = threading.Event()

    def prune():
        with Store(tmp_path / "e") as pruner:
            while not stop.is_set():
                pruner.prune(older_than=timedelta(hours=1))

    with Store(tmp_path / "e") as store:
        thread = threading.Thread(target=prune)
        thread.start()
        try:
            for number in range(60):
                # As a killed grader left it, two hours ago.
                path = blob_of(store, b"model %d" % number)
                spoil(path, b"model %d" % number)
                os.utime(path, (LONG_AGO, LONG_AGO))
                put(store, number)
                intact(store, [key(number)])
        finally:
            stop.set()
            thread.join()
        intact(store, [key(number) for number in range(60)])
        assert list(store.verify()) == []


# ------------------------------------------------------------------ taking it elsewhere


@pytest.fixture
def archive(tmp_path, store):
    put(store, 1)
    put(store, 2, about={"student": "Zoë \ud800"}, facts=b"shared by all")
    file = tmp_path / "evidence.zip"
    assert store.export(file) == 2
    return file


def test_an_export_is_the_same_elsewhere(tmp_path, store, archive):
    with Store(tmp_path / "other") as other:
        assert other.merge(archive) == 2
        assert list(other.entries()) == list(store.entries())
        intact(other, [key(1), key(2)])
        assert other.merge(archive) == 0
        assert list(other.verify()) == []
        other.export(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    assert archive.stat().st_mode & 0o777 == 0o600


def test_an_export_is_plain(archive):
    with zipfile.ZipFile(archive) as opened:
        index = json.loads(opened.read("index.json"))
        assert index["format"] == "keras-grader evidence"
        for entry in index["entries"]:
            for hashed in (entry["facts"], *entry["blobs"].values()):
                assert sha(opened.read(f"blobs/{hashed}")) == hashed


def test_some_entries_can_be_exported(tmp_path, store):
    for number in range(3):
        put(store, number)
    assert store.export(tmp_path / "one.zip", [key(1)]) == 1
    with pytest.raises(StoreError, match="no entry"):
        store.export(tmp_path / "none.zip", [key(9)])
    assert not (tmp_path / "none.zip").exists()


def test_an_export_that_fails_leaves_the_old_one(tmp_path, store, archive):
    before = archive.read_bytes()
    spoil(blob_of(store, b"model 1"), b"MODEL 1")
    with pytest.raises(StoreError, match="damaged"):
        store.export(archive)
    assert archive.read_bytes() == before
    with pytest.raises(StoreError, match="cannot be written"):
        store.export(tmp_path / "nowhere" / "x.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "evidence.zip"]


def test_what_is_newer_here_stays(store, archive):
    changed = put(store, 1, facts=b'{"newer": true}')
    assert store.merge(archive) == 0
    assert store.get(key(1)) == changed


def rewritten(archive, change=None, members=(), **options):
    """The archive with its index changed, and members added or replaced."""
    with zipfile.ZipFile(archive) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}
    index = json.loads(content.pop("index.json"))
    if change:
        change(index)
    content = [*content.items(), ("index.json", json.dumps(index))]
    names = {name for name, _ in members}
    content = [(name, data) for name, data in content if name not in names] + list(members)
    with zipfile.ZipFile(archive, "w", **options) as opened:
        for name, data in content:
            opened.writestr(name, data)


def in_entry(**changes):
    return lambda index: index["entries"][0].update(changes)


@pytest.mark.parametrize(
    ("change", "members", "says"),
    [
        (None, [("../../etc/cron.d/x", b"")], "which an export does not"),
        (None, [("/etc/passwd", b"")], "which an export does not"),
        (None, [("blobs/../x", b"")], "which an export does not"),
        (None, [(f"blobs/{sha(b'model 1')}", b"MODEL 1")], "do not have that hash"),
        (None, [(f"blobs/{sha(b'?')}", bytes(10**8))], "compression bomb"),
        (None, [("index.json", b"[" * 100_000)], "malformed"),
        (None, [("index.json", b"\xff")], "malformed"),
        (None, [("index.json", b"[]")], "does not call itself"),
        (lambda index: index.update(version=2), [], "version 2"),
        (lambda index: index.update(entries={}), [], "malformed"),
        (lambda index: index["entries"].append(index["entries"][0]), [], "a key twice"),
        (in_entry(key="../../x"), [], "a key or a hash that is none"),
        (in_entry(blobs={"model": "../../x"}), [], "a key or a hash that is none"),
        (in_entry(blobs={"model": sha(b"nowhere")}), [], "it lacks blobs/"),
        (in_entry(about={"student": 5}), [], "malformed"),
        (in_entry(kind="x y"), [], "no short word"),
        (in_entry(made="0001-01-01T00:00:00+14:00"), [], "a time that is none"),
        (in_entry(made="2026-01-01T00:00:00"), [], "a time that is none"),
    ],
)
def test_a_hostile_archive_is_refused_whole(tmp_path, archive, change, members, says):
    rewritten(archive, change, members, compression=zipfile.ZIP_DEFLATED)
    with Store(tmp_path / "other") as other:
        with pytest.raises(StoreError, match="not taken in") as caught:
            other.merge(archive)
        assert says in str(caught.value)
        assert list(other.entries()) == []
        assert list(other.verify()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path, archive):
    rewritten(archive, members=[(f"blobs/{sha(b'x')}", b"x")] * 2)
    with Store(tmp_path / "other") as other, pytest.raises(StoreError, match="twice"):
        other.merge(archive)


def test_other_refusals(tmp_path, store, archive, monkeypatch):
    spoil(tmp_path / "text.zip", b"no archive")
    for file, says in ((tmp_path / "text.zip", "cannot be read"), (tmp_path / "no.zip", "no such")):
        with pytest.raises(StoreError, match=says):
            store.merge(file)
    cut = archive.read_bytes()
    spoil(tmp_path / "cut.zip", cut[: len(cut) // 2])
    with pytest.raises(StoreError, match="cannot be read"):
        store.merge(tmp_path / "cut.zip")
    monkeypatch.setattr(travel, "_LARGEST_BLOB", 5)
    with pytest.raises(StoreError, match="larger than"):
        store.merge(archive)
    monkeypatch.undo()
    rewritten(archive, compression=zipfile.ZIP_LZMA)
    with pytest.raises(StoreError, match="packed in a way"):
        store.merge(archive)


def test_nobody_can_date_evidence_into_the_future(tmp_path, archive):
    rewritten(archive, in_entry(made="2999-01-01T00:00:00+00:00"))
    with Store(tmp_path / "other") as other:
        other.merge(archive)
        assert all(entry.made <= datetime.now(UTC) for entry in other.entries())


# ------------------------------------------------------------------ the commands


def call(*args):
    wide = {"COLUMNS": "500"}  # how long a temporary path is shall break no line
    return CliRunner().invoke(grader.cli.store.app, [str(arg) for arg in args], env=wide)


def test_where_the_store_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_STORE", str(tmp_path / "x"))
    assert default_folder() == tmp_path / "x"
    monkeypatch.delenv("GRADER_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "keras-grader" / "evidence"


def test_list_prints_no_strangers_escapes(store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    put(store, 1, about={"student": "\x1b[31mada[bold]\u202e", "assignment": "mnist_softmax"})
    result = call("list", "--store", store.folder)
    assert result.exit_code == 0, result.output
    assert "ada[bold]" in result.stdout
    assert "mnist_softmax" in result.stdout
    assert "1 entry, " in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (10**9, "1.0 GB"), (10**16, "10000.0 TB")],
)
def test_sizes_are_said_as_people_say_them(size, words):
    assert size_words(size) == words


def test_looking_for_a_store_makes_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_STORE", str(tmp_path / "none"))
    for command in (["list"], ["verify"], ["prune"], ["export", tmp_path / "x.zip"]):
        result = call(*command)
        assert result.exit_code == 2
        assert "There is no evidence store" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_verify_says_what_is_damaged_and_what_to_type(store):
    put(store, 1)
    spoil(blob_of(store, b"nobody's"), b"nobody's")
    healthy = call("verify", "--store", store.folder)
    assert healthy.exit_code == 0, healthy.output
    assert "everything that is kept is sound" in " ".join(healthy.stdout.split())
    spoil(blob_of(store, b"model 1"), b"?")
    ill = call("verify", "--store", store.folder)
    assert ill.exit_code == 2
    assert "damaged" in ill.stdout
    assert "grader store prune" in ill.stdout
    store.close()
    spoil(store.folder / "index.sqlite", b"no database")
    worse = call("verify", "--store", store.folder)
    assert worse.exit_code == 2
    assert "Set the store aside" in worse.stderr
    assert "Traceback" not in worse.output


def test_export_import_and_prune(tmp_path, store):
    for number in range(3):
        age(store, number, days=40 * number)
    file = tmp_path / "x.zip"
    assert "3 written" in call("export", file, "--store", store.folder).stdout
    other = tmp_path / "other"
    assert "3 new" in call("import", file, "--store", other).stdout.replace("\n", " ")
    would = call("prune", "--older-than", "10w", "--keep", "5GB", "--dry-run", "--store", other)
    assert would.stdout.startswith("Would remove 1 entry, 1 blob, 0 unfinished files: 9 B.")
    did = call("prune", "--older-than", "60d", "--keep", "0", "--store", other)
    assert did.stdout.startswith("Removed 3 entries, 4 blobs, 0 unfinished files: 33 B.")
    assert "0 entries, 0 B." in call("list", "--store", other).stdout


@pytest.mark.parametrize("option", [("--older-than", "soon"), ("--keep", "5 apples")])
def test_an_amount_that_is_none_is_a_sentence(store, option):
    result = call("prune", *option, "--store", store.folder)
    assert result.exit_code == 2
    assert "is no amount" in result.stderr
