"""What the self-test sees when a defence is left out: the level it states is the level there is."""

from dataclasses import replace

import pytest

from grader.sandbox import ladder
from grader.sandbox.ladder import make
from grader.sandbox.selftest import PROGRAMS, prove
from grader.sandbox.uid import UidSandbox

pytestmark = pytest.mark.sandbox


def sandbox_of(level, offered):
    rung = offered[level]
    if not rung.works:
        pytest.skip(f"{rung.level}: {rung.reason}")
    return make(replace(rung, groups=None), PROGRAMS)


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("landlock", {"gain privileges", "use a keyring"}),
        ("uid", {"gain privileges", "use a keyring", "reach the network"}),
    ],
)
def test_a_missing_filter_is_seen(offered, monkeypatch, level, seen):
    sandbox = sandbox_of(level, offered)
    monkeypatch.setattr("grader.sandbox.seccomp.build", lambda *_, **__: b"")

    assert seen <= set(prove(sandbox).allowed)


@pytest.mark.parametrize("level", ["namespaces", "landlock", "uid"])
def test_missing_limits_are_seen(offered, monkeypatch, level):
    sandbox = sandbox_of(level, offered)
    monkeypatch.setattr("grader.sandbox.supervise._Watch._measure", lambda _: None)

    assert prove(sandbox).allowed == (
        "start more processes than allowed",
        "write more than allowed",
        "use more memory than allowed",
    )


@pytest.mark.parametrize("level", ["namespaces", "landlock", "uid", "none"])
def test_a_group_that_holds_nothing_is_seen(offered, monkeypatch, level):
    """As in places that show control groups and do nothing for them."""
    rung = offered[level]
    if not rung.works or rung.groups is None:
        pytest.skip(f"{rung.level}: {rung.reason or 'no control groups here'}")
    monkeypatch.setattr("grader.sandbox.groups.Group.join", lambda *_: None)

    allowed = set(prove(make(rung, PROGRAMS), rung.groups).allowed)

    assert allowed >= {"get memory beyond its control group", "hide processor time"}
    assert allowed >= {"get processes beyond its control group"}


@pytest.mark.parametrize("level", ["namespaces", "landlock", "uid", "none"])
def test_what_the_kernel_does_not_hold_is_not_claimed(offered, monkeypatch, level):
    if not offered[level].works or offered[level].groups is None:
        pytest.skip("no control groups here")
    monkeypatch.setattr("grader.sandbox.groups.Group.join", lambda *_: None)

    tried = ladder._TRIES[level]()

    assert tried.works
    assert tried.groups is None
    if level != "none":
        assert "Memory is measured every 50 ms and may overshoot" in tried.description
        assert "The kernel limits memory" in offered[level].description


def test_a_right_to_read_past_modes_is_seen_on_uid(offered, monkeypatch, tmp_path):
    sandbox = sandbox_of("uid", offered)
    lock = UidSandbox._lock
    closed = str(tmp_path)  # pytest's folders are their owner's alone

    def leave_a_right(self, doors):
        return replace(lock(self, doors), reach=[closed], past_modes=True)

    monkeypatch.setattr(UidSandbox, "_lock", leave_a_right)

    assert {"read a file", "gain privileges"} <= set(prove(sandbox).allowed)


def test_a_closed_path_is_an_error_and_no_right_on_uid(offered, monkeypatch, tmp_path):
    sandbox = sandbox_of("uid", offered)
    monkeypatch.setattr("grader.sandbox.interior.needed", lambda *_: [str(tmp_path)])

    assert f"{tmp_path} is closed to other users" in prove(sandbox).failure
