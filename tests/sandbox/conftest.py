"""Sandboxes of every rung this machine offers, running the deeds in ``programs/``."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.sandbox import ZygoteSandbox, rungs
from grader.sandbox.interface import MIB, Job, Limits, Outcome, Reply, Sandbox
from grader.sandbox.ladder import OFFERED, Rung, make
from grader.sandbox.processes import descendants, read

PROGRAMS = Path(__file__).with_name("programs")
LIMITS = Limits(
    wall_s=20, memory=400 * MIB, output=64 * 1024, messages=MIB, disk=32 * MIB, processes=40
)


def pytest_configure(config):
    config.addinivalue_line("markers", "not_promised_by(*rungs): what these rungs let happen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An outcome and what the deed answered."""

    outcome: Outcome
    answers: list[object]
    sessions: frozenset[int]
    """Of all processes that ran when the deed answered."""

    @property
    def survivors(self) -> list[int]:
        """Processes of those sessions that live."""
        return [pid for pid in living() if session_of(pid) in self.sessions]


def living() -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if (process := read(pid)) and process.state != "Z"]


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


class Rig:
    """A sandbox with a short way to have a deed done in it, by fresh processes or by forks."""

    def __init__(self, rung: Rung, *, forked: bool = False) -> None:
        self.cold = make(rung, PROGRAMS)
        self.forked = forked
        self.level = rung.level
        self.groups = rung.groups
        self.limits = LIMITS
        self.idle = frozenset()
        """Sessions of servers, which live on."""
        self._zygotes = {}

    @property
    def sandbox(self) -> Sandbox:
        """What runs a job that reads nothing."""
        return self.reading({})

    def reading(self, readable) -> Sandbox:
        """What runs a job; forks come from a server that knows what they may read."""
        if not self.forked:
            return self.cold
        key = tuple(sorted(readable.items()))
        if key not in self._zygotes:
            zygote = ZygoteSandbox(self.cold, programs=("deeds",), readable=readable)
            self._zygotes[key] = zygote
            zygote.run(Job(program="deeds", task={"do": "own_process"}), LIMITS, lambda _: None)
            below = descendants(os.getpid(), fresh=True)
            self.idle = frozenset(session_of(process.pid) for process in below) - {os.getsid(0)}
        return self._zygotes[key]

    def have(self, groups) -> None:
        """Give runs other control groups than the machine has, or none, before the first run."""
        rung = Rung(level=self.level, works=True, description="", groups=groups)
        self.cold, self.groups = make(rung, PROGRAMS), groups

    def rest(self) -> None:
        """End what waits for further runs."""
        zygotes, self._zygotes = self._zygotes, {}
        for zygote in zygotes.values():
            zygote.close()
        notes = [note for zygote in zygotes.values() for note in zygote.notes]
        assert not notes, "runs were not forked"

    def do(
        self,
        deed: str,
        *,
        limits: Limits = LIMITS,
        program: str = "deeds",
        reply: Reply | None = None,
        **options,
    ) -> Told:
        """Do a deed; ``readable``, ``files``, ``collect`` go into the job, the rest to the deed.

        A reply is given to the first that the deed says.
        """
        job = {key: options.pop(key) for key in ("readable", "files", "collect") if key in options}
        heard = bytearray()
        sessions = set()

        def hear(chunk: bytes) -> Reply | None:
            its_reply = None if heard else reply
            heard.extend(chunk)
            below = descendants(os.getpid(), fresh=True)
            sessions.update(session_of(process.pid) for process in below)
            return its_reply

        task = Job(program=program, task={"do": deed, **options}, **job)
        outcome = self.reading(task.readable).run(task, limits, hear)
        answers = [
            json.loads(line) for line in heard.splitlines() if line[:1] in b'{["tfn0123456789-'
        ]
        sessions -= {os.getsid(0), -1, *self.idle}
        return Told(outcome=outcome, answers=answers, sessions=frozenset(sessions))


@pytest.fixture(scope="session")
def offered():
    found = {rung.level: rung for rung in rungs()}
    for thread in threading.enumerate():
        if thread.name == "fonts":
            thread.join()  # or its pipes would be taken for what a test left open
    return found


KINDS = [name for level in OFFERED for name in (level, f"{level}-forked")]


@pytest.fixture(params=KINDS)
def rig(request, offered):
    level, _, forked = request.param.partition("-")
    rung = offered[level]
    if not rung.works:
        pytest.skip(f"{rung.level}: {rung.reason}")
    known = request.node.get_closest_marker("not_promised_by")
    if known and rung.level in known.args:
        # The same deed must succeed where nothing stands in its way, or it would prove nothing;
        # but on the rung `none`, too, root's runs become other users, and some of it fails for that
        strict = rung.level != "none" or os.getuid() != 0
        request.applymarker(
            pytest.mark.xfail(strict=strict, reason="not promised", raises=AssertionError)
        )
    rig = Rig(rung, forked=bool(forked))
    yield rig
    rig.rest()


@pytest.fixture
def grouped(rig):
    """A sandbox whose runs have control groups."""
    if rig.groups is None:
        pytest.skip("no control groups here")
    return rig


@pytest.fixture
def measured(rig):
    """A sandbox whose runs have no control groups, as where none can be made."""
    rig.have(None)
    return rig


@pytest.fixture(params=["held by the kernel", "measured"])
def limiting(request, rig):
    """Both ways of limiting, as far as the machine has them."""
    if request.param == "measured":
        rig.have(None)
    elif rig.groups is None:
        pytest.skip("no control groups here")
    return rig


@pytest.fixture
def open_folder():
    """A folder that any user of the machine may read and write, with a canary in it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "canary.txt").write_text("CANARY")
        (folder / "canary.txt").chmod(0o644)
        yield folder


@pytest.fixture
def reachable():
    """A folder of ours that every user of the machine may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def bystander():
    """Another process of ours, which must live on."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()
