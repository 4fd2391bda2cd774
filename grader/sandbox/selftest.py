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
from grader.sandbox.interface import MIB, Job, Level, Limits, Sandbox

PROGRAMS = Path(__file__).with_name("inside")
PROGRAM_NAMES = ("attempts", "excess")
_LIMITS = Limits(wall_s=20, memory=512 * MIB, disk=4 * MIB, processes=16, messages=MIB)
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


def prove(sandbox: Sandbox) -> Proof:
    """Run the self-test in a sandbox whose programs are :data:`PROGRAMS`."""
    try:
        # Two runs, because the first limit that is passed ends one; at once, because somebody waits
        with ThreadPoolExecutor(1) as pool:
            disk = pool.submit(_fill, sandbox)
            proof = _attempt(sandbox)
            is_limited = disk.result()
    except SandboxError as error:
        return Proof(failure=error.message)
    except (OSError, ValueError) as error:  # a machine without what the rung is made of
        return Proof(failure=str(error))
    if proof.failure:
        return proof
    unlimited = () if is_limited else ("write more than allowed",)
    return replace(proof, attempts=proof.attempts + 1, allowed=proof.allowed + unlimited)


def _attempt(sandbox: Sandbox) -> Proof:
    """Have everything tried that ought to be refused, and more processes started than allowed."""
    told = bytearray()
    with _secrets(closed=sandbox.isolation.level in _BY_MODES) as task:
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
    return Proof(
        attempts=len(refused),
        allowed=tuple(name for name, is_refused in refused.items() if not is_refused),
        landlock=answer["landlock"],
    )


@contextmanager
def _secrets(*, closed: bool) -> Iterator[Mapping[str, object]]:
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


def _fill(sandbox: Sandbox) -> bool:
    """Whether a run ends that writes more than it is allowed to."""
    job = Job(program="excess", task={"of": "disk", "most": _LIMITS.disk})
    return sandbox.run(job, _LIMITS, lambda _: None).ending == "disk"
