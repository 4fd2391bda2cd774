"""The cache: sound or made anew."""

# ruff: noqa: ARG001 - many a fixture is asked for only to have its effect

import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.datasets import load, verify
from grader.datasets.cache import Cache
from grader.errors import DataError


def _damage(path):
    """Change one byte and nothing else: same size, same time."""
    state = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_other_users_may_read_what_is_served_and_nothing_that_is_held_out(toy):
    old = os.umask(0o077)
    try:
        dataset = load("toy")
    finally:
        os.umask(old)

    assert _mode(dataset.served) == 0o755
    assert _mode(dataset.served.parent) == _mode(dataset.served.parents[1]) == 0o755
    assert _mode(dataset.served / "toy.bin") == 0o644
    assert _mode(dataset.held_out) == _mode(dataset.labels_file.parent) == 0o700
    assert _mode(dataset.held_out / "inputs.npy") == _mode(dataset.labels_file) == 0o600


def test_labels_lie_outside_what_sandboxes_see(toy):
    dataset = load("toy")

    for part in (dataset.served, dataset.held_out):
        assert part not in dataset.labels_file.parents
        assert not list(part.rglob("*label*"))
    assert dataset.labels().tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_no_name_in_the_cache_tells_what_it_is_for(toy):
    dataset = load("toy")
    cache = Cache.of_user().folder

    assert dataset.served.relative_to(cache).parts == ("sets", dataset.digest[:32] + "-1", "a")
    assert dataset.held_out.name == "b"


def test_a_second_load_makes_nothing(toy, monkeypatch):
    first = load("toy")
    monkeypatch.setattr(Cache, "_build", None)

    assert load("toy") == first


@pytest.mark.parametrize("part", ["a/toy.bin", "b/inputs.npy", "c/labels.npy", "manifest.json"])
@pytest.mark.parametrize("harm", ["removed", "longer", "changed"])
def test_a_damaged_entry_is_made_anew(toy, part, harm):
    dataset = load("toy")
    path = dataset.served.parent / part
    sound = path.read_bytes()
    if harm == "removed":
        path.unlink()
    elif harm == "longer":
        path.write_bytes(sound + b"?")
    else:
        path.write_bytes(b"?" + sound[1:])
        os.utime(path, ns=(0, 0))

    assert load("toy") == dataset
    if part != "manifest.json":
        assert path.read_bytes() == sound
    assert [health.problems for health in verify()] == [()]


def test_a_touched_entry_is_still_sound(toy, monkeypatch):
    dataset = load("toy")
    os.utime(dataset.served / "toy.bin", ns=(0, 0))
    monkeypatch.setattr(Cache, "_build", None)

    assert load("toy") == dataset
    assert (dataset.served / "toy.bin").stat().st_mtime_ns != 0


def test_a_thorough_look_finds_what_size_and_time_hide(toy):
    dataset = load("toy")
    _damage(dataset.served / "toy.bin")
    (health,) = verify()

    assert health.name == "toy"
    assert len(health.problems) == 1
    assert "hash differs" in health.problems[0]
    assert load("toy") == dataset
    assert [health.problems for health in verify()] == [()]


def test_a_manifest_that_cannot_be_read_is_a_finding(toy):
    dataset = load("toy")
    (dataset.served.parent / "manifest.json").write_text('{"name": "toy"}')
    (health,) = verify()

    assert "manifest.json is missing or damaged" in health.problems[0]


def test_damaged_labels_are_never_graded_with(toy):
    dataset = load("toy")
    _damage(dataset.labels_file)

    with pytest.raises(DataError, match=r"held-out labels .* are damaged") as caught:
        dataset.labels()
    assert str(dataset.served.parent) in caught.value.remedy


def test_missing_labels_are_an_error_with_a_remedy(toy):
    dataset = load("toy")
    dataset.labels_file.unlink()

    with pytest.raises(DataError, match="No such file"):
        dataset.labels()


def test_an_unknown_memory_of_a_source_is_passed_over(toy):
    dataset = load("toy")
    (seen,) = (Cache.of_user().folder / "seen").iterdir()
    seen.write_text("../../etc")

    assert load("toy") == dataset


def test_many_at_once_make_one_entry(toy):
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: load("toy"), range(32)))

    assert all(dataset == loaded[0] for dataset in loaded)
    assert [health.problems for health in verify()] == [()]
    sets = Cache.of_user().folder / "sets"
    assert [path.name for path in sets.iterdir()] == [loaded[0].served.parent.name]


def test_what_a_killed_process_left_is_cleared_away_after_an_hour(toy):
    sets = Cache.of_user().folder / "sets"
    for name in (".old", ".young"):
        (sets / name / "a").mkdir(parents=True)
    hours_ago = time.time() - 7200
    os.utime(sets / ".old", (hours_ago, hours_ago))
    load("toy")

    assert not (sets / ".old").exists()
    assert (sets / ".young").exists()


def test_an_unwritable_cache_is_an_error_with_a_remedy(toy, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "file"))

    with pytest.raises(DataError, match="cannot be written") as caught:
        load("toy")
    assert "GRADER_CACHE" in caught.value.remedy


def test_a_disk_that_forgets_is_an_error(toy, monkeypatch):
    monkeypatch.setattr(Cache, "_sound", lambda _self, _digest: None)

    with pytest.raises(DataError, match="did not come back"):
        load("toy")


def test_the_manifest_holds_no_label(toy):
    manifest = json.loads((load("toy").served.parent / "manifest.json").read_text())

    assert set(manifest) == {"name", "digest", "facts", "files"}
    assert manifest["facts"] == {"mean": 3.0}


def test_two_processes_make_a_stand_in_at_once(tmp_path, stand_ins):
    program = "from grader.datasets import load; print(load('imdb').served_sha256)"
    env = os.environ | {"GRADER_CACHE": str(tmp_path / "both")}
    running = [
        subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[0].decode().strip() for process in running]

    assert said == [str(stand_ins["imdb"].served_sha256)] * 2


def test_nothing_of_the_host_imports_keras(stand_ins):
    program = (
        "import sys; from grader.datasets import available, load; available(); load('mnist');"
        "print({'keras', 'tensorflow', 'sklearn'} & set(sys.modules))"
    )
    cache = stand_ins["mnist"].served.parents[2]
    env = os.environ | {"GRADER_CACHE": str(cache)}
    said = subprocess.check_output([sys.executable, "-c", program], env=env, text=True)

    assert said.strip() == "set()"
