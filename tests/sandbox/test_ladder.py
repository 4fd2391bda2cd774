"""Which rung is taken, and what is said when none can be."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.sandbox import bubblewrap, forks, interior, ladder, open_sandbox, try_ahead
from grader.sandbox.interface import Job, Limits
from grader.sandbox.plan import Doors, write
from grader.sandbox.selftest import Proof
from grader.sandbox.users import FIRST, LAST, own_user


@pytest.fixture
def fresh():
    ladder.trying.cache_clear()
    bubblewrap.version.cache_clear()
    yield
    ladder.trying.cache_clear()
    bubblewrap.version.cache_clear()


@pytest.fixture
def proofs(fresh, monkeypatch):  # noqa: ARG001 - it empties what was remembered
    """Decide what the self-tests find."""
    found = {level: Proof(attempts=9, landlock=7) for level in ("namespaces", "landlock", "uid")}
    monkeypatch.setattr(ladder, "closed_to_runs", lambda: None)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(ladder, "prove", lambda sandbox, _: found[sandbox.isolation.level])
    monkeypatch.setattr(bubblewrap, "version", lambda: (0, 8, 0))
    return found


@pytest.mark.usefixtures("proofs")
def test_the_strongest_rung_that_works_is_taken():
    assert open_sandbox(None).isolation.level == "namespaces"


@pytest.mark.usefixtures("proofs")
def test_what_is_tried_ahead_is_tried_once_and_a_fault_is_no_answer(monkeypatch):
    told = []

    def prove(sandbox, _):
        told.append(sandbox.isolation.level)
        if len(told) == 1:
            raise MemoryError
        return Proof(attempts=9)

    monkeypatch.setattr(ladder, "prove", prove)
    try_ahead("nonsense")
    assert told == []
    try_ahead(None)
    with pytest.raises(MemoryError):
        open_sandbox(None)
    try_ahead("namespaces")
    assert open_sandbox(None).isolation.level == "namespaces"
    assert told == ["namespaces", "namespaces"]


def test_the_next_rung_is_taken_where_the_first_fails(proofs):
    proofs["namespaces"] = Proof(failure="setting up uid map: Permission denied")

    assert open_sandbox(None).isolation.level == "landlock"


def test_a_rung_whose_self_test_fails_is_no_rung(proofs):
    proofs["namespaces"] = replace(proofs["namespaces"], allowed=("reach the network",))

    rung = ladder.rung("namespaces")

    assert not rung.works
    assert rung.reason.endswith("from inside it was possible to reach the network")


def test_no_step_goes_below_the_minimum(proofs):
    proofs["namespaces"] = Proof(failure="bad luck")

    with pytest.raises(SandboxError, match="namespaces: bad luck") as caught:
        open_sandbox(None, minimum="namespaces")
    assert "AppArmor" in caught.value.remedy
    assert "`--isolation none`" in caught.value.remedy


@pytest.mark.parametrize("minimum", ["landlock", "uid", "none"])
def test_without_any_rung_there_is_no_silent_step_to_none(proofs, minimum):
    proofs.update(dict.fromkeys(proofs, Proof(failure="bad luck")))

    with pytest.raises(SandboxError, match=r"landlock: bad luck") as caught:
        open_sandbox(None, minimum=minimum)
    assert ("uid: bad luck" in caught.value.message) == (minimum != "landlock")


def test_the_rung_of_users_is_taken_only_when_asked_for(proofs):
    proofs["namespaces"] = proofs["landlock"] = Proof(failure="bad luck")

    with pytest.raises(SandboxError) as caught:
        open_sandbox(None)
    assert "`--isolation uid`" in caught.value.remedy
    for sandbox in (open_sandbox("uid"), open_sandbox(None, minimum="uid")):
        assert sandbox.isolation.level == "uid"
        assert "[self-test 9/9], but could read" in sandbox.isolation.description


def test_below_what_the_owner_of_a_machine_allows_nothing_is_taken_not_even_by_name(
    proofs, monkeypatch
):
    monkeypatch.setenv("GRADER_MIN_ISOLATION", "landlock")

    for weaker in ("uid", "none"):
        with pytest.raises(SandboxError, match="weaker than 'landlock'") as caught:
            open_sandbox(weaker)
        assert "GRADER_MIN_ISOLATION" in caught.value.message
        assert ladder.rung(weaker).is_forbidden
    assert open_sandbox("landlock").isolation.level == "landlock"

    proofs["namespaces"] = proofs["landlock"] = Proof(failure="bad luck")
    ladder.trying.cache_clear()
    with pytest.raises(SandboxError, match="landlock: bad luck") as caught:
        open_sandbox(None)
    assert "--isolation" not in caught.value.remedy


def test_the_owner_of_a_machine_may_allow_less(proofs, monkeypatch):
    proofs["namespaces"] = proofs["landlock"] = Proof(failure="bad luck")
    monkeypatch.setenv("GRADER_MIN_ISOLATION", "uid")

    assert open_sandbox(None).isolation.level == "uid"
    assert not ladder.rung("uid").must_be_asked_for
    assert ladder.rung("none").must_be_asked_for


def test_a_minimum_that_is_no_level_is_an_error(monkeypatch):
    monkeypatch.setenv("GRADER_MIN_ISOLATION", "strong")

    with pytest.raises(SandboxError, match="GRADER_MIN_ISOLATION=strong") as caught:
        open_sandbox(None)
    assert "namespaces, landlock, uid, none" in caught.value.remedy


@pytest.mark.parametrize(
    ("user", "closed", "failure", "reason", "remedy"),
    [
        (1000, None, "", "does not run as root", "`sudo`"),
        (0, Path("/root"), "", "cannot enter or read /root", "`chmod o+x /root`"),
        (0, None, "seccomp: Function not implemented", "seccomp: Function", "seccomp filters"),
    ],
    ids=["no root", "closed interpreter", "no seccomp"],
)
def test_why_the_rung_of_users_is_missing_is_told(
    proofs, monkeypatch, user, closed, failure, reason, remedy
):
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr(ladder, "closed_to_runs", lambda: closed)
    proofs["uid"] = Proof(failure=failure)

    with pytest.raises(SandboxError, match=reason) as caught:
        open_sandbox("uid")
    assert remedy in caught.value.remedy


def test_a_rung_asked_for_by_name_is_had_or_is_an_error(proofs):
    proofs["landlock"] = proofs["uid"] = Proof(failure="Landlock ABI 0 here, 6 is needed")

    assert open_sandbox("none").isolation.description.startswith("NO ISOLATION")
    with pytest.raises(SandboxError, match="'landlock' does not work here: Landlock ABI 0"):
        open_sandbox("landlock")
    with pytest.raises(SandboxError, match="'uid'"):
        open_sandbox("uid")


@pytest.mark.sandbox
def test_forks_are_tried_on_every_rung_that_works(offered):
    tried = {rung.level: forks(rung.level) for rung in offered.values() if rung.works}

    assert all(tried[level].holds for level in tried if level != "none"), tried


@pytest.mark.usefixtures("fresh")
def test_missing_bubblewrap_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert "not installed" in ladder.rung("namespaces").reason
    assert "Install" in ladder.rung("namespaces").remedy


def test_the_environment_is_made_by_us_alone(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LD_PRELOAD", "x.so")

    environment = interior.environment("/box")

    assert "secret" not in str(environment)
    assert environment["HOME"] == "/box/home"
    assert not {name for name in environment if name.startswith("LD_")}
    assert set(interior.folders("/box")) >= {environment["TMPDIR"], environment["KERAS_HOME"]}


def test_an_installed_package_is_hidden_wherever_it_shows(monkeypatch):
    package = Path(pytest.__file__).parent
    monkeypatch.setattr(interior, "PACKAGE", package)

    assert package in interior.hidden()
    whole, listed = interior.grants()
    assert not any(package.is_relative_to(path) for path in whole)
    assert package.parent in listed


def test_a_checkout_below_the_interpreter_is_hidden_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(interior, "_SYSTEM", (str(tmp_path),))
    checkout = tmp_path / "src" / "keras-grader"
    (checkout / "grader").mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    monkeypatch.setattr(interior, "PACKAGE", checkout / "grader")

    assert checkout in interior.hidden()


def test_a_course_folder_that_is_a_virtual_environment_stays_outside(monkeypatch, tmp_path):
    for name in ("bin", "lib", "assignments"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("sys.prefix", str(tmp_path))

    shown = interior.visible()

    assert tmp_path / "lib" in shown
    assert not any((tmp_path / "assignments").is_relative_to(path) for path in shown)


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "", "a\0b"])
def test_files_are_laid_in_below_the_work_folder_only(name):
    job = Job(program="kernel", task={}, files={name: b""})
    doors = Doors(box="/box", workers="/w", places={}, tasks=10)

    with pytest.raises(ValueError, match="below the work folder"):
        write(job, Limits(), doors)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives runs users of their own")
def test_no_two_runs_share_a_user():
    with own_user() as first, own_user() as second:
        assert first != second
        assert FIRST <= first <= LAST


@pytest.mark.skipif(os.getuid() == 0, reason="root gives runs users of their own")
def test_an_ordinary_user_stays_itself():
    with own_user() as user:
        assert user is None


@pytest.mark.usefixtures("fresh")
def test_the_version_is_read_from_bubblewrap_itself():
    version = bubblewrap.version()
    if version is None:
        pytest.skip("bubblewrap is not installed")

    assert re.fullmatch(r"\d+\.\d+(\.\d+)*", ".".join(map(str, version)))
