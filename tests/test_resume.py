"""What dies in mid-batch costs the submissions then running, and nothing else.

Real processes are killed at random moments; the same command is given again until it ends by
itself, and must give every submission the grade it gets when nothing dies.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from grader.sandbox.processes import descendants

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]

CLASS = 8
TRIALS = int(os.environ.get("GRADER_KILLS", "2"))
"""How often each kind of process is killed; more by hand."""

KILLS = 3
"""How many processes below the host are killed in one call."""

TRAINS = """
import keras, numpy as np
keras.utils.set_random_seed({number})
x = np.random.rand(256, 784).astype("float32")
y = keras.utils.to_categorical(np.random.randint(0, 10, 256), 10)
model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=2, batch_size=128, verbose=0)
"""
SLEEPS = "import time\nfor _ in range(5): time.sleep(0.1)\nnumber = {number}\n"


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    for number in range(CLASS):
        source = (SLEEPS if number % 3 else TRAINS).format(number=number)
        (folder / f"s{number:02}.py").write_text(source)
    return folder


class Calls:
    """Calls of the command line with one store and one folder of results."""

    def __init__(self, folder, handed_in):
        self.results = folder / "results"
        self.argv = [
            *(sys.executable, "-m", "grader", "grade", "mnist_softmax", handed_in),
            *("-o", self.results, "--jobs", "2"),
        ]
        self.environment = {**os.environ, "GRADER_STORE": str(folder / "store")}

    def start(self):
        return subprocess.Popen(
            list(map(str, self.argv)),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self):
        """Give the command until it ends by itself: its lines, the grades."""
        process = self.start()
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        return err, self.grades()

    def grades(self):
        reports = {}
        for file in self.results.glob("submissions/*/report.json"):
            report = json.loads(file.read_text("utf-8"))
            value = report["measurement"]["value"] if report["measurement"] else None
            reports[file.parent.name] = (report["ending"], report["points"], value)
        return reports


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory):
    said, grades = Calls(tmp_path_factory.mktemp("undisturbed"), handed_in).finish()
    assert len(grades) == CLASS
    assert "known" not in said
    return grades


def done(lines):
    """The submissions whose line says that they are graded."""
    return set(re.findall(r"^\[\d+/\d+\] (\S+)$", lines, re.MULTILINE))


def known(lines):
    """How many submissions the last call took from the store."""
    if re.search(r"^All \d+ submissions were known", lines, re.MULTILINE):
        return CLASS
    found = re.search(r"^(\d+) of \d+ submissions were known", lines, re.MULTILINE)
    return int(found[1]) if found else 0


def processes_of(pid):
    return [process.pid for process in descendants(pid, fresh=True)]


@pytest.mark.parametrize("trial", range(TRIALS))
def test_killing_the_host_loses_only_what_was_running(handed_in, undisturbed, tmp_path, trial):
    calls = Calls(tmp_path, handed_in)
    chance = random.Random(trial)
    victim = calls.start()
    time.sleep(chance.uniform(1.0, 9.0))
    below = processes_of(victim.pid)
    victim.send_signal(signal.SIGKILL)
    _, said = victim.communicate(timeout=60)
    before = done(said)
    assert before <= set(calls.grades())

    said, grades = calls.finish()
    assert grades == undisturbed
    assert known(said) >= len(before)
    deadline = time.monotonic() + 10
    while (left := [pid for pid in below if Path(f"/proc/{pid}").exists()]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    assert not left, "processes of the killed call live on"


@pytest.mark.parametrize("trial", range(TRIALS))
def test_killing_what_runs_below_the_host_changes_no_grade(handed_in, undisturbed, tmp_path, trial):
    """Zygote, warden, namespace's first process, student's process: whichever it hits."""
    calls = Calls(tmp_path, handed_in)
    chance = random.Random(100 + trial)
    call = calls.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.5, 4.0))
        if below := processes_of(call.pid):
            with suppress(ProcessLookupError):
                os.kill(chance.choice(below), signal.SIGKILL)
    out, err = call.communicate(timeout=300)
    assert call.returncode in {0, 3}, out + err
    first = calls.grades()
    assert set(first) == set(undisturbed)
    # A student's own process that is killed alone ends as "killed" (of what it started itself, as
    # the code takes it): nobody else's grade changes, and the next call runs it again.
    struck = {name for name, grade in first.items() if grade != undisturbed[name]}
    assert len(struck) <= KILLS
    assert all(first[name][0] == "killed" for name in struck), first
    _, grades = calls.finish()
    assert grades == undisturbed


def test_a_full_disk_ends_the_batch_with_a_sentence_and_the_next_call_goes_on(
    handed_in, undisturbed, tmp_path
):
    if os.getuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root can mount a disk that is too small")
    calls = Calls(tmp_path, handed_in)
    (tmp_path / "store").mkdir(mode=0o700)
    script = f"mount -t tmpfs -o size=400k tmpfs '{tmp_path}/store' && exec \"$@\""
    keep = f"cp -a '{tmp_path}/store/.' '{tmp_path}/kept' && exit $status"
    (tmp_path / "kept").mkdir(mode=0o700)
    whole = f"{script.replace('exec ', '')}; status=$?; {keep}"
    process = subprocess.run(
        ["unshare", "-m", "sh", "-c", whole, "sh", *map(str, calls.argv)],
        env=calls.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 2, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert "space" in process.stderr
    assert "the same command goes on from there" in process.stderr
    before = done(process.stderr)
    assert 0 < len(before) < CLASS

    calls.environment["GRADER_STORE"] = str(tmp_path / "kept")
    said, grades = calls.finish()
    assert grades == undisturbed
    assert known(said) >= len(before)
