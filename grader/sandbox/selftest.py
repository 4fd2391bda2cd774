"""Proves a rung by trying it: real runs from inside which everything promised is attempted."""

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.groups import Groups
from grader.sandbox.interface import MIB, Job, Level, Limits, Sandbox

PROGRAMS = Path(__file__).with_name("inside")
PROGRAM_NAMES = ("attempts", "excess")
_LIMITS = Limits(wall_s=20, memory=512 * MIB, disk=4 * MIB, processes=16, messages=MIB)
_LITTLE = replace(_LIMITS, memory=64 * MIB, kernel_alone=True)
_CPU_S = 0.05
_READ_PAST_MODES = 1 << 2
_BY_MODES: frozenset[Level] = frozenset({"uid"})
"""Rungs on which file modes decide: what is open to all users is open to a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a self-test found."""

    attempts: int = 0
    """How many attempts were made."""
    allowed: tuple[str, ...] = ()
    """Those that succeeded and should not have."""
    landlock: int = 0
    """Landlock's version inside; 0 when there is none."""
    failure: str = ""
    """Why there was no self-test, if there was none."""

    @property
    def holds(self) -> bool:
        """Whether the rung keeps its promise."""
        return bool(self.attempts) and not self.allowed and not self.failure

    @property
    def reason(self) -> str:
        """Why it does not hold."""
        if self.failure:
            return self.failure
        return "its self-test failed: from inside it was possible to " + ", to ".join(self.allowed)


def prove(sandbox: Sandbox, groups: Groups | None = None) -> Proof:
    """Run the self-test in a sandbox whose programs are :data:`PROGRAMS`.

    Args:
        sandbox: What is to be proven.
        groups: Where its runs have control groups, if they have some: then the kernel must hold.
    """
    try:
        # One run for each limit, because the first that is passed ends it; at once, because
        # somebody waits
        with ThreadPoolExecutor(2) as pool:
            limits = [
                pool.submit(_fill, sandbox),
                pool.submit(take_memory, sandbox, groups),
            ]
            proof = _attempt(sandbox, groups)
            limited = [limit.result() for limit in limits]
    except SandboxError as error:
        return Proof(failure=error.message)
    except (OSError, ValueError) as error:  # a machine without what the rung is made of
        return Proof(failure=str(error))
    if proof.failure:
        return proof
    refused = {name: is_refused for each in limited for name, is_refused in each.items()}
    return replace(
        proof,
        attempts=proof.attempts + len(refused),
        allowed=proof.allowed + _allowed(refused),
    )


def _allowed(refused: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, is_refused in refused.items() if not is_refused)


def _attempt(sandbox: Sandbox, groups: Groups | None) -> Proof:
    """Have everything tried that ought to be refused, and more processes started than allowed."""
    told = bytearray()
    with _secrets(closed=sandbox.isolation.level in _BY_MODES) as task:
        if groups is not None:
            task["groups"] = [str(parent) for parent in groups.parents]
        outcome = sandbox.run(Job(program="attempts", task=task), _LIMITS, told.extend)
    if outcome.setup_error:
        return Proof(failure=outcome.setup_error.strip().splitlines()[-1])
    try:
        answer = json.loads(told)
    except ValueError:
        return Proof(
            failure=f"the self-test ended with status {outcome.exit_code}: {outcome.stderr[-500:]}"
        )
    refused = answer["refused"] | {
        "start more processes than allowed": outcome.ending == "processes"
    }
    if groups is not None:  # after its answer it tells of each child that it has got
        children = told.count(b"\n")
        refused["get processes beyond its control group"] = children < _LIMITS.processes
    return Proof(
        attempts=len(refused),
        allowed=_allowed(refused),
        landlock=answer["landlock"],
    )


@contextmanager
def _secrets(*, closed: bool) -> Iterator[dict[str, object]]:
    """Plant what must not be found, and say where it is.

    Args:
        closed: Whether file modes shall close it to other users. Without, whatever refuses must
            have a better reason.
    """
    token = secrets.token_hex(16)
    variable = f"GRADER_SELFTEST_{secrets.token_hex(4)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-selftest-")))
        folder.chmod(0o755 if closed else 0o777)
        canary = folder / "canary"
        canary.write_text(token)
        canary.chmod(0o600 if closed else 0o644)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        path = stack.enter_context(socket.socket(socket.AF_UNIX))
        path.bind(str(folder / "socket"))
        path.listen()
        (folder / "socket").chmod(0o777)
        os.environ[variable] = token
        stack.callback(os.environ.pop, variable)
        yield {
            "canary": str(canary),
            "token": token,
            "folder": str(folder),
            "port": listener.getsockname()[1],
            "socket": str(folder / "socket"),
            "host": os.getpid(),
            "excused": 0 if closed else _READ_PAST_MODES,
            "processes": _LIMITS.processes,
        }


def _fill(sandbox: Sandbox) -> Mapping[str, bool]:
    """Whether a run ends that writes more than it is allowed to."""
    job = Job(program="excess", task={"of": "disk", "most": _LIMITS.disk})
    return {"write more than allowed": sandbox.run(job, _LIMITS, lambda _: None).ending == "disk"}


def take_memory(sandbox: Sandbox, groups: Groups | None) -> Mapping[str, bool]:
    """Whether a run ends that takes more memory than allowed, and by whom.

    It tells of each MiB that it has got. Where the kernel holds, not one is beyond the limit; who
    measures finds out only afterwards.

    Args:
        sandbox: One whose programs are :data:`PROGRAMS`.
        groups: Where its runs have control groups, if they have some.
    """
    got = bytearray()
    job = Job(program="excess", task={"of": "memory", "most": _LITTLE.memory, "cpu_s": _CPU_S})
    outcome = sandbox.run(job, _LITTLE, got.extend)
    refused = {"use more memory than allowed": outcome.ending == "memory"}
    if groups is not None:
        refused["get memory beyond its control group"] = len(got) * MIB <= _LITTLE.memory
        refused["hide processor time"] = outcome.cpu_s >= _CPU_S
    return refused
