"""What was kept or sent, and damaged since, is refused or not there: never trusted."""

import hashlib
import json
import shutil
import sqlite3
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.cluster.letters import Answer, read_answer, write_answer
from grader.errors import StoreError, WorkerError
from grader.find_out import Findings
from grader.judging.judgement import Judgement
from grader.known import _EXECUTION, _JUDGEMENT, _read
from grader.normal_form import RawModel
from grader.records import Predictions
from grader.safe.plain import plain_json
from grader.store import Store

KEYS = [f"{number:064x}" for number in range(3)]
FACTS = [b'{"ending": "finished"}', b"{}", b"[1, 2]" * 3000]
BLOBS = {"model": b"a model" * 50, "rows": bytes(40)}


@pytest.fixture(scope="session")
def memory():
    """A folder in memory, where there is one: a store waits for the disk at each step."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as it:
        yield Path(it)


@pytest.fixture(scope="session")
def whole(memory):
    """A store with three entries, and an export of it."""
    folder = memory / "kept" / "store"
    with Store(folder) as store:
        for key, facts in zip(KEYS, FACTS, strict=True):
            store.put(key, kind="run", facts=facts, blobs=BLOBS, about={"student": "\udcff"})
        store.export(folder.parent / "all.zip")
    return folder


@pytest.fixture(scope="session")
def look(memory, promptly, whole):
    """Do with a changed copy of the store all that can be done: ``look(change)``."""
    copy = memory / "copy"
    shutil.copytree(whole, copy)
    found = [path for path in whole.rglob("*") if path.is_file()]
    files = {path.relative_to(whole): path.read_bytes() for path in found}

    def go(change):
        for path in [path for path in copy.rglob("*") if path.is_file()]:
            if path.relative_to(copy) not in files:
                path.unlink()
        for name, content in files.items():
            (copy / name).write_bytes(content)
        change(copy)
        with promptly():
            try:
                with Store(copy) as store:
                    _look(store)
                    list(store.verify())
                    store.prune(keep_bytes=10, dry_run=True)
                    store.prune(damaged=True)
                    _look(store)
            except StoreError as error:
                assert error.remedy  # noqa: PT017 - both ends are right, and one says more

    return go


def _look(store):
    for entry in [*store.get_many(KEYS).values(), *store.entries()]:
        assert entry.facts == FACTS[KEYS.index(entry.key)]
        for name, sha256 in entry.blobs.items():
            try:
                assert store.blob(sha256) == BLOBS[name]
            except StoreError as error:
                assert "damaged" in error.message  # noqa: PT017 - see above
        _read(_EXECUTION, entry)
        _read(_JUDGEMENT, entry)


@given(data=st.data())
def test_a_damaged_store_gives_what_was_put_or_nothing(look, damaged, data):
    def change(folder):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        file = data.draw(st.sampled_from(files))
        file.write_bytes(data.draw(damaged(file.read_bytes(), 12)))

    look(change)


COLUMNS = ("key", "kind", "made", "about", "blobs", "seal", "facts")
CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.binary(max_size=20),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(
        [
            b"[" * 100_000,
            b'{"a": ["x", 1e999]}',
            b'{"a": ["x", -5]}',
            b'{"a": [[], {}]}',
            b'{"a": "xy"}',
            b"NaN",
        ]
    ),
)


@given(column=st.sampled_from(COLUMNS), cell=CELLS)
@example(column="blobs", cell=b"[" * 100_000)
@example(column="blobs", cell=b'{"a": ["x", 1e999]}')
@example(column="blobs", cell=b'{"a": [[], 1]}')
def test_an_index_that_somebody_wrote_into_gives_what_was_put_or_nothing(look, column, cell):
    def change(folder):
        connection = sqlite3.connect(folder / "index.sqlite")
        try:
            connection.execute(
                f"UPDATE OR IGNORE entries SET {column} = ? WHERE key = ?", [cell, KEYS[0]]
            )
            connection.commit()
        except sqlite3.Error:
            pass  # it cannot be in there
        finally:
            connection.close()

    look(change)


@given(data=st.data())
def test_a_damaged_export_is_refused_or_taken_in_as_it_was(memory, promptly, damaged, whole, data):
    file = memory / "import.zip"
    file.write_bytes(data.draw(damaged((whole.parent / "all.zip").read_bytes())))
    with promptly(), Store(memory / "imported") as store:
        store.prune(keep_bytes=0)
        try:
            store.merge(file)
        except StoreError as error:
            assert "is not taken in" in error.message  # noqa: PT017 - see above
            assert not list(store.entries())
        for entry in store.entries():
            _read(_EXECUTION, entry)
            json.dumps(asdict(entry), default=str)


# ------------------------------------------------------------------ letters


@pytest.fixture(scope="session")
def answer(make):
    """What an honest worker of a cluster sends."""
    rows = bytes(120)
    digest = hashlib.sha256(rows).hexdigest()
    judgement = Judgement(
        raw=RawModel(
            input_shape=[None, 4], output_shape=[None, 3], trainable_params=15,
            non_trainable_params=0,
        ),
        predictions=(Predictions(form="as they are", shape=(10, 3), sha256=digest),),
    )  # fmt: skip
    findings = Findings(
        execution=make.execution(),
        judgement=judgement,
        blobs={digest: rows},
        seconds={"executing": 1.0},
    )
    return write_answer(findings)


def _read_letter(answer, promptly):
    """Read it; what is taken fits together."""
    with promptly():
        try:
            found = read_answer(answer)
        except WorkerError as error:
            assert len(error.message) < 3000  # noqa: PT017 - both ends are right
            return None
    if found.execution.chosen is not None:
        assert found.execution.found.number == found.execution.chosen
    for each in found.judgement.predictions if found.judgement else ():
        assert len(found.blobs[each.sha256]) == 4 * each.shape[0] * each.shape[1]
    json.loads(plain_json(found.execution))
    return found


@given(data=st.data())
def test_a_damaged_letter_is_refused_or_fits_together(promptly, answer, damaged, data):
    facts = data.draw(damaged(answer.facts, 12))
    _read_letter(replace(answer, facts=facts), promptly)


@given(data=st.data())
def test_a_warped_letter_is_refused_or_fits_together(promptly, answer, warped, as_text, data):
    text = data.draw(as_text(data.draw(warped(json.loads(answer.facts)))))
    _read_letter(replace(answer, facts=text.encode("utf-8", "surrogatepass")), promptly)


@given(facts=st.binary(max_size=50), name=st.text(max_size=5), blob=st.binary(max_size=5))
def test_any_bytes_are_no_letter(promptly, facts, name, blob):
    assert _read_letter(Answer(facts=facts, blobs={name: blob}), promptly) is None
