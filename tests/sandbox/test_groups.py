"""Where control groups can be made, and what is read from them, in folders that play the kernel.

No machine has every arrangement. What a group does to a run is tested on real ones, in
``test_conformance.py``.
"""

import errno
import fcntl
import os
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.sandbox import delegation, groups
from grader.sandbox.delegation import find_groups
from grader.sandbox.groups import V1, V2, Group, Groups, grouped
from grader.sandbox.interface import MIB, Limits
from grader.sandbox.mounts import lies_in_memory, mounts

LIMITS = Limits(memory=100 * MIB, disk=50 * MIB, processes=40)
FILES = {
    "memory": {
        "memory.max": "max",
        "memory.swap.max": "max",
        "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0",
        "memory.limit_in_bytes": "9223372036854771712",
        "memory.swappiness": "60",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0",
        "memory.max_usage_in_bytes": "0",
    },
    "pids": {"pids.max": "max", "pids.events": "max 0"},
}
ALWAYS = {
    "cgroup.procs": "",
    "cgroup.subtree_control": "",
    "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000",
    "cpuacct.usage": "2500000000",
}


class Kernel:
    """Folders that do what the kernel's documentation says of control groups, as far as needed."""

    def __init__(self, top, *, unified):
        self.top = top
        self.unified = unified
        self._mkdir, self._rmdir = os.mkdir, os.rmdir
        top.mkdir()
        self.fill(top, FILES)

    def fill(self, folder, controllers):
        for name, text in ALWAYS.items():
            (folder / name).write_text(text)
        (folder / "cgroup.controllers").write_text(" ".join(["cpu", *controllers]))
        for controller in controllers:
            for name, text in FILES[controller].items():
                (folder / name).write_text(text)

    def has(self, folder):
        return Path(folder).is_relative_to(self.top)

    def mkdir(self, folder, *args, **kwargs):
        self._mkdir(folder, *args, **kwargs)
        if self.has(folder):
            above = (Path(folder).parent / "cgroup.subtree_control").read_text()
            wanted = [name for name in FILES if not self.unified or name in above]
            self.fill(Path(folder), wanted)

    def rmdir(self, folder, *args, **kwargs):
        if not self.has(folder):
            self._rmdir(folder, *args, **kwargs)
        elif (Path(folder) / "cgroup.procs").read_text():
            raise OSError(errno.EBUSY, "in use")
        else:
            for file in Path(folder).iterdir():
                file.unlink()
            self._rmdir(folder)

    def write(self, file, value):
        if not file.exists():
            raise FileNotFoundError(file)
        if file.name == "cgroup.procs":
            for each in self.top.rglob("cgroup.procs"):
                there = each.read_text().split()
                each.write_text("\n".join(pid for pid in there if pid != value))
            value = "\n".join([*file.read_text().split(), value])
        elif file.name == "cgroup.subtree_control" and (file.parent / "cgroup.procs").read_text():
            raise OSError(errno.EBUSY, "has processes")
        elif file.name == "cgroup.subtree_control":
            value = value.replace("+", "")
        file.write_text(value)


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    def begin(*, unified):
        made = Kernel(tmp_path / "cgroup", unified=unified)
        monkeypatch.setattr(os, "mkdir", made.mkdir)
        monkeypatch.setattr(os, "rmdir", made.rmdir)
        monkeypatch.setattr(groups, "write", made.write)
        monkeypatch.setattr(delegation, "write", made.write)
        return made

    return begin


@pytest.fixture
def process(tmp_path):
    """Make the folder in /proc of a process: ``process(groups, mounts)``."""

    def make(groups, *mounted):
        folder = tmp_path / "proc"
        folder.mkdir()
        (folder / "cgroup").write_text("".join(f"{line}\n" for line in groups))
        (folder / "mountinfo").write_text("".join(f"{line}\n" for line in mounted))
        return folder

    return make


def unified(top, root="/"):
    return f"30 23 0:26 {root} {top} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"


def in_group(kernel, *pids):
    """Let the grader, and others, be in a group of a session."""
    folder = kernel.top / "user.scope"
    if not folder.exists():
        (kernel.top / "cgroup.subtree_control").write_text("cpu memory pids")
        folder.mkdir()
    (folder / "cgroup.procs").write_text("\n".join(map(str, pids)))
    return folder


def refuse(*_):
    raise PermissionError(errno.EACCES, "Permission denied")


# ------------------------------------------------------------------ where


def test_a_grader_alone_in_its_group_makes_room_for_others_below(kernel, process):
    top = kernel(unified=True)
    own = in_group(top, os.getpid())

    found = find_groups(process(["0::/user.scope"], unified(top.top)))

    assert found == Groups(version=V2, parents=(own,) * 3)
    assert set((own / "cgroup.subtree_control").read_text().split()) == {"memory", "pids"}
    assert (own / "cgroup.procs").read_text() == ""
    (beside,) = own.glob("grader-host-*")
    assert (beside / "cgroup.procs").read_text() == str(os.getpid())
    assert not [*own.glob("grader-run-*")]


def test_a_grader_among_others_leaves_everything_as_it_was(kernel, process):
    top = kernel(unified=True)
    own = in_group(top, os.getpid(), 4711)

    assert find_groups(process(["0::/user.scope"], unified(top.top))) is None

    assert set((own / "cgroup.procs").read_text().split()) == {str(os.getpid()), "4711"}
    assert not [*own.glob("grader-*")]


def test_what_a_grader_starts_makes_its_groups_where_the_grader_does(kernel, process):
    top = kernel(unified=True)
    own = in_group(top)
    (own / "cgroup.subtree_control").write_text("memory pids")
    (own / "grader-host-1").mkdir()

    found = find_groups(process(["0::/user.scope/grader-host-1"], unified(top.top)))

    assert found.parents == (own,) * 3


def test_without_the_controllers_there_are_no_groups(kernel, process):
    top = kernel(unified=True)
    own = in_group(top, os.getpid())
    (own / "cgroup.controllers").write_text("cpu pids")

    assert find_groups(process(["0::/user.scope"], unified(top.top))) is None
    assert not [*own.glob("grader-*")]


def test_the_folders_of_graders_that_are_gone_are_removed(kernel, process, monkeypatch):
    top = kernel(unified=True)
    own = in_group(top, os.getpid())
    for name in ("grader-host-gone", "grader-host-there"):
        (own / name).mkdir()
    (own / "grader-host-there" / "cgroup.procs").write_text("4711")
    monkeypatch.setattr(delegation, "_YOUNG_S", -1)

    assert find_groups(process(["0::/user.scope"], unified(top.top)))

    names = {folder.name for folder in own.glob("grader-host-*")}
    assert names == {"grader-host-there", f"grader-host-{os.getpid()}"}


def test_each_controller_of_version_1_has_its_own_tree(kernel, process):
    top = kernel(unified=False)
    trees = ["memory", "pids", "cpu,cpuacct"]
    for tree in trees:
        (top.top / tree).mkdir()
    (top.top / "memory" / "a").mkdir()
    mounted = [
        f"3{number} 23 0:3{number} / {top.top}/{tree} rw - cgroup cgroup rw,{tree}"
        for number, tree in enumerate(trees)
    ]

    found = find_groups(process(["6:memory:/a", "5:pids:/", "4:cpu,cpuacct:/", "0::/"], *mounted))

    folders = (top.top / "memory" / "a", top.top / "pids", top.top / "cpu,cpuacct")
    assert found == Groups(version=V1, parents=folders)


def test_in_a_container_only_its_own_part_is_mounted(kernel, process):
    top = kernel(unified=False)
    lines = [f"{number}:{name}:/docker/ab" for number, name in enumerate(V1.controllers)]
    mounted = [
        f"3{number} 23 0:31 /docker/ab {top.top} rw - cgroup cgroup rw,{name}"
        for number, name in enumerate(V1.controllers)
    ]

    assert find_groups(process(lines, *mounted)).parents == (top.top,) * 3


@pytest.mark.parametrize("group", ["/..", "/elsewhere"])
def test_a_group_that_is_not_mounted_is_none(kernel, process, group):
    top = kernel(unified=True)

    assert find_groups(process([f"0::{group}"], unified(top.top))) is None


def test_without_leave_to_write_there_are_no_groups(kernel, process, monkeypatch):
    top = kernel(unified=True)
    own = in_group(top)
    (own / "cgroup.subtree_control").write_text("memory pids")
    folder = process(["0::/user.scope"], unified(top.top))
    monkeypatch.setattr(os, "mkdir", refuse)

    assert find_groups(folder) is None


def test_places_with_blanks_are_read(process):
    folder = process([], r"30 23 0:26 / /mnt/a\040b rw shared:4 - tmpfs tmpfs rw,size=1k")

    (mount,) = mounts(folder)

    assert (mount.point, mount.kind, mount.device) == (Path("/mnt/a b"), "tmpfs", "0:26")


def test_what_lies_in_memory_is_known():
    assert lies_in_memory(Path("/dev/shm")) == any(
        mount.point == Path("/dev/shm") and mount.kind == "tmpfs" for mount in mounts()
    )
    assert not lies_in_memory(Path("/proc"))


# ------------------------------------------------------------------ one


@pytest.fixture(params=[V1, V2], ids=["version 1", "version 2"])
def place(request, kernel):
    """Groups of either version."""
    top = kernel(unified=request.param is V2)
    (top.top / "cgroup.subtree_control").write_text("memory pids")
    return Groups(version=request.param, parents=(top.top,) * 3)


def only(place):
    (folder,) = place.parents[0].glob("grader-run-*")
    return folder


def test_a_group_has_its_limits_before_anybody_is_in_it(place):
    with place.one(LIMITS) as group:
        folder = only(place)
        assert (folder / place.version.memory).read_text() == str(100 * MIB)
        assert (folder / place.version.no_swap[0]).read_text() == "0"
        assert (folder / "pids.max").read_text() == "40"
        assert (folder / "cgroup.procs").read_text() == ""
        group.join([12345678])
        assert (folder / "cgroup.procs").read_text() == "12345678"
        (folder / "cgroup.procs").write_text("")
    assert not folder.exists()


def test_a_kernel_without_swap_needs_no_limit_of_it(place, monkeypatch):
    monkeypatch.delitem(FILES["memory"], place.version.no_swap[0])

    with place.one(LIMITS) as group:
        assert group.look().cpu_s == pytest.approx(2.5)


def test_what_the_kernel_says_is_read(place):
    with place.one(LIMITS) as group:
        folder = only(place)
        nothing = group.look()
        (folder / "pids.events").write_text("max 3")
        refused = group.look()

    assert (nothing.out_of_memory, nothing.out_of_processes) == (False, False)
    assert (refused.out_of_memory, refused.out_of_processes) == (False, True)
    assert refused.cpu_s == pytest.approx(2.5)


@pytest.mark.parametrize("own", [True, False])
def test_a_machine_out_of_memory_is_not_a_run_beyond_its_limit(place, own):
    with place.one(LIMITS) as group:
        folder = only(place)
        events = f"low 0\nhigh 0\nmax 9\noom {int(own)}\noom_kill 1"
        (folder / "memory.events").write_text(events)
        (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1")
        used = 100 * MIB - 4096 if own else 50 * MIB
        (folder / "memory.max_usage_in_bytes").write_text(str(used))

        assert group.look().out_of_memory == own


def test_what_is_written_into_memory_is_allowed_and_never_taken_back(place):
    with place.one(LIMITS) as group:
        limit = only(place) / place.version.memory
        group.allow(1000)
        assert limit.read_text() == str(100 * MIB)
        group.allow(10 * MIB)
        assert limit.read_text() == str(120 * MIB)
        group.allow(0)
        assert limit.read_text() == str(120 * MIB)
        group.allow(400 * MIB)  # no more than the run may write at all
        assert limit.read_text() == str(150 * MIB)


def test_who_is_gone_need_not_enter(place, monkeypatch):
    def gone(*_):
        raise ProcessLookupError

    with place.one(LIMITS) as group:
        monkeypatch.setattr(groups, "write", gone)
        group.join([1, 2])


def test_a_run_that_may_not_enter_is_not_begun(place, monkeypatch):
    with place.one(LIMITS) as group:
        monkeypatch.setattr(groups, "write", refuse)
        with pytest.raises(SandboxError, match=r"cannot enter .*grader-run-.*Permission denied"):
            group.join([1])


def test_a_group_that_cannot_be_made_is_an_error_with_a_remedy(place):
    lost = replace(place, parents=(place.parents[0] / "gone",) * 3)

    with (
        pytest.raises(SandboxError, match="No control group can be made") as caught,
        lost.one(LIMITS),
    ):
        pass
    assert "grader doctor" in caught.value.remedy


def test_without_groups_there_is_none():
    with grouped(None, LIMITS) as group:
        assert group is None


def test_the_groups_of_killed_graders_are_removed_and_no_others(place, monkeypatch):
    left, held = (place.parents[0] / f"grader-run-{name}" for name in ("left", "held"))
    left.mkdir()
    held.mkdir()
    with place.one(LIMITS):
        assert left.exists(), "it is young: perhaps its grader has not locked it yet"
    monkeypatch.setattr(groups, "_YOUNG_S", -1)
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with place.one(LIMITS) as group:
        assert isinstance(group, Group)
        assert not left.exists()
        assert held.exists()
        with place.one(LIMITS):  # and not the one that is in use
            assert len([*place.parents[0].glob("grader-run-*")]) == 3
    os.close(descriptor)
