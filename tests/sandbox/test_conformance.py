"""One list of claims, run on every rung that this machine offers.

``not_promised_by`` names the rungs that do not promise a claim: there the test must fail, which
proves that the deed would succeed where nothing stands in its way.
"""

import errno
import fcntl
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import grader
from grader.sandbox.interface import GIB, MIB, Job
from grader.sandbox.ladder import rung
from grader.sandbox.processes import descendants, read

pytestmark = pytest.mark.sandbox
PROGRAMS = Path(__file__).with_name("programs")
confines = pytest.mark.not_promised_by("none")
encloses = pytest.mark.not_promised_by("none", "uid")
"""What every user of the machine may do is out of the sandbox's hands on these rungs."""


def test_an_honest_run_gives_messages_streams_and_artefacts(rig, open_folder):
    (open_folder / "served.txt").write_text("served")
    told = rig.do(
        "honest",
        extra=[1, "two"],
        readable={"data": open_folder},
        files={"laid/in.txt": b"laid in"},
        collect=("made.txt", "deep/er/file.bin", "never.txt"),
    )
    outcome = told.outcome

    assert outcome.setup_error == ""
    assert (outcome.ending, outcome.exit_code) == ("finished", 0), outcome.stderr
    assert outcome.stdout == "on stdout\n"
    assert outcome.stderr == "on stderr\n"
    assert outcome.artefacts["made.txt"].data == b"made inside"
    assert outcome.artefacts["deep/er/file.bin"].data == bytes(range(256))
    assert outcome.artefacts["never.txt"].data is None
    assert outcome.artefacts["never.txt"].problem == "missing"
    (answer,) = told.answers
    assert answer["cwd_is_work"]
    assert answer["laid"] == "laid in"
    assert answer["served"] == "served"
    assert answer["extra"] == [1, "two"]
    assert answer["child"] == "42"
    assert answer["stdin"] == ""
    assert sorted(answer["descriptors"])[:5] == [0, 1, 2, 3, 4]
    assert len(answer["descriptors"]) == 6  # and the one that lists them
    assert answer["keras_home"]
    assert answer["package"] == "grader_worker"
    assert not any("programs" in entry or "worker" in entry for entry in answer["path"])


def test_what_is_handed_in_leaves_no_trace_in_what_comes_out(rig):
    secret = b"handed in " * 100_000  # more than a pipe holds
    collected = []

    def reply(artefacts):
        collected.append({name: each.data for name, each in artefacts.items()})
        return secret

    told = rig.do(
        "tells_what_is_handed_in",
        limits=replace(rig.limits, answer=2 * len(secret), answer_s=20),
        collect=("made.txt", "told.txt"),
        reply=reply,
    )
    outcome = told.outcome

    assert (outcome.ending, outcome.stdout, outcome.stderr) == ("finished", "before\n", "too\n")
    assert outcome.artefacts["made.txt"].data == b"before"
    assert outcome.artefacts["told.txt"].data is None
    assert collected == [{"made.txt": b"before", "told.txt": None}]
    assert outcome.wall_s < 0.9, "what follows takes a second, and the clock had stopped"
    assert told.answers == ["ready", secret.decode()]


def test_who_asks_for_nothing_is_handed_nothing(rig):
    limits = replace(rig.limits, answer=100)
    told = rig.do("tells_what_is_handed_in", limits=limits, reply=lambda _: b"")
    assert told.answers == ["ready", ""]


def test_after_something_was_handed_in_there_are_limits_of_their_own(rig):
    def do(**changes):
        limits = replace(rig.limits, wall_s=8, **changes)
        return rig.do("tells_what_is_handed_in", limits=limits, reply=lambda _: b"x" * 9).outcome

    assert do(answer_s=0.2, answer=100).ending == "timeout"
    assert do(answer_s=20, answer=1).ending == "output"


def test_strings_hash_the_same_in_every_run(rig, open_folder):
    (open_folder / "served.txt").write_text("served")
    options = {"readable": {"data": open_folder}, "files": {"laid/in.txt": b""}, "extra": 0}

    first, second = (rig.do("honest", **options).answers[0]["hash"] for _ in range(2))

    assert first == second


def test_a_machine_out_of_memory_ends_a_run_before_anything_else(rig):
    assert rig.do("worth_ending").answers[0] == 500


@pytest.mark.keras
def test_keras_trains_and_saves_a_model(rig):
    limits = replace(rig.limits, wall_s=120, memory=3 * GIB, disk=256 * MIB, processes=160)
    told = rig.do("keras", limits=limits, collect=("model.keras",))

    assert told.outcome.ending == "finished", told.outcome.stderr
    assert told.answers, told.outcome.stderr
    assert told.outcome.artefacts["model.keras"].data[:2] == b"PK"
    assert told.outcome.peak_memory > 100 * MIB


# ------------------------------------------------------------------ secrets


def test_the_hosts_environment_stays_outside(rig, monkeypatch):
    monkeypatch.setenv("GRADER_TEST_TOKEN", "s3cret-t0ken")

    (texts,) = rig.do("environments").answers

    assert not any("s3cret-t0ken" in text for text in texts)


@encloses
def test_files_of_the_host_cannot_be_read(rig, open_folder):
    canary = open_folder / "canary.txt"

    (answers,) = rig.do(
        "read", paths=[str(canary), str(open_folder), "/root", "/home", "/work"]
    ).answers

    assert answers[str(canary)] is None
    assert not answers[str(open_folder)]


@confines
def test_closed_files_of_the_host_cannot_be_read_or_changed(rig, open_folder):
    closed = open_folder / "canary.txt"
    closed.chmod(0o600)
    (open_folder / "closed").mkdir(mode=0o700)
    inner = open_folder / "closed" / "inner.txt"
    inner.write_text("CANARY")
    open_folder.chmod(0o755)
    paths = [str(closed), str(inner), str(inner.parent)]

    (answers,) = rig.do("read", paths=paths).answers
    (done,) = rig.do("write_outside", paths=[*paths, str(open_folder / "new")]).answers

    assert all(answer is None for answer in answers.values())
    assert done == []


@encloses
def test_this_package_cannot_be_read(rig):
    package = Path(grader.__file__).resolve().parent
    paths = [package / "errors.py", package / "sandbox", package.parent / "pyproject.toml"]

    (answers,) = rig.do("read", paths=[str(path) for path in paths]).answers

    assert all(answer is None for answer in answers.values())


def test_the_memory_of_others_cannot_be_opened(rig):
    (answers,) = rig.do("memory_of_others").answers

    assert "opened" not in answers.values()


# ------------------------------------------------------------------ ways out


@confines
def test_nothing_is_left_to_gain_privileges_with(rig):
    (status,) = rig.do("own_process").answers
    read_anywhere = 1 << 2  # kept under Landlock where the interpreter lies in a closed folder

    assert status["user"] != 0 or os.getuid() != 0
    for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        assert not int(status[name], 16) & ~(read_anywhere if rig.level == "landlock" else 0)
    if os.getuid() == 0:
        assert not int(status["CapBnd"], 16) & ~(read_anywhere if rig.level == "landlock" else 0)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@confines
def test_no_listener_of_the_host_is_reached(rig, open_folder):
    abstract = f"grader-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as pathname,
        socket.socket(socket.AF_UNIX) as unnamed,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        pathname.bind(str(open_folder / "socket"))
        unnamed.bind("\0" + abstract)
        datagrams.bind(str(open_folder / "datagrams"))
        for each in (open_folder / "socket", open_folder / "datagrams"):
            each.chmod(0o777)
        pathname.listen()
        unnamed.listen()
        (reached,) = rig.do(
            "network",
            port=listener.getsockname()[1],
            path=str(open_folder / "socket"),
            datagrams=str(open_folder / "datagrams"),
            abstract=abstract,
        ).answers

    assert reached == []


@encloses
def test_nothing_can_be_written_outside(rig, open_folder):
    paths = [str(open_folder / "new"), "/dev/new", "/new", sys.prefix + "/lib/new", "/etc/new"]

    (done,) = rig.do("write_outside", paths=paths).answers

    assert done == []


@confines
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are of x86_64")
def test_the_filter_refuses_what_no_homework_needs(rig):
    (answers,) = rig.do("calls").answers

    assert answers.pop("vsock")
    absent = {name: answers.pop(name) for name in ("memfd_create", "clone3")}
    assert all(answer == [-1, errno.ENOSYS] for answer in absent.values())
    assert all(answer == [-1, errno.EPERM] for answer in answers.values()), answers


@confines
def test_no_process_outside_can_be_signalled(rig, bystander):
    pids = [bystander.pid, os.getpid(), os.getppid()]
    inside = 8  # in a pid namespace, small numbers are its own
    pids = [pid for pid in pids if pid > inside]

    (done,) = rig.do("signal_others", pids=pids, signal=0).answers

    assert done == []


@confines
def test_limits_and_modes_of_others_cannot_be_changed(rig, bystander, open_folder):
    path = open_folder / "canary.txt"
    (was_refused,) = rig.do("prlimit_parent", host=bystander.pid).answers
    rig.do("chmod", path=str(path))

    assert was_refused
    assert path.stat().st_mode & 0o777 == 0o644


def test_killing_everything_ends_nothing_else(rig, bystander):
    if rig.level == "none":
        pytest.skip("it would end this very test")

    told = rig.do("kill_all")

    assert "about to" in told.answers
    assert bystander.poll() is None
    assert told.outcome.setup_error == ""


# ------------------------------------------------------------------ limits


def test_a_run_ends_at_its_time_limit(rig):
    began = time.monotonic()
    outcome = rig.do("spin", limits=replace(rig.limits, wall_s=1)).outcome

    assert outcome.ending == "timeout"
    assert time.monotonic() - began < 4


def test_memory_is_limited(limiting):
    outcome = limiting.do("hog").outcome

    assert outcome.ending == "memory", outcome.stderr
    assert outcome.peak_memory < limiting.limits.memory * 1.5


def test_shared_memory_is_limited(limiting):
    assert limiting.do("hog_shared", size=800 * MIB).outcome.ending == "memory"


def test_not_a_page_is_got_beyond_the_limit_that_the_kernel_holds(grouped, monkeypatch):
    sandbox = grouped.sandbox  # forks are proven before
    monkeypatch.setattr("grader.sandbox.supervise.POLL_S", 60)  # nobody measures meanwhile
    limits = replace(grouped.limits, memory=100 * MIB)
    got = bytearray()
    job = Job(program="deeds", task={"do": "burst", "size": 400 * MIB})

    outcome = sandbox.run(job, limits, got.extend)

    assert outcome.ending == "memory"
    assert outcome.setup_error == ""
    assert 50 < got.count(b"x") <= 100


def test_a_burst_of_memory_passes_the_limit_where_it_is_only_measured(measured, monkeypatch):
    """The control of the test above."""
    sandbox = measured.sandbox  # forks are proven before
    monkeypatch.setattr("grader.sandbox.supervise.POLL_S", 60)
    limits = replace(measured.limits, memory=100 * MIB)
    got = bytearray()
    job = Job(program="deeds", task={"do": "burst", "size": 400 * MIB})

    outcome = sandbox.run(job, limits, got.extend)

    assert outcome.ending == "finished"
    assert got.count(b"x") == 400


def test_memory_that_is_not_in_the_group_is_measured_as_ever(grouped, monkeypatch):
    """As that which a fork has from its server, or a run that could leave its group."""
    grouped.do("own_process")  # forks are proven before
    monkeypatch.setattr("grader.sandbox.groups.Group.join", lambda *_: None)

    outcome = grouped.do("hog").outcome

    assert outcome.ending == "memory", outcome.stderr


def test_a_child_that_the_kernel_ends_ends_the_run_and_what_was_printed_is_kept(grouped):
    limits = replace(grouped.limits, memory=100 * MIB)

    outcome = grouped.do("burst_below", size=400 * MIB, limits=limits).outcome

    assert outcome.ending == "memory"
    assert outcome.wall_s < 5
    assert outcome.stdout == "before\n"


def test_what_is_written_is_no_memory(limiting):
    """Even where the folder lies in memory."""
    limits = replace(limiting.limits, memory=200 * MIB, disk=200 * MIB)

    told = limiting.do("keep_written", steps=8, memory=10 * MIB, disk=20 * MIB, limits=limits)

    assert told.outcome.ending == "finished", told.outcome
    assert told.answers == ["kept"]


def test_pages_shared_by_forks_count_once(limiting):
    told = limiting.do("share_much", size=150 * MIB)

    assert told.outcome.ending == "finished"
    assert told.answers == ["shared"]


@pytest.mark.parametrize("deed", ["fork_bomb", "threads"])
def test_processes_and_threads_are_limited(limiting, deed):
    outcome = limiting.do(deed, limits=replace(limiting.limits, wall_s=8)).outcome

    assert outcome.ending == "processes"


def test_not_a_process_is_got_beyond_the_limit_that_the_kernel_holds(grouped, monkeypatch):
    sandbox = grouped.sandbox  # forks are proven before
    monkeypatch.setattr("grader.sandbox.supervise.POLL_S", 60)
    limits = replace(grouped.limits, processes=20)
    got = bytearray()
    job = Job(program="deeds", task={"do": "count_children", "most": 30})

    outcome = sandbox.run(job, limits, got.extend)

    assert outcome.ending == "processes"
    assert got.count(b"x") == 19  # and the one that starts them


def test_processor_time_of_all_threads_is_limited(limiting):
    limits = replace(limiting.limits, cpu_s=1.0)

    outcome = limiting.do("compute", limits=limits).outcome

    assert outcome.ending == "cpu"
    assert 1 < outcome.cpu_s < 3
    assert outcome.setup_error == ""


def test_processor_time_of_the_dead_is_counted_where_the_kernel_counts(grouped):
    limits = replace(grouped.limits, cpu_s=1.0)

    outcome = grouped.do("compute_unseen", limits=limits).outcome

    assert outcome.ending == "cpu"
    assert 1 < outcome.cpu_s < 3


def test_a_run_is_in_a_group_of_its_own_which_is_gone_with_it(grouped):
    (said,) = grouped.do("own_groups").answers
    (again,) = grouped.do("own_groups").answers

    names = [set(re.findall(r"grader-run-\w+", text)) for text in (said, again)]
    assert [len(each) for each in names] == [1, 1]
    assert names[0] != names[1]
    assert not _groups_left(grouped)


@encloses
def test_control_groups_are_nowhere_to_be_seen(rig):
    (answers,) = rig.do("read", paths=["/sys/fs/cgroup"]).answers

    assert answers == {"/sys/fs/cgroup": None}


def test_nobody_leaves_its_group_or_changes_its_limits(grouped):
    if grouped.level == "none" and os.getuid() != 0:
        pytest.skip("it promises nothing")
    folders = ["/sys/fs/cgroup", *map(str, grouped.groups.parents)]

    (done,) = grouped.do("leave_group", folders=folders).answers

    assert done == []


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_of_output_ends_the_run(rig, stream):
    outcome = rig.do("flood", stream=stream).outcome

    assert outcome.ending == "output"
    kept = (outcome.stdout, outcome.stderr)[stream - 1]
    assert "bytes left out" in kept
    assert len(kept) < rig.limits.output * 1.1


def test_a_flood_of_messages_ends_the_run(rig):
    received = []
    job = Job(program="deeds", task={"do": "flood_messages"})
    outcome = rig.sandbox.run(job, rig.limits, lambda chunk: received.append(len(chunk)))

    assert outcome.ending == "output"
    assert sum(received) <= rig.limits.messages


@pytest.mark.parametrize("deed", ["fill_disk", "many_files"])
def test_disk_is_limited(rig, deed, monkeypatch):
    monkeypatch.setattr("grader.sandbox.supervise.MOST_FILES", 5000)
    assert rig.do(deed).outcome.ending == "disk"


@confines
def test_what_is_written_elsewhere_is_refused_or_counted(rig):
    told = rig.do("fill_elsewhere")

    assert told.outcome.ending == "disk" or told.answers == [0]
    assert not [*Path("/var/tmp").glob("grader-fill-*"), *Path("/dev/shm").glob("grader-fill-*")]


# ------------------------------------------------------------------ ends


@pytest.mark.parametrize(
    ("how", "status", "ending", "exit_code"),
    [
        ("sys.exit", 3, "finished", 3),
        ("os._exit", 0, "finished", 0),
        ("raise", 0, "finished", 1),
        ("signal", signal.SIGKILL, "killed", -signal.SIGKILL),
        ("signal", signal.SIGSEGV, "killed", -signal.SIGSEGV),
    ],
)
def test_every_end_is_told(rig, how, status, ending, exit_code):
    outcome = rig.do("end", how=how, status=status).outcome

    assert (outcome.ending, outcome.exit_code) == (ending, exit_code)
    assert outcome.stdout == "before the end\n"
    assert outcome.setup_error == ""


@pytest.mark.parametrize("detach", [False, True])
def test_a_daemon_does_not_outlive_its_run(rig, detach):
    told = rig.do("daemon", detach=detach, collect=("artefact", "beat"))

    assert told.outcome.ending == "finished"
    assert told.outcome.wall_s < 5
    assert told.outcome.artefacts["artefact"].data == b"genuine"
    assert told.outcome.artefacts["beat"].data
    assert len(told.sessions) >= 2
    assert told.survivors == []


def test_processes_that_replace_each_other_are_ended(rig):
    told = rig.do("hydra")

    assert told.answers == ["grown"]
    assert told.outcome.wall_s < 5
    assert told.survivors == []


def test_what_is_hard_to_remove_is_removed(rig, reachable, monkeypatch):
    place = reachable / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))

    told = rig.do("litter")

    rig.rest()
    assert told.answers == ["littered"], told.outcome
    assert list(place.iterdir()) == []


def test_only_plain_files_come_out(rig, open_folder):
    names = (
        "fifo",
        "symlink",
        "folder",
        "linked/canary.txt",
        "sparse",
        "empty",
        "../x",
        "/etc/passwd",
    )
    limits = replace(rig.limits, artefact=1000)
    told = rig.do("artefacts", canary=str(open_folder / "canary.txt"), collect=names, limits=limits)
    taken = told.outcome.artefacts

    assert {name for name, artefact in taken.items() if artefact.data is not None} == {"empty"}
    assert taken["empty"].data == b""
    assert taken["sparse"].problem == "larger than 1000 bytes"
    for name in ("fifo", "symlink", "folder", "linked/canary.txt"):
        assert taken[name].problem == "not a plain file"


def test_a_worker_that_cannot_be_imported_is_not_the_students_fault(rig):
    outcome = rig.do("", program="broken_import").outcome

    assert "a worker of ours is broken" in outcome.setup_error


@encloses
def test_two_runs_do_not_see_each_other(rig):
    answers = {}

    def run(name):
        answers[name] = rig.do("meet", name=name, other="ab".replace(name, ""))

    runs = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    began = time.monotonic()
    for each in runs:
        each.start()
    for each in runs:
        each.join()

    assert time.monotonic() - began < 5
    assert all(told.outcome.ending == "finished" for told in answers.values())
    assert all(told.answers == [[]] for told in answers.values()), answers


def test_an_installed_package_cannot_be_read(rig, monkeypatch):
    package = Path(pytest.__file__).parent  # as if it were ours: it lies where ours would
    monkeypatch.setattr("grader.sandbox.interior.PACKAGE", package)
    sibling = package.parent / "numpy" / "__init__.py"

    (answers,) = rig.do(
        "read", paths=[str(package), str(package / "__init__.py"), str(sibling)]
    ).answers

    assert answers[str(sibling)] is not None
    if rig.level not in ("none", "uid"):
        assert answers[str(package / "__init__.py")] is None
    if (
        rig.level == "namespaces"
    ):  # Landlock cannot keep names secret in a folder that may be listed
        assert not answers[str(package)]


def test_nothing_is_left_open_on_the_host(rig):
    rig.do("own_process")
    before = _settled_descriptors()
    rig.do("own_process")
    rig.do("", program="broken_import")

    assert _settled_descriptors() <= before


def test_a_fault_of_the_host_ends_the_run(rig):
    def fail(_):
        raise RuntimeError("the host's own fault")

    sandbox = rig.sandbox
    began = time.monotonic()
    with pytest.raises(RuntimeError, match="own fault"):
        sandbox.run(Job(program="deeds", task={"do": "sleep"}), rig.limits, fail)

    assert time.monotonic() - began < 5
    assert not _of_this_run(rig)


def test_a_run_dies_with_its_host_and_leaves_no_folder_for_long(rig, reachable, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(reachable))
    monkeypatch.setattr("tempfile.tempdir", str(reachable))
    host = subprocess.Popen(
        [sys.executable, "-c", _HOST, rig.level, str(PROGRAMS), "forked" if rig.forked else ""],
        stdout=subprocess.PIPE,
    )
    assert host.stdout.readline() == b"awake\n"
    tree = _below(host.pid)
    host.kill()
    host.wait()
    host.stdout.close()
    deadline = time.monotonic() + 5
    while (left := [pid for pid in tree if _lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert tree
    assert left == []
    monkeypatch.setattr("grader.sandbox.boxes._YOUNG_S", 0)
    monkeypatch.setattr("grader.sandbox.groups._YOUNG_S", 0)
    assert rig.do("own_process").outcome.ending == "finished"
    rig.rest()
    assert list(reachable.iterdir()) == []
    assert not _groups_left(rig)


_HOST = """
import sys
from pathlib import Path
from grader.sandbox.interface import Job, Limits
from grader.sandbox import ZygoteSandbox
from grader.sandbox.delegation import find_groups
from grader.sandbox.ladder import Rung, make
rung = Rung(level=sys.argv[1], works=True, description="", groups=find_groups())
sandbox = make(rung, Path(sys.argv[2]))
if sys.argv[3]:
    sandbox = ZygoteSandbox(sandbox, programs=("deeds",))
job = Job(program="deeds", task={"do": "sleep"})
sandbox.run(job, Limits(), lambda _: print("awake", flush=True))
"""


def test_the_description_names_the_rung(rig):
    description = rig.sandbox.isolation.description

    assert description == rung(rig.level).description
    assert description.startswith(
        "NO ISOLATION" if rig.level == "none" else f"Isolation: {rig.level}"
    )


def test_a_missing_rung_is_missing_and_not_broken(offered):
    """Otherwise a fault of ours would be seen by nobody: its tests are skipped."""
    broken = [rung.reason for rung in offered.values() if "self-test failed" in rung.reason]

    assert broken == []
    assert any(rung.works for rung in offered.values() if rung.level != "none"), offered


def _groups_left(rig):
    """Find groups that nobody holds; other graders on this machine hold theirs."""
    parents = rig.groups.parents if rig.groups else ()
    return [left for parent in parents for left in parent.glob("grader-run-*") if not _held(left)]


def _held(group):
    try:
        descriptor = os.open(group, os.O_RDONLY)
    except FileNotFoundError:
        return True  # it went while we looked: somebody has removed it
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _of_this_run(rig):
    """Find what is left below this process, bystanders and servers excepted."""
    below = [pid for pid in _below(os.getpid()) if _lives(pid)]
    return [pid for pid in below if os.getsid(pid) not in rig.idle]


def _below(root):
    return [process.pid for process in descendants(root, fresh=True)]


def _lives(pid):
    process = read(pid)
    return process is not None and process.state != "Z"


def _settled_descriptors():
    """Count open descriptors, once other tests' servers and exceptions have let go of theirs."""
    gc.collect()
    counts = []
    while len(counts) < 5 or len(set(counts[-5:])) > 1:
        counts.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))
        time.sleep(0.05)
    return counts[-1]
