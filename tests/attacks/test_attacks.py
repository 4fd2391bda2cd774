"""What hostile submissions try, tried on the whole grader.

Each attack is a submission among others of a class, graded on every rung that this machine has.
The same attack is tried where its defence is missing, and succeeds there: on a grader of thirty
lines (``naive.py``), on the rung ``none``, or in what the student's own process measures.
"""

import base64
import io
import json
import os
import resource
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import nbformat
import pytest
from classroom import FIRST, LAST
from corpus import ATTACKS, CLAIM
from rich.console import Console
from world import MARKER, lines

from grader.report.as_json import as_data
from grader.report.terminal import show_class, show_one
from grader.sandbox.ladder import OFFERED, rung

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]
NAIVE = Path(__file__).with_name("naive.py")
WALL_S, GRACE_S = 10, 5
_MEMORY_ROW = 4
NAMES = {attack.name: attack for attack in ATTACKS}
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
CONTROLS_ON_NONE = tuple(attack for attack in ATTACKS if attack.control == "rung none")


def shown(graded, student):
    """Every byte that a student may be given, and every byte that came out of the sandbox."""
    report = graded.reports[student]
    data = [json.dumps(as_data(report, for_student=True), ensure_ascii=False).encode()]
    folder = graded.results / "submissions" / student
    data += [path.read_bytes() for path in folder.iterdir() if path.name != "report.json"]
    return b"\n".join([*data, graded.said[student]])


# ------------------------------------------------------------------ on every rung


@each_attack
def test_the_attack_does_not_succeed(graded, world, attack):
    for student in attack.students:
        assert lines(shown(graded, student), "SUCCEEDED", attack.name, world.token) == []


@each_attack
def test_the_attack_earns_what_it_should(graded, attack):
    for student in attack.students:
        report = graded.reports[student]
        passed = {check.name for check in report.checks if check.outcome == "passed"}

        assert passed == set(attack.earns), report.notes
        assert not any(check.outcome == "broken" for check in report.checks), report.checks


@each_attack
def test_the_attack_has_one_outcome_in_time(graded, attack):
    for student in attack.students:
        report = graded.reports[student]
        folder = graded.results / "submissions" / student

        assert report.ending in attack.ending, (report.notes, report.cells)
        assert report.seconds["run"] < WALL_S + GRACE_S
        assert json.loads((folder / "report.json").read_text("utf-8"))["ending"] == report.ending
        assert not (folder / "grader-error.txt").exists()


def test_every_submission_has_one_report(graded):
    handed_in = [student for attack in ATTACKS for student in attack.students]
    folders = [path.name for path in (graded.results / "submissions").iterdir()]
    rows = (graded.results / "grades.csv").read_text("utf-8").splitlines()

    assert sorted(graded.reports) == sorted(folders) == sorted([*handed_in, FIRST, LAST])
    assert len(rows) == 1 + len(handed_in) + 2


def test_no_canary_reaches_a_student(graded, world):
    found = {student: world.secrets_in(shown(graded, student)) for student in graded.reports}

    assert {student: places for student, places in found.items() if places} == {}


def test_no_canary_but_the_hidden_checks_own_reaches_the_results(graded, world):
    files = [path for path in graded.results.rglob("*") if path.is_file()]

    assert files
    for path in files:
        assert world.secrets_in(path.read_bytes(), but=("hidden",)) == [], path


def test_the_search_finds_a_canary_in_every_disguise(world):
    secret = world.canaries["home"].encode()

    for form in (secret, secret[::-1], secret.hex().encode(), base64.b64encode(b"x" + secret)):
        assert world.secrets_in(b"before " + form + b" after") == ["home"]
    assert world.secrets_in(b"".join(str(bit).encode() for bit in world.labels)) == ["labels"]
    assert world.secrets_in(world.first_input.tobytes()) == ["inputs"]
    assert world.secrets_in(b"nothing") == []


def test_the_honest_neighbours_keep_their_score(graded):
    first, last = graded.reports[FIRST], graded.reports[LAST]

    for report in (first, last):
        assert report.points == report.out_of == 9, report.checks
        assert b"rows of the marker: 0" in graded.said[report.submission["student"]]
    assert first.measurement.predictions_sha256 == last.measurement.predictions_sha256
    assert first.environment == last.environment


def test_nothing_is_left_over(graded):
    assert graded.survivors == []
    assert graded.contacts == 0
    assert graded.new_files == []


def test_what_is_judged_is_what_lies_in_the_results(graded):
    judged = {sha256(model).hexdigest() for model, _ in graded.judged}
    kept = {
        path.parent.name: sha256(path.read_bytes()).hexdigest()
        for path in graded.results.rglob("model.keras")
    }

    assert kept.keys() >= {FIRST, LAST}
    refused = {
        student
        for student, report in graded.reports.items()
        if any("refused" in note for note in report.notes)
    }
    assert {student for student, digest in kept.items() if digest not in judged} <= refused


def test_the_judge_tells_a_student_nothing_of_its_inputs(graded):
    student = "11_error_with_inputs"
    theirs = as_data(graded.reports[student], for_student=True)

    assert str(MARKER).encode() not in shown(graded, student)
    assert not {"examining", "measuring"} & set(theirs["seconds"])


def test_no_code_for_a_terminal_reaches_a_reader(graded):
    report = graded.reports["26_speaks_like_the_grader"]
    out = io.StringIO()
    console = Console(file=out, force_terminal=False, width=200)
    show_one(report, console)
    show_class([report], console)
    read = out.getvalue() + (graded.results / "grades.csv").read_text("utf-8")

    assert "9 of 9 points" in read
    assert not {"\x1b", "\x07", "\u202e"} & set(read)


def test_saved_outputs_are_no_evidence(graded):
    executed = graded.results / "submissions" / "28_saved_outputs" / "executed.ipynb"
    notebook = nbformat.read(executed, as_version=4)

    assert "nothing was trained" in str(notebook)
    assert CLAIM not in str(notebook)


# ------------------------------------------------------------------ where nothing stands in the way


@each_attack
def test_the_attack_succeeds_where_its_defence_is_missing(attack, world, tmp_path, class_of):
    if not attack.control:
        assert attack.why
        return
    if attack.control in ("claims", "judge", "rung none"):
        _CLASS_CONTROLS[attack.control](attack, world, class_of)
    else:
        _CONTROLS[attack.control](_Place(attack, world, tmp_path))


class _Place:
    """A student's folder on a machine without a grader."""

    def __init__(self, attack, world, folder):
        self.attack, self.world, self.folder = attack, world, folder / "work"
        told = world.told(os.getpid())
        self.work = attack.hand_in("", self.folder, world.token, told)
        if attack.notebook:
            cells = json.loads(self.work.read_text("utf-8"))["cells"]
            self.work = self.folder / "work.py"
            self.work.write_text("\n".join(cell["source"] for cell in cells), "utf-8")
        self.hidden = world.assignment / "hidden_attacked.py"
        self.environment = {
            **os.environ,
            "HOME": str(folder / "home"),
            "KERAS_HOME": str(folder / "home" / ".keras"),
            "IPYTHONDIR": str(folder / "home" / ".ipython"),
            "TMPDIR": str(folder),
            "CUDA_VISIBLE_DEVICES": "",
        }
        (folder / "home").mkdir()

    def run(self, *command, **environment):
        """Run a program there; gives its status and what it printed."""
        output = self.folder.parent / "output"
        with output.open("wb") as file:
            done = subprocess.run(
                [sys.executable, *map(str, command)],
                cwd=self.folder,
                env=self.environment | environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=60,
            )
        return done.returncode, output.read_bytes()

    def naive(self, works=1, **environment):
        """Have the naive grader grade it."""
        return self.run(NAIVE, self.hidden, *[self.work] * works, **environment)

    def succeeded(self, told):
        """Whether the attack said so."""
        return lines(told[1], "SUCCEEDED", self.attack.name, self.world.token)


def _harness(place):
    told = place.naive()
    if place.attack.row == _MEMORY_ROW and os.geteuid() and _yama() != "0":
        pytest.skip("this kernel forbids a process the memory of its parent (Yama)")
    assert place.succeeded(told), told


def _yama():
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return scope.read_text("ascii").strip() if scope.exists() else "0"


def _core(place):
    if not resource.getrlimit(resource.RLIMIT_CORE)[1]:
        pytest.skip("no process of this machine may dump its memory")
    told = place.naive()
    assert place.succeeded(told), told
    for dump in place.folder.glob("core*"):
        dump.unlink()


def _two_processes(place):
    try:
        assert not place.succeeded(place.naive())
        told = place.naive()
        assert place.succeeded(told), told
    finally:
        for left in ("/tmp", "/dev/shm", "/var/tmp", place.world.home):
            Path(left, f"attack-left-{place.world.token}").unlink(missing_ok=True)


def _one_process(place):
    told = place.naive(works=2)
    assert place.succeeded(told), told


def _two_ipythons(place):
    command = ("-m", "IPython", "--no-banner", "--colors=NoColor", place.work)
    assert not place.succeeded(place.run(*command))
    told = place.run(*command)
    assert place.succeeded(told), told


def _python_path(place):
    told = place.naive(PYTHONPATH=str(place.folder))
    assert place.succeeded(told), told


def _pytest(place):
    told = place.run("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider")
    assert place.succeeded(told), told


def _results_file(place):
    try:
        assert b"SCORE: 100" in place.naive()[1].splitlines()
    finally:
        for name in ("results.json", "report.json", "report.html", "grades.csv"):
            (place.world.home / name).unlink(missing_ok=True)
            (place.folder.parent / name).unlink(missing_ok=True)


def _printed_score(place):
    said = [line for line in place.naive()[1].splitlines() if line.startswith(b"SCORE:")]
    assert said[0] == b"SCORE: 100"


def _exit_status(place):
    status, said = place.naive()
    assert status == 0
    assert b"SCORE" not in said


def _outlives(place):
    place.naive()
    file = place.folder / "model-0.keras"
    before = file.stat().st_size
    time.sleep(0.3)
    assert file.stat().st_size > before


def _holds(place):
    command = [sys.executable, NAIVE, place.hidden, place.work]
    with subprocess.Popen(
        command, cwd=place.folder, env=place.environment, stdout=subprocess.PIPE
    ) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=2)
        assert process.poll() == 0  # it has ended, and whoever waits for its output does not know


def _saved_outputs(place):
    assert CLAIM in (place.folder / "work.ipynb").read_text("utf-8")


def _claims(attack, world, class_of):
    said = lines(class_of(_strongest()).said[attack.name], "CLAIMED", attack.name, world.token)

    assert [value for value in said if value and float(value) >= 0.99], said


def _judge(_attack, _world, class_of):
    assert any(str(MARKER) in said for _, said in class_of(_strongest()).judged)


def _rung_none(attack, world, class_of):
    graded = class_of("none", CONTROLS_ON_NONE)
    assert lines(graded.said[attack.name], "SUCCEEDED", attack.name, world.token)


def _strongest():
    return next(level for level in OFFERED if rung(level).works)


_CLASS_CONTROLS = {"claims": _claims, "judge": _judge, "rung none": _rung_none}
_CONTROLS = {
    "harness": _harness,
    "core": _core,
    "two processes": _two_processes,
    "one process": _one_process,
    "two IPythons": _two_ipythons,
    "python path": _python_path,
    "pytest": _pytest,
    "results file": _results_file,
    "printed score": _printed_score,
    "exit status": _exit_status,
    "outlives": _outlives,
    "holds": _holds,
    "saved outputs": _saved_outputs,
}
