"""Runs that are forks: what one leaves behind, what the server may die of, who takes its place."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from grader.errors import RunLostError
from grader.sandbox import ZygoteSandbox, zygote
from grader.sandbox.interface import GIB, Isolation, Job, Limits
from grader.sandbox.ladder import OFFERED, make
from grader.sandbox.processes import descendants, read
from grader.sandbox.selftest import Proof

pytestmark = pytest.mark.sandbox

PROGRAMS = Path(__file__).with_name("programs")
LIMITS = Limits(wall_s=20, processes=60)


@pytest.fixture(params=OFFERED)
def cold(request, offered):
    rung = offered[request.param]
    if not rung.works:
        pytest.skip(f"{rung.level}: {rung.reason}")
    return make(rung, PROGRAMS)


@pytest.fixture
def forks(cold):
    """A sandbox whose runs must be forks."""

    def refuse(*_):
        raise AssertionError("this run was no fork")

    cold.run = refuse
    with ZygoteSandbox(cold, programs=("forks",)) as sandbox:
        yield sandbox
        assert sandbox.notes == ()


def do(sandbox, deed, program="forks", **options):
    """Do a deed and give what it answered."""
    limits = options.pop("limits", LIMITS)
    heard = bytearray()
    outcome = sandbox.run(Job(program=program, task={"do": deed, **options}), limits, heard.extend)
    assert outcome.setup_error == "", outcome.setup_error
    assert outcome.ending == "finished", outcome
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(heard)


def begin(sandbox, deed, program="forks", **options):
    """Begin a deed in a thread; its end is in the list that comes back, once it is joined."""
    heard, awake, ends = bytearray(), threading.Event(), []

    def hear(chunk):
        heard.extend(chunk)
        awake.set()

    def run():
        job = Job(program=program, task={"do": deed, **options})
        try:
            ends.append(sandbox.run(job, LIMITS, hear))
        except RunLostError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert awake.wait(10)
    return thread, ends


def server_of(sandbox):
    return sandbox._current.pid


def wait_until(holds, seconds=5):
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def open_descriptors():
    found = {}
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them
            found[descriptor.name] = descriptor.readlink()
    return found


def lives(pid):
    process = read(pid)
    return process is not None and process.state != "Z"


# ------------------------------------------------------------------ one import, clean forks


def test_many_runs_share_one_import(forks):
    first, second = do(forks, "marker"), do(forks, "marker")

    assert first["imported"] == second["imported"]
    assert first["drawn"] != second["drawn"]
    assert first["drawn_by_numpy"] != second["drawn_by_numpy"]
    assert first["temporary"] != second["temporary"]


def test_a_poisoned_run_does_not_change_the_next(forks):
    clean = do(forks, "state")
    shared = ["/tmp", "/dev/shm", "/var/tmp", "/", "/places"]
    do(forks, "poison", shared=[] if forks.isolation.level == "none" else shared)

    after = do(forks, "state")

    for name in ("box", "temporary_folder"):  # a run without namespaces has a folder of its own
        clean.pop(name), after.pop(name)
    assert after == clean
    assert after["poisoned"] == []


def test_a_fork_looks_like_a_fresh_process(cold):
    fresh = do(cold, "state")
    with ZygoteSandbox(cold, programs=("forks",)) as sandbox:
        forked = do(sandbox, "state")
        assert sandbox.notes == ()

    for name in ("box", "temporary_folder"):
        fresh.pop(name), forked.pop(name)
    assert forked == fresh


def test_the_worker_is_made_ready_once_and_without_a_run(cold, open_folder):
    (open_folder / "served.txt").write_text("served")
    readable = {"data": open_folder}
    with ZygoteSandbox(
        cold, programs=("forks",), readable=readable, prepare={"word": "ready"}
    ) as sandbox:
        prepared = [do(sandbox, "prepared") for _ in range(2)]

    assert prepared[0]["word"] == "ready"
    assert prepared[0]["served"] == "served"
    assert prepared[0]["at"] == prepared[1]["at"]


def test_two_runs_at_once_are_alone(forks):
    if forks.isolation.level == "none":
        pytest.skip("it promises nothing")
    answers = {}

    def run(name):
        answers[name] = do(forks, "meet", name=name, other="ab".replace(name, ""))

    threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # folders that every user may write to are open to a run on this rung, for as long as it lasts
    shared = {"/tmp", "/dev/shm", "/var/tmp"} if forks.isolation.level == "uid" else set()
    assert set(answers["a"]) | set(answers["b"]) <= shared
    assert answers.keys() == {"a", "b"}


def test_a_signal_to_itself_reaches_it(forks):
    assert do(forks, "signal_oneself") == "reached"


# ------------------------------------------------------------------ what the server dies of


def test_a_server_killed_while_idle_is_replaced(forks):
    first = do(forks, "marker")
    os.kill(server_of(forks), signal.SIGKILL)

    assert do(forks, "marker")["imported"] != first["imported"]


def test_a_server_killed_while_it_starts_is_replaced(forks):
    zygote.prove_forks(
        type(forks._cold), forks._cold.groups
    )  # once in a process, and not what is killed here
    forks.start()
    assert wait_until(lambda: descendants(os.getpid(), fresh=True))
    for process in descendants(os.getpid(), fresh=True):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)

    assert do(forks, "marker")


def test_a_run_is_lost_with_its_server_and_the_next_one_works(forks):
    thread, ends = begin(forks, "sleep")
    server = server_of(forks)
    below = [process.pid for process in descendants(os.getpid(), fresh=True)]
    os.kill(server, signal.SIGKILL)
    thread.join(10)

    assert isinstance(ends[0], RunLostError)
    assert do(forks, "marker")
    assert wait_until(lambda: not any(lives(pid) for pid in below))


def test_a_server_that_dies_again_and_again_is_done_without(cold):
    with ZygoteSandbox(cold, programs=("forks",)) as sandbox:
        for _ in range(zygote._MOST_DEATHS + 1):
            do(sandbox, "marker")
            os.kill(server_of(sandbox), signal.SIGKILL)
            wait_until(lambda: sandbox._current is None)

        assert do(sandbox, "marker")
        assert "died 4 times" in sandbox.notes[0]


@pytest.mark.parametrize(
    ("program", "reason"),
    [("broken_import", "a worker of ours is broken"), ("threaded", "has 2 threads")],
)
def test_without_a_server_runs_are_fresh_processes(cold, program, reason):
    with ZygoteSandbox(cold, programs=("forks", program)) as sandbox:
        first, second = do(sandbox, "marker"), do(sandbox, "marker")

        assert first["imported"] != second["imported"]
        assert reason in sandbox.notes[0]
        assert sandbox.isolation == cold.isolation


def test_a_sandbox_that_cannot_fork_runs_everything_itself():
    class Other:
        isolation = Isolation(level="none", description="of somebody else")

        def run(self, *_):
            return "its outcome"

    with ZygoteSandbox(Other(), programs=("forks",)) as sandbox:
        sandbox.start()
        assert sandbox.run(Job(program="forks", task={}), LIMITS, print) == "its outcome"
        assert "cannot fork" in sandbox.notes[0]


def test_forks_whose_self_test_fails_are_not_used(cold, monkeypatch):
    if cold.isolation.level == "none":
        pytest.skip("it promises nothing")
    failed = Proof(attempts=9, allowed=("reach the network",))
    monkeypatch.setattr(zygote, "prove_forks", lambda *_: failed)
    with ZygoteSandbox(cold, programs=("forks",)) as sandbox:
        assert do(sandbox, "marker")
        assert "it was possible to reach the network" in sandbox.notes[0]


def test_the_self_test_of_forks_is_made_in_a_fork(cold, monkeypatch):
    if cold.isolation.level == "none":
        pytest.skip("it promises nothing")
    monkeypatch.setattr("grader.sandbox.seccomp.build", lambda *_, **__: b"")

    proof = zygote.prove_forks.__wrapped__(type(cold))

    assert "gain privileges" in proof.allowed  # that is, there was no filter
    assert not proof.holds


def test_a_thread_started_later_ends_the_forking(cold):
    with ZygoteSandbox(cold, programs=("forks", "threaded_later")) as sandbox:
        do(sandbox, "marker")
        time.sleep(0.6)

        assert do(sandbox, "marker")
        assert "2 threads" in sandbox.notes[0]


def test_a_student_cannot_pass_for_a_dead_server(forks):
    if forks.isolation.level == "none":
        pytest.skip("it promises nothing")
    thread, ends = begin(forks, "rage")
    thread.join(15)

    (outcome,) = ends
    assert not isinstance(outcome, RunLostError)
    assert outcome.setup_error == ""
    assert lives(server_of(forks))


def test_a_job_that_needs_more_is_a_fresh_process(cold, open_folder):
    with ZygoteSandbox(cold, programs=("forks",)) as sandbox:
        sandbox.start()
        told = bytearray()
        job = Job(program="forks", task={"do": "places"}, readable={"other": open_folder})
        sandbox.run(job, LIMITS, told.extend)

        assert json.loads(told) == ["other"]
        assert do(sandbox, "own_process", program="deeds")["user"] >= 0
        assert sandbox.notes == ()
        assert sandbox._current.taken == 0


def test_what_is_late_is_there_when_it_is_used_and_once_the_server_has_time(cold):
    with ZygoteSandbox(cold, programs=("late",), late=("colorsys",)) as sandbox:
        first = do(sandbox, "use", program="late")
        assert first["put_off"]
        assert first["value"] == [1, 1, 1]
        deadline = time.monotonic() + 20
        while do(sandbox, "look", program="late")["waits"]:
            assert time.monotonic() < deadline
            time.sleep(2)  # long enough for it to find that it is idle
        assert sandbox.notes == ()


def test_what_is_late_takes_no_time_from_a_run(cold):
    with ZygoteSandbox(cold, programs=("late",), late=("colorsys",)) as sandbox:
        thread, _ = begin(sandbox, "stay", program="late")
        time.sleep(2.5)  # long enough for it to find that nobody asks for anything
        assert do(sandbox, "look", program="late")["waits"]
        assert thread.is_alive()
        thread.join()


def test_what_is_late_waits_for_no_more_than_some_requests(cold):
    with ZygoteSandbox(cold, programs=("late",), late=("colorsys",)) as sandbox:
        waiting = [do(sandbox, "look", program="late")["waits"] for _ in range(65)]
    assert not waiting[-1]
    assert sorted(waiting, reverse=True) == waiting


def test_after_some_runs_a_new_server_takes_over(cold):
    with ZygoteSandbox(cold, programs=("forks",), runs=3) as sandbox:
        before = open_descriptors()
        imported = [do(sandbox, "marker")["imported"] for _ in range(7)]

        assert len(set(imported)) == 3
        assert imported[0] == imported[1] == imported[2] != imported[3]
        assert wait_until(lambda: sum(not each.is_over for each in sandbox._servers) <= 2)
    # what an earlier test has not let go of yet may go meanwhile
    wait_until(lambda: not open_descriptors().items() - before.items())
    assert dict(open_descriptors().items() - before.items()) == {}
    assert not [pid for pid in _below(os.getpid()) if lives(pid)]


def test_a_server_ends_only_after_its_last_run(cold):
    with ZygoteSandbox(cold, programs=("forks",), runs=2) as sandbox:
        do(sandbox, "marker")
        thread, ends = begin(sandbox, "sleep", seconds=1)
        do(sandbox, "marker")
        thread.join(10)

        assert ends[0].ending == "finished"


def test_what_waits_ends_when_the_sandbox_is_closed(cold):
    sandbox = ZygoteSandbox(cold, programs=("forks",))
    sandbox.start()
    sandbox.start()
    sandbox.close()

    assert wait_until(lambda: not [pid for pid in _below(os.getpid()) if lives(pid)])


@pytest.mark.parametrize("deed", ["idle", "sleep"])
def test_everything_dies_with_the_host(cold, deed):
    host = subprocess.Popen(
        [sys.executable, "-c", _HOST, cold.isolation.level, str(PROGRAMS), deed],
        stdout=subprocess.PIPE,
    )
    assert host.stdout.readline() == b"awake\n"
    tree = _below(host.pid)
    host.kill()
    host.wait()
    host.stdout.close()

    assert tree
    assert wait_until(lambda: not [pid for pid in tree if lives(pid)])


_HOST = """
import sys, time
from pathlib import Path
from grader.sandbox import ZygoteSandbox
from grader.sandbox.interface import Job, Limits
from grader.sandbox.ladder import Rung, make
rung = Rung(level=sys.argv[1], works=True, description="")
sandbox = ZygoteSandbox(make(rung, Path(sys.argv[2])), programs=("forks",))
deed = sys.argv[3]
job = Job(program="forks", task={"do": "marker" if deed == "idle" else deed})
sandbox.run(job, Limits(), lambda _: None if deed == "idle" else print("awake", flush=True))
print("awake", flush=True)
time.sleep(60)
"""


def _below(root):
    return [process.pid for process in descendants(root, fresh=True)]


# ------------------------------------------------------------------ with Keras


@pytest.mark.keras
def test_a_fork_trains_bit_for_bit_like_a_fresh_process(cold):
    limits = Limits(wall_s=120, memory=3 * GIB)
    with ZygoteSandbox(cold, programs=("train",)) as sandbox:
        sandbox.start()
        fresh = do(cold, "train", program="train", limits=limits)
        do(sandbox, "poison", program="train", limits=limits)
        forked = do(sandbox, "train", program="train", limits=limits)
        assert sandbox.notes == ()

    assert forked["losses"] == fresh["losses"]
    assert forked["weights"] == fresh["weights"]
    assert forked["keras_home"] == forked["expected_home"]
    assert forked["seconds_to_import"] < 0.5
