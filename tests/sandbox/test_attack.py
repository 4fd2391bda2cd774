"""``grader doctor --attack``: the attacks fail where a rung holds, and are seen where none does."""

import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import grader.cli
from grader.sandbox import attack as room
from grader.sandbox.attack import Attempt, attack
from grader.sandbox.interface import Outcome
from grader.sandbox.ladder import OFFERED, make, rung
from grader.sandbox.selftest import PROGRAMS


def doctor():
    return CliRunner().invoke(grader.cli.app, ["doctor", "--attack"], env={"COLUMNS": "150"})


def attempts(*held):
    return [Attempt(attack=f"do {n}", held=each, found="seen") for n, each in enumerate(held)]


@pytest.mark.parametrize(
    ("held", "code", "says"),
    [
        ((True, True), 0, "All of it held."),
        ((True, False, False), 1, "2 of them got through: do not grade strangers' work here"),
    ],
)
def test_what_did_not_hold_is_said_and_is_the_exit_code(monkeypatch, held, code, says):
    sandbox = SimpleNamespace(isolation=SimpleNamespace(level="landlock"))
    monkeypatch.setattr("grader.report.attacks.open_sandbox", lambda *_, **__: sandbox)
    monkeypatch.setattr("grader.report.attacks.attack", lambda _: attempts(*held))

    result = doctor()

    assert result.exit_code == code, result.output
    assert says in result.stdout
    assert result.stdout.count("NOT HELD") == held.count(False)
    assert result.stdout.count("✓ held") == held.count(True)


@pytest.mark.sandbox
@pytest.mark.parametrize("level", [level for level in OFFERED if level != "none"])
def test_a_rung_that_works_holds(level):
    tried = rung(level)
    if not tried.works:
        pytest.skip(f"{level}: {tried.reason}")

    found = list(attack(make(tried, PROGRAMS)))

    assert len(found) == 13
    assert [attempt for attempt in found if not attempt.held] == []


@pytest.mark.sandbox
def test_where_there_is_no_isolation_the_attacks_are_seen_to_succeed():
    found = {attempt.attack: attempt for attempt in attack(make(rung("none"), PROGRAMS))}
    got_through = {words for words, attempt in found.items() if not attempt.held}

    assert {"read a file of yours", "write into your folders", "reach the network"} <= got_through
    assert "start processes without end" not in got_through


class Nothing:
    """A sandbox in which nothing happens, and which says so or something worse."""

    isolation = SimpleNamespace(level="landlock")

    def __init__(self, **outcome):
        self.outcome = outcome

    def run(self, job, _limits, _hear):
        known = {"exit_code": 0, "stdout": "", "stderr": "", "wall_s": 0.0, "cpu_s": 0.0}
        artefacts = {name: SimpleNamespace(data=self.outcome.get("data")) for name in job.collect}
        return Outcome(
            ending=self.outcome.get("ending", "finished"),
            artefacts=artefacts,
            peak_memory=0,
            setup_error=self.outcome.get("setup_error", ""),
            **known,
        )


def test_a_limit_that_ended_nothing_did_not_hold():
    found = [attempt for attempt in attack(Nothing()) if not attempt.held]

    assert [attempt.attack for attempt in found] == [
        "start processes without end",
        "use memory without end",
        "write without end",
        "print without end",
        "run for ever, deaf to every signal",
    ]
    assert "its timeout limit did not end it" in found[-1].found


def test_a_file_that_was_taken_is_seen():
    found = {attempt.attack: attempt for attempt in attack(Nothing(data=b"secret"))}

    assert found["hand in a link to your file as its model"].found == "the file was taken"


def test_what_cannot_be_run_is_no_success():
    with pytest.raises(room.SandboxError, match="no namespaces"):
        list(attack(Nothing(setup_error="no namespaces")))


def test_nothing_is_left_of_the_target(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = dict(room.os.environ)

    list(attack(Nothing()))

    assert list(tmp_path.iterdir()) == []
    assert dict(room.os.environ) == before
    assert "grader.sandbox.inside.deeds" not in sys.modules
