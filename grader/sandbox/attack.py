"""Attacks a rung as a hostile submission would, and looks from outside at what came of it.

More than the self-test, which asks the inside: here the host sees for itself whether a file was
written, a connection arrived, a process was left over, a limit held.
"""

import ctypes
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.interface import MIB, Ending, Job, Limits, Outcome, Sandbox
from grader.sandbox.processes import descendants, read

_WALL_S, _GRACE_S = 3.0, 5.0
_LIMITS = Limits(
    wall_s=10, memory=256 * MIB, disk=16 * MIB, output=32 * 1024, messages=8 * MIB, processes=32
)
_RESULT = "model.keras"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attack and what came of it."""

    attack: str
    """What was attempted, in words."""
    held: bool
    """Whether the rung kept its promise."""
    found: str
    """What the host saw."""


@dataclass(slots=True, kw_only=True)
class _Target:
    """What the attacks are after: worthless things that nobody but this attack has made."""

    folder: Path
    token: str
    variable: str
    secret: "ctypes.Array[ctypes.c_char]"
    listener: socket.socket
    packets: socket.socket
    bystander: subprocess.Popen[bytes]
    seen: dict[int, int] = field(default_factory=dict)
    """Processes that were below this one during an attack: when each was started."""

    @property
    def canary(self) -> Path:
        return self.folder / "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What can be looked at when an attack is over."""

    target: _Target
    outcome: Outcome
    said: bytes
    seconds: float


Held = Callable[[_Seen], str]
"""Gives what went wrong; nothing when the rung held."""


def attack(sandbox: Sandbox) -> Iterator[Attempt]:
    """Try one attack after the other, each in a run of its own.

    Args:
        sandbox: A rung whose programs are those of ``inside/``.

    Yields:
        What came of each, as soon as it is known.

    Raises:
        SandboxError: A run could not be set up.
    """
    with _target(is_open=sandbox.isolation.level != "uid") as target:
        for deed, words, limits, held in _attacks():
            said = bytearray()
            target.seen.clear()

            def hear(chunk: bytes, said: bytearray = said) -> None:
                said.extend(chunk)
                below = descendants(os.getpid(), fresh=True)
                target.seen.update({each.pid: each.started for each in below})

            task = {
                "deed": deed,
                "canary": str(target.canary),
                "folder": str(target.folder),
                "host": os.getpid(),
                "address": ctypes.addressof(target.secret),
                "bystander": target.bystander.pid,
                "port": target.listener.getsockname()[1],
            }
            began = time.monotonic()
            outcome = sandbox.run(Job(program="deeds", task=task, collect=(_RESULT,)), limits, hear)
            if outcome.setup_error:
                raise SandboxError(f"The attack could not be run: {outcome.setup_error}")
            seconds = time.monotonic() - began
            wrong = held(_Seen(target=target, outcome=outcome, said=bytes(said), seconds=seconds))
            yield Attempt(attack=words, held=not wrong, found=wrong or _held_words(outcome))


def _held_words(outcome: Outcome) -> str:
    if outcome.ending == "finished":
        return "it got nothing"
    return f"ended as {outcome.ending} after {outcome.wall_s:.1f} s"


def _attacks() -> Iterator[tuple[str, str, Limits, Held]]:
    plain = _LIMITS
    short = Limits(wall_s=_WALL_S, memory=plain.memory, processes=plain.processes)
    yield "read", "read a file of yours", plain, _says_no_secret
    yield "environment", "find a secret in an environment or a command line", plain, _says_no_secret
    yield "memory", "read the grader's memory", plain, _says_no_secret
    yield "write", "write into your folders", plain, _nothing_written
    yield "link", "hand in a link to your file as its model", plain, _nothing_handed_over
    yield "network", "reach the network", plain, _nobody_called
    yield "signal", "kill another process", plain, _bystander_lives
    yield "outlive", "leave a process behind", plain, _nobody_left
    yield "fork", "start processes without end", plain, _ended_by("processes")
    yield "allocate", "use memory without end", plain, _memory_ended
    yield "fill", "write without end", plain, _ended_by("disk")
    yield "flood", "print without end", plain, _ended_by("output")
    yield "hang", "run for ever, deaf to every signal", short, _ended_by("timeout")


def _says_no_secret(seen: _Seen) -> str:
    said = seen.said + seen.outcome.stdout.encode()
    return "it read the secret" if seen.target.token.encode() in said else ""


def _nothing_written(seen: _Seen) -> str:
    target = seen.target
    names = sorted(path.name for path in target.folder.iterdir())
    if names != [target.canary.name] or target.canary.read_text("utf-8") != target.token:
        return "it wrote there"
    return ""


def _nothing_handed_over(seen: _Seen) -> str:
    return "the file was taken" if seen.outcome.artefacts[_RESULT].data is not None else ""


def _nobody_called(seen: _Seen) -> str:
    for each in (seen.target.listener, seen.target.packets):
        each.setblocking(False)  # noqa: FBT003 - the standard library's way
    try:
        seen.target.listener.accept()[0].close()
    except BlockingIOError:
        pass
    else:
        return "a connection arrived"
    try:
        seen.target.packets.recv(1)
    except BlockingIOError:
        return ""
    return "a datagram arrived"


def _bystander_lives(seen: _Seen) -> str:
    return "" if seen.target.bystander.poll() is None else "a process of yours was killed"


def _nobody_left(seen: _Seen) -> str:
    own = seen.target.bystander.pid
    for pid, started in seen.target.seen.items():
        now = read(pid)
        if pid != own and now is not None and now.started == started and now.state != "Z":
            return f"process {pid} lives on"
    return ""


def _memory_ended(seen: _Seen) -> str:
    """The kernel refuses more of it, or the run is ended: whichever comes first."""
    if seen.outcome.ending == "finished" and "MemoryError" in seen.outcome.stderr:
        return _nobody_left(seen)
    return _ended_by("memory")(seen)


def _ended_by(limit: Ending) -> Held:
    def held(seen: _Seen) -> str:
        if seen.outcome.ending != limit:
            return f"its {limit} limit did not end it, it ended as {seen.outcome.ending}"
        late = seen.seconds > _LIMITS.wall_s + _GRACE_S
        return f"it took {seen.seconds:.0f} s to end it" if late else _nobody_left(seen)

    return held


@contextmanager
def _target(*, is_open: bool) -> Iterator[_Target]:
    token, variable = secrets.token_hex(16), f"GRADER_ATTACK_{secrets.token_hex(4)}"
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-attack-"))
        folder = Path(name)
        if is_open:  # nothing but the rung shall stand in the way, and `uid` is file modes
            folder.chmod(0o777)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        packets = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        packets.bind(("127.0.0.1", listener.getsockname()[1]))
        os.environ[variable] = token
        stack.callback(os.environ.pop, variable)
        sleep = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(300)"]
        bystander = subprocess.Popen(sleep)  # noqa: S603 - our own interpreter
        stack.callback(bystander.wait)
        stack.callback(bystander.kill)
        target = _Target(
            folder=folder,
            token=token,
            variable=variable,
            secret=ctypes.create_string_buffer(token.encode()),
            listener=listener,
            packets=packets,
            bystander=bystander,
        )
        target.canary.write_text(token, "utf-8")
        target.canary.chmod(0o666)
        yield target
