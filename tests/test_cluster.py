"""A class is graded on a real Dask cluster: a scheduler and workers in processes of their own."""

import asyncio
import hashlib
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import cloudpickle
import numpy as np
import pytest
from distributed import Client
from typer.testing import CliRunner

import grader.cli
from grader.assignment import find_assignment, read_assignment
from grader.cluster import open_cluster, station
from grader.cluster.crew import Crew
from grader.cluster.host import Cluster
from grader.cluster.letters import Answer, read_answer, read_order, write_answer, write_order
from grader.cluster.parcel import pack, unpack
from grader.cluster.passport import Passport, common_level, complaints, remedy
from grader.cluster.station import Equipment
from grader.datasets import load
from grader.errors import ClusterError, DataError, SandboxError, WorkerError
from grader.find_out import Findings, Order
from grader.intake.collect import collect
from grader.judging.judgement import Judgement
from grader.keys import circumstances
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.records import Predictions
from grader.workbench import Progress, Shortcuts

PATIENCE_S = 60
LONG_WAY = Shortcuts(zygote=False)
"""Nothing is imported ahead where nothing is run."""
CHECKS = '''
import pytest

@pytest.mark.points(2)
def test_it(execution):
    """It runs."""
    assert execution.ending == "finished"
'''
HIDDEN = '''
import pytest

@pytest.mark.points(1)
def test_the_secret_of_the_hidden_check(execution):
    """Nobody may know of it."""
    assert "quinquagesima"
'''
QUICK = """
# A worker that does as if it ran what it is given.
import os, time
import grader.local
from grader.find_out import Findings
from grader.records import ExecutionRecord
from grader.workbench import Progress

def find_out(order, bench):
    student = order.submission.student
    bench.on_progress(Progress(student=student, stage="executing", detail="cell 1/1"))
    if student == "killer":
        os._exit(1)
    if student == "mistaken":
        raise ZeroDivisionError("ours")
    assert sorted(bench.dataset.served.iterdir())
    time.sleep(0.3)
    return Findings(execution=ExecutionRecord(ending="finished"), judgement=None)

grader.local.find_out = find_out
"""


class Site:
    """A scheduler and its workers, as somebody would start them by hand."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.address = self.file.as_uri()
        self.processes = {}
        self.start("scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0")
        self.until(self.file.exists)

    def start(self, name, kind, *options):
        with (self.folder / f"{name}.log").open("w") as log:
            self.processes[name] = subprocess.Popen(
                [
                    *(sys.executable, "-m", "dask", kind, "--no-dashboard"),
                    *("--scheduler-file", self.file, *options),
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def worker(self, name, preload=""):
        options = ["--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--name", name]
        if preload:
            file = self.folder / f"{name}.py"
            file.write_text(preload, "utf-8")
            options += ["--preload", file]
        self.start(name, "worker", *options)
        return self

    def ready(self, count):
        self.until(lambda: len(self.workers()) == count)
        return self

    def workers(self):
        """The names that workers have by themselves, by the addresses that Dask gave them."""
        with Client(scheduler_file=str(self.file), set_as_default=False) as client:
            return client.run(lambda dask_worker: dask_worker.name)

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)

    def until(self, holds):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)

    def logs(self):
        return "\n".join(file.read_text("utf-8") for file in self.folder.glob("*.log"))

    def close(self):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    site = Site(folder)
    yield site
    site.close()


@pytest.fixture
def assignment(assignment_folder):
    return read_assignment(assignment_folder(checks=CHECKS))


@pytest.fixture
def sent(monkeypatch):
    """Who was asked about whom, in that order: ``[(worker, student), …]``."""
    usual = Cluster._ask
    asked = []

    def ask(self, worker, letter, student):
        asked.append((worker, student))
        return usual(self, worker, letter, student)

    monkeypatch.setattr(Cluster, "_ask", ask)
    return asked


@pytest.fixture
def run(site, assignment, tmp_path, make):
    """Grade a class on the site: ``run(students, …) → reports``."""

    def go(students, on_progress=lambda _: None, **wishes):
        there = {"cluster": site.address, "store": tmp_path / "store", "shortcuts": LONG_WAY}
        wanted = Wishes(**(there | wishes))
        submissions = [
            make.submission(student=student, cells=(f"import time; time.sleep(1); {n}",))
            for n, student in enumerate(students)
        ]
        said = []
        with open_office(
            assignment, tmp_path / "results", wanted, on_progress=on_progress, say=said.append
        ) as office:
            reports = grade(submissions, assignment, office.desk, office.hands, jobs=office.jobs)
        assert [report.submission["student"] for report in reports] == students
        go.said = said
        return reports

    return go


def students(count):
    return [f"s{number}" for number in range(count)]


# ------------------------------------------------------------------ workers come and go


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_worker_killed_in_mid_run_costs_nobody_a_grade(site, run, sent, tmp_path):
    for name in ("one", "two", "three"):
        site.worker(name)
    site.ready(3)
    names = site.workers()
    killed = []

    def kill_who_works(step):
        if step.stage == "executing" and step.detail and not killed:
            victim = next(worker for worker, student in sent if student == step.student)
            killed.append((victim, step.student))
            site.kill(names[victim])

    reports = run(students(7), kill_who_works, shortcuts=Shortcuts())
    (victim, student) = killed[0]
    assert [report.ending for report in reports] == ["finished"] * 7
    assert [report.points for report in reports] == [2] * 7
    asked = [worker for worker, whom in sent if whom == student]
    assert asked[0] == victim
    assert len(asked) == 2
    assert asked[1] != victim
    assert len({worker for worker, _ in sent}) == 3
    assert len(list(tmp_path.glob("results/submissions/*/report.json"))) == 7

    asked = len(sent)
    for where in (site.address, ""):  # what a cluster found out counts at home, too
        steps = []
        reports = run(students(7), steps.append, cluster=where, shortcuts=Shortcuts())
        assert [report.points for report in reports] == [2] * 7
        assert {step.detail for step in steps if step.stage == "done"} == {"known"}
    assert len(sent) == asked


@pytest.mark.sandbox
def test_a_worker_that_joins_late_gets_work(site, run, sent):
    site.worker("early", QUICK).ready(1)

    def start_another(step):
        if step.stage == "done" and "late" not in site.processes:
            site.worker("late", QUICK)

    reports = run(students(30), start_another)
    assert [report.points for report in reports] == [2] * 30
    assert len({worker for worker, _ in sent}) == 2
    assert sorted(student for _, student in sent) == sorted(students(30))


@pytest.mark.sandbox
def test_work_that_kills_three_workers_is_broken_for_itself(site, run, sent):
    for number in range(4):
        site.worker(f"w{number}", QUICK)
    site.ready(4)
    reports = run(["killer", "mistaken", *students(4)])
    broken = dict.fromkeys(["killer", "mistaken"])
    for report in reports:
        if report.submission["student"] in broken:
            assert report.needs_a_person, report.notes
            broken[report.submission["student"]] = " ".join(report.notes)
        else:
            assert (report.points, report.needs_a_person) == (2, False)
    assert "3 workers in a row were lost while they worked on it" in broken["killer"]
    assert "ZeroDivisionError: ours" in broken["mistaken"]
    assert [student for _, student in sent].count("killer") == 3
    assert [student for _, student in sent].count("mistaken") == 1


@pytest.mark.sandbox
def test_a_lost_scheduler_ends_the_wait(site, assignment, tmp_path, make):
    site.worker("only", QUICK).ready(1)
    wishes = Wishes(cluster=site.address, store=tmp_path / "store", shortcuts=LONG_WAY)
    with open_office(assignment, tmp_path / "results", wishes) as office:
        order = Order(submission=make.submission(), assignment=assignment)
        assert office.hands(order).execution.ending == "finished"
        site.kill("scheduler")
        began = time.monotonic()
        with pytest.raises(ClusterError, match="is lost"):
            office.hands(order)
        assert time.monotonic() - began < 45
        with pytest.raises(ClusterError, match="is lost"):
            office.hands(order)


# ------------------------------------------------------------------ workers that do not fit


OTHER = """
import grader.keys
other = {**grader.keys.circumstances(), "keras": "3.0.0"}
grader.keys.circumstances = lambda: other
"""
NO_GRADER = """
import sys
sys.modules["grader"] = None
"""


@pytest.mark.sandbox
def test_other_versions_are_an_error_before_any_work(site, assignment_folder, tmp_path):
    site.worker("fits").worker("differs", OTHER).worker("empty", NO_GRADER).ready(3)
    folder = assignment_folder(checks=CHECKS)
    work = tmp_path / "ada.py"
    work.write_text("print(1)\n", "utf-8")
    result = CliRunner().invoke(
        grader.cli.app,
        ["grade", *map(str, (folder, work, "-o", tmp_path / "out")), "--cluster", site.address],
    )
    assert result.exit_code == 2
    assert "2 of 3 workers" in result.output
    assert f"keras 3.0.0, wanted {circumstances()['keras']}" in result.output
    assert "no usable grader there" in result.output
    assert "Install on every worker" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.sandbox
def test_a_late_worker_that_does_not_fit_gets_no_work(site, run, sent):
    site.worker("early", QUICK).ready(1)

    def start_another(step):
        if step.stage == "done" and "late" not in site.processes:
            site.worker("late", OTHER)

    run(students(30), start_another)
    assert len({worker for worker, _ in sent}) == 1
    assert any("gets no work: keras 3.0.0" in text for text in run.said)


def passport(**changes):
    fitting = Passport(
        worker="tcp://10.0.0.7:4000",
        host="node7",
        grader="0.1.0",
        circumstances=dict(circumstances()),
        level="landlock",
        threads=4,
        memory=8 << 30,
    )
    return replace(fitting, **changes)


def differing(**changes):
    return passport(circumstances={**circumstances(), **changes})


@pytest.mark.parametrize(
    ("shown", "complaint"),
    [
        (passport(), None),
        (differing(tensorflow="2.0"), "tensorflow 2.0, wanted"),
        (differing(programs="other"), "its grader (0.1.0) is not the one here"),
        (differing(python="3.99"), "python 3.99, wanted"),
        (passport(circumstances={}), "keras missing, wanted"),
        (passport(circumstances=None, problem="it does not answer"), "it does not answer"),
        (passport(level=None, problem="No isolation works here."), "No isolation works here."),
        (passport(level="none"), "isolation none, wanted landlock"),
    ],
)
def test_a_passport_is_compared_with_this_machine(shown, complaint):
    found = "; ".join(complaints(shown, "landlock"))
    assert complaint in found if complaint else found == ""


def test_workers_are_no_weaker_than_this_machine_allows(monkeypatch):
    monkeypatch.setenv("GRADER_MIN_ISOLATION", "namespaces")

    assert "GRADER_MIN_ISOLATION" in "; ".join(complaints(passport(), "landlock"))
    assert complaints(passport(level="namespaces"), "namespaces") == []


def test_all_workers_have_one_isolation():
    strong, weak = passport(level="namespaces"), passport()
    assert common_level([weak, strong], None) == "namespaces"
    assert common_level([weak, strong], "landlock") == "landlock"
    assert "--isolation landlock" in remedy([weak, strong], "namespaces")
    assert "keras==" in remedy([differing(keras="3.0.0")], "landlock")


# ------------------------------------------------------------------ no cluster at all


def reach(address):
    return open_cluster(
        address,
        SimpleNamespace(),
        level=None,
        shortcuts=Shortcuts(),
        memory=1,
        on_progress=lambda _: None,
        say=lambda _: None,
    )


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("tcp://127.0.0.1:9", "cannot be reached"),
        ("tcp://127.0.0.1:nine", "cannot be reached"),
        ("smoke://127.0.0.1:9", "is no address"),
        ("127.0.0.1:8786", "is no address"),
        ("file:///nowhere/scheduler.json", "does not exist"),
        ("file:///etc", "Is a directory"),
        (f"file://{__file__}", "not what `dask scheduler --scheduler-file` writes"),
    ],
)
def test_a_wrong_address_is_a_clear_error_within_seconds(address, says):
    began = time.monotonic()
    with pytest.raises(ClusterError, match=says) as caught, reach(address):
        pass
    assert "tcp://HOST:PORT" in str(caught.value)
    assert time.monotonic() - began < 20


def test_tls_needs_keys():
    with pytest.raises(ClusterError, match="wants TLS") as caught, reach("tls://127.0.0.1:9"):
        pass
    assert "distributed.comm.tls" in caught.value.remedy


def test_without_workers_the_wait_ends(site, monkeypatch):
    monkeypatch.setattr("grader.cluster.host.PATIENCE_S", 2.0)
    with pytest.raises(ClusterError, match="has no workers"), reach(site.address):
        pass


def test_without_dask_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r'pip install "keras-grader\[cluster\]"'), reach("x"):
        pass


def test_nobody_else_imports_dask():
    code = "import grader.cli, grader.office, sys; assert 'distributed' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------ what travels


@pytest.fixture
def secretive(assignment_folder, little_toml):
    toml = f"{little_toml}\n[thresholds.accuracy]\nat_least = 0.87654321\n"
    return read_assignment(assignment_folder(toml=toml, checks=CHECKS, hidden=HIDDEN))


@pytest.mark.sandbox
def test_no_label_check_or_threshold_leaves_this_machine(
    site, secretive, tmp_path, make, monkeypatch
):
    site.worker("only", QUICK).ready(1)
    travelled = []
    for name in ("submit", "run"):
        usual = getattr(Client, name)

        def spy(self, *args, usual=usual, **kwargs):
            travelled.append(cloudpickle.dumps((args, kwargs)))
            return usual(self, *args, **kwargs)

        monkeypatch.setattr(Client, name, spy)
    wishes = Wishes(cluster=site.address, store=tmp_path / "store", shortcuts=LONG_WAY)
    with open_office(secretive, tmp_path / "results", wishes) as office:
        dataset = office.desk.bench.dataset
        grade([make.submission()], secretive, office.desk, office.hands)
    assert len(travelled) == 4  # passport, furnishing, order, clearing
    labels = dataset.labels()
    said = b"".join(travelled)
    assert len(said) > 1_000_000
    for secret in (
        *(labels[:50].astype(kind).tobytes() for kind in ("uint8", "int32", "int64", "float32")),
        dataset.labels_file.read_bytes()[-200:],
        dataset.labels_sha256.encode(),
        str(dataset.labels_file.parent).encode(),
        b"0.87654321",
        *(struct.pack(form, 0.87654321) for form in ("<d", ">d")),
        b"quinquagesima",
        b"test_the_secret",
        b"hidden_little",
        b"It runs.",
        str(secretive.folder).encode(),
    ):
        assert secret not in said


def test_an_order_arrives_without_what_it_is_judged_by(secretive, make):
    work = make.submission(files={"net.py": b"1"})
    order = read_order(write_order(Order(submission=work, assignment=secretive, archive=b"2")))
    assert order.submission.cells == work.cells
    assert order.submission.files == work.files
    assert order.archive == b"2"
    assert order.assignment.settings.limits == secretive.settings.limits
    assert order.assignment.settings.thresholds.accuracy is None
    with pytest.raises(WorkerError):
        read_order(pickle.dumps("something else"))


def test_an_answer_arrives_as_it_was_sent(make):
    digest = hashlib.sha256(b"8 bytes!").hexdigest()
    judgement = Judgement(predictions=(Predictions(form="x", shape=(1, 2), sha256=digest),))
    findings = Findings(
        execution=make.execution(),
        judgement=judgement,
        blobs={digest: b"8 bytes!"},
        seconds={"executing": 1.5},
    )
    assert read_answer(write_answer(findings)) == findings
    asked = replace(findings, judgement=None, own=replace(judgement, where="student sandbox"))
    assert read_answer(write_answer(asked)) == asked
    with pytest.raises(WorkerError, match="predictions are not as many"):
        read_answer(write_answer(replace(asked, blobs={})))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(facts=b"{}"), "cannot be read"),
        (Answer(facts=b"\x80"), "cannot be read"),
        (Answer(fault="no memory"), "no memory"),
    ],
)
def test_an_answer_is_not_believed_unseen(answer, says):
    with pytest.raises(WorkerError, match=says):
        read_answer(answer)


def test_a_damaged_answer_is_noticed(make):
    answer = write_answer(Findings(execution=make.execution(), judgement=None))
    with pytest.raises(WorkerError, match="damaged"):
        read_answer(replace(answer, blobs={"0" * 64: b"x"}))


def test_data_arrives_whole_and_without_labels(tmp_path):
    dataset = load("mnist")
    parcel = pickle.loads(pickle.dumps(pack(dataset)))
    there = unpack(parcel, tmp_path)
    assert there.samples == dataset.samples
    assert there.train_facts == dataset.train_facts
    inputs = np.load(there.held_out / "inputs.npy")
    assert np.array_equal(inputs, np.load(dataset.held_out / "inputs.npy"))
    assert not there.held_out.stat().st_mode & 0o077
    with pytest.raises(DataError, match="damaged"):
        there.labels()


def test_folders_in_what_is_served_arrive_with_their_files_and_lead_nowhere_else(tmp_path):
    inner = tmp_path / "served" / "target" / "batches"
    inner.mkdir(parents=True)
    (inner / "data_batch_1").write_bytes(b"pixels")
    parcel = pack(replace(load("mnist"), served=tmp_path / "served"))
    (kept,) = parcel.served.values()
    hostile = ("../../out", "/etc/out")
    parcel = replace(
        parcel,
        served={**parcel.served, **dict.fromkeys(hostile, kept)},
        sha256={**parcel.sha256, **dict.fromkeys(hostile, hashlib.sha256(kept).hexdigest())},
    )
    (tmp_path / "deep" / "there").mkdir(parents=True)
    there = unpack(parcel, tmp_path / "deep" / "there").served
    assert (there / "target" / "batches" / "data_batch_1").read_bytes() == b"pixels"
    assert (there / "target").stat().st_mode & 0o777 == 0o755
    assert set(tmp_path.rglob("out")) == {there / "out", there / "etc" / "out"}


def test_damaged_data_is_noticed(tmp_path):
    parcel = pack(load("mnist"))
    name = next(iter(parcel.served))
    with pytest.raises(DataError, match="damaged on its way"):
        unpack(replace(parcel, served={name: b"other"}), tmp_path)
    (tmp_path / "full").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        unpack(parcel, tmp_path / "full")


# ------------------------------------------------------------------ on a worker


class FakeWorker:
    """As much of a Dask worker as a station touches."""

    address = "tcp://10.0.0.7:4000"
    state = SimpleNamespace(nthreads=3)

    def __init__(self, limit=1 << 30):
        self.plugins = {}
        self.told = []
        self.memory_manager = SimpleNamespace(memory_limit=limit)

    async def plugin_add(self, plugin, name):
        self.plugins[name] = plugin

    async def plugin_remove(self, name):
        await self.plugins.pop(name).teardown(self)

    def log_event(self, topic, message):
        self.told.append((topic, message["stage"], message["detail"]))


@pytest.fixture
def furnish():
    """Open a station on a worker of this process: ``furnish(batch) → worker``."""
    worker = FakeWorker()
    equipment = Equipment(level="none", shortcuts=LONG_WAY, memory=1)
    parcel = pack(load("mnist"))

    def go(batch, **changes):
        wanted = replace(parcel, **changes)
        go.problem = asyncio.run(station.furnish(batch, equipment, wanted, worker))
        return worker

    yield go
    for batch in list(worker.plugins):
        asyncio.run(station.clear(batch, worker))
    assert station._stations == {}


@pytest.fixture
def letter(assignment, make):
    return write_order(Order(submission=make.submission(), assignment=assignment))


@pytest.fixture
def found(monkeypatch):
    """What is found out on this worker; an exception is raised."""
    answers = []

    def find_out(order, bench):
        for detail in ("", "cell 1/2", "cell 2/2"):
            step = Progress(student=order.submission.student, stage="executing", detail=detail)
            bench.on_progress(step)
        answer = answers.pop(0)
        if callable(answer):
            answer = answer(bench)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("grader.local.find_out", find_out)
    return answers


def test_a_station_works_for_its_batch_until_it_is_cleared(furnish, letter, found, make):
    findings = Findings(execution=make.execution(), judgement=None)
    folders = []
    found.append(lambda bench: folders.append(bench.dataset.served) or findings)
    assert not station.visit("class", letter).is_furnished
    worker = furnish("class")
    assert furnish.problem == ""
    assert read_answer(station.visit("class", letter)) == findings
    assert worker.told == [("class", "executing", ""), ("class", "executing", "cell 1/2")]
    assert folders[0].is_dir()
    furnish("class")
    asyncio.run(station.clear("class", worker))
    asyncio.run(station.clear("class", worker))
    assert not folders[0].exists()
    assert not station.visit("class", letter).is_furnished


def test_a_station_is_not_closed_over_its_guests(furnish, letter, found, make):
    worker = furnish("class")

    def clear_meanwhile(bench):
        asyncio.run(station.clear("class", worker))
        assert bench.dataset.served.is_dir()
        served.append(bench.dataset.served)
        return Findings(execution=make.execution(), judgement=None)

    served = []
    found.append(clear_meanwhile)
    assert not station.visit("class", letter).fault
    assert not served[0].exists()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (WorkerError("The judge was ended: killed."), "The judge was ended: killed. (on worker"),
        (ZeroDivisionError("ours"), "ZeroDivisionError: ours ("),
    ],
)
def test_a_fault_on_a_worker_is_an_answer(furnish, letter, found, error, says):
    furnish("class")
    found.append(error)
    answer = station.visit("class", letter)
    assert says in answer.fault
    assert FakeWorker.address in answer.fault


def test_a_station_that_cannot_be_opened_says_why(furnish):
    furnish("class", served={"mnist.npz": b"other"})
    assert "damaged on its way" in furnish.problem
    furnish("class", served=None)
    assert "AttributeError" in furnish.problem


def test_a_forgotten_station_is_closed_by_the_next_batch(furnish, monkeypatch):
    furnish("killed")
    monkeypatch.setattr(station, "FORGOTTEN_S", -1.0)
    furnish("next")
    assert set(station._stations) == {"next"}


def test_a_worker_shows_its_passport(monkeypatch):
    shown = asyncio.run(station.show_passport("none", FakeWorker()))
    assert (shown["threads"], shown["level"], shown["memory"]) == (3, "none", 1 << 30)
    assert complaints(Passport(**shown), "none") == []
    assert asyncio.run(station.show_passport("none", FakeWorker(None)))["memory"] > 0
    broken = SandboxError("Isolation 'uid' does not work here")
    monkeypatch.setattr(station, "open_sandbox", mock.Mock(side_effect=broken))
    assert "uid" in asyncio.run(station.show_passport("uid", FakeWorker()))["problem"]


def test_a_worker_whose_grader_fails_says_so(monkeypatch):
    monkeypatch.setattr(station, "circumstances", lambda: 1 / 0)
    shown = asyncio.run(station.show_passport("none", FakeWorker()))
    assert "its grader fails (ZeroDivisionError" in shown["problem"]


# ------------------------------------------------------------------ who is free


def test_places_are_given_out_once():
    crew = Crew(lambda: "nobody")
    crew.join("a", 1)
    with crew.place() as first:
        assert first == "a"
        taken = []

        def take():
            with crew.place() as second:
                taken.append(second)

        waiting = threading.Thread(target=take)
        waiting.start()
        waiting.join(0.2)
        assert taken == []
        crew.join("b", 2)
        waiting.join(5)
        assert taken == ["b"]
    assert crew.places == 3


def test_who_left_gets_nothing_back():
    crew = Crew(lambda: "nobody")
    crew.join("a", 1)
    with crew.place():
        crew.leave("a")
        crew.join("a", 1)
        with crew.place():
            pass
    assert crew.places == 1
    crew.leave("a")
    crew.leave("a")
    assert crew.members() == []


def test_where_nobody_is_left_the_wait_ends_for_all():
    crew = Crew(lambda: "nobody is left", patience=0.1)
    for _ in range(2):
        with pytest.raises(ClusterError, match="nobody is left"), crew.place():
            pass
    crew.dismiss("later")
    with pytest.raises(ClusterError, match="nobody is left"), crew.place():
        pass


# ------------------------------------------------------------------ the same as here


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_cluster_finds_out_what_this_machine_finds_out(site, tmp_path):
    site.worker("one").worker("two").ready(2)
    assignment = read_assignment(find_assignment("mnist_softmax"))
    samples = [assignment.folder / "samples" / name for name in ("ada.ipynb", "chen.py")]
    found = {}
    for where, address in (("here", ""), ("there", site.address)):
        wishes = Wishes(cluster=address, store=tmp_path / where / "store")
        with open_office(assignment, tmp_path / where, wishes) as office:
            reports = grade(collect(samples), assignment, office.desk, office.hands, jobs=2)
            predictions = [
                (office.desk.folder(name) / "predictions.f32").read_bytes()
                for name in ("ada", "chen")
            ]
        found[where] = ([_without_times(each) for each in reports], predictions)
    assert found["here"][1] == found["there"][1]
    for here, there in zip(found["here"][0], found["there"][0], strict=True):
        assert here == there


def _without_times(report):
    fits = tuple(replace(fit, seconds=0) for fit in report.fits)
    return replace(report, seconds={}, fits=fits)
