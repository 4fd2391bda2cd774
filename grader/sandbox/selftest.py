"""Proves a rung by trying it: a real run from inside which everything promised is attempted."""

import json
import os
import secrets
import socket
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.interface import MIB, Job, Limits, Sandbox

PROGRAMS = Path(__file__).with_name("inside")
_LIMITS = Limits(wall_s=20, memory=512 * MIB, disk=16 * MIB, processes=32, messages=MIB)


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
    token = secrets.token_hex(16)
    variable = f"GRADER_SELFTEST_{secrets.token_hex(4)}"
    told = bytearray()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-selftest-")))
        folder.chmod(0o777)  # the attempt to write must fail for a better reason
        canary = folder / "canary"
        canary.write_text(token)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        path = stack.enter_context(socket.socket(socket.AF_UNIX))
        path.bind(str(folder / "socket"))
        path.listen()
        (folder / "socket").chmod(0o777)
        os.environ[variable] = token
        stack.callback(os.environ.pop, variable)
        task = {
            "canary": str(canary),
            "token": token,
            "folder": str(folder),
            "port": listener.getsockname()[1],
            "socket": str(folder / "socket"),
            "host": os.getpid(),
        }
        try:
            outcome = sandbox.run(Job(program="attempts", task=task), _LIMITS, told.extend)
        except SandboxError as error:
            return Proof(failure=error.message)
    if outcome.setup_error:
        return Proof(failure=outcome.setup_error.strip().splitlines()[-1])
    try:
        answer = json.loads(told)
    except ValueError:
        return Proof(
            failure=f"the self-test ended with status {outcome.exit_code}: {outcome.stderr[-500:]}"
        )
    refused = answer["refused"]
    return Proof(
        attempts=len(refused),
        allowed=tuple(name for name, is_refused in refused.items() if not is_refused),
        landlock=answer["landlock"],
    )
