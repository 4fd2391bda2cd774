"""The ladder on this machine: which rung holds, what it means, what to do about a missing one."""

import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import bubblewrap, interior, plain
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.delegation import find_groups
from grader.sandbox.groups import Groups
from grader.sandbox.interface import LEVELS, Level, Sandbox
from grader.sandbox.landlock import LandlockSandbox
from grader.sandbox.plain import PlainSandbox
from grader.sandbox.selftest import PROGRAMS, Proof, prove, take_memory
from grader.sandbox.uid import NEEDS_ROOT, UidSandbox, closed_to_runs
from grader.sandbox.zygote import prove_forks

OFFERED: tuple[Level, ...] = ("namespaces", "landlock", "uid", "none")
MINIMUM: Level = "landlock"
"""No rung below this one is taken unless it was asked for."""
MINIMUM_VARIABLE = "GRADER_MIN_ISOLATION"
"""The owner of a machine says by it that none below another one is, whoever asks."""

_MEASURED = (
    "Memory is measured every 50 ms and may overshoot; "
    "processor time is seen only in part, and the wall clock is its limit."
)
_HELD = (
    "The kernel limits memory and processes and counts processor time (control groups, version {})."
)
_NOT_COVERED = "Not covered: bugs in the Linux kernel; test data the student already has."
_NAMESPACES_REMEDY = (
    "Allow bubblewrap its namespaces. Ubuntu 23.10 and later: give /usr/bin/bwrap an AppArmor "
    "profile with `userns,`, or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`. "
    "Elsewhere: "
    "`sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`. "
    "In a container: start it with "
    "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined`."
)
_LANDLOCK_REMEDY = (
    "Use a kernel with Landlock (5.13 or later as root, 6.12 or later as an ordinary user) and "
    "`landlock` among the names in /sys/kernel/security/lsm; "
    "some containers and gVisor have none."
)
_UID_REMEDY = (
    "Use a kernel with seccomp filters, on x86_64 or aarch64; "
    "some containers forbid a process to filter its own system calls."
)
_NO_REMEDY = (
    "Or, on your own responsibility and only for code you would run yourself: `--isolation none`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One rung as this machine has it."""

    level: Level
    """Its name."""
    works: bool
    """Whether it holds here: proven by a self-test, except for ``none``, which promises nothing."""
    description: str
    """The sentence for the terminal and for reports; empty when it does not work."""
    reason: str = ""
    """Why it does not work."""
    remedy: str = ""
    """What to do about it."""
    groups: Groups | None = None
    """Where its runs have control groups; ``None`` where what they use is only measured."""

    @property
    def must_be_asked_for(self) -> bool:
        """Whether it is too weak to be taken without a word."""
        return self.level == "none" or is_weaker(self.level, owners_minimum() or MINIMUM)

    @property
    def is_forbidden(self) -> bool:
        """Whether the owner of this machine does not allow it, whoever asks."""
        return is_forbidden(self.level)


def owners_minimum() -> Level | None:
    """Give the lowest rung that the owner of this machine allows; ``None`` if that was not said.

    Raises:
        SandboxError: There is no such rung.
    """
    said = os.environ.get(MINIMUM_VARIABLE)
    level = next((known for known in LEVELS if known == said), None)
    if said and level is None:
        raise SandboxError(
            f"{MINIMUM_VARIABLE}={said}: there is no such level.",
            remedy=f"Known: {', '.join(LEVELS)}.",
        )
    return level


def is_forbidden(level: Level) -> bool:
    """Tell whether the owner of this machine does not allow a rung, whoever asks."""
    lowest = owners_minimum()
    return lowest is not None and is_weaker(level, lowest)


def is_weaker(level: Level, than: Level) -> bool:
    """Tell whether a rung holds less than another one."""
    return LEVELS.index(level) > LEVELS.index(than)


def rungs() -> tuple[Rung, ...]:
    """Try all rungs on offer, strongest first; each costs about a fifth of a second, once."""
    return tuple(rung(level) for level in OFFERED)


def rung(level: Level) -> Rung:
    """Try one rung, once: what was found out is remembered."""
    try:
        return trying(level).result()
    except BaseException:
        trying.cache_clear()  # a fault says nothing about the next time
        raise


@functools.cache
def trying(level: Level) -> Future[Rung]:
    """Begin to try one rung, while the caller does something else."""
    pool = ThreadPoolExecutor(1, "trying")
    try:
        return pool.submit(_TRIES[level])
    finally:
        pool.shutdown(wait=False)


def forks(level: Level) -> Proof:
    """Try whether runs on this rung can be forks of a server, as safe as fresh processes."""
    return prove_forks(_KINDS[level], rung(level).groups)


def make(rung: Rung, workers: Path = interior.WORKERS) -> Sandbox:
    """Make the sandbox of a rung that works."""
    return _KINDS[rung.level](rung.description, workers, rung.groups)


def _proven(level: Level) -> tuple[Proof, Groups | None]:
    """Prove a rung with control groups, or else without."""
    groups = find_groups()
    proof = prove(_KINDS[level]("", PROGRAMS, groups), groups)
    if proof.holds or groups is None:
        return proof, groups
    return prove(_KINDS[level]("", PROGRAMS, None), None), None


def _limited(groups: Groups | None) -> str:
    return _HELD.format(groups.version.number) if groups else _MEASURED


def _namespaces() -> Rung:
    version = bubblewrap.version()
    if version is None:
        return _missing(
            "namespaces", "bubblewrap is not installed", "Install the package `bubblewrap`."
        )
    if version < bubblewrap.OLDEST:
        oldest = ".".join(map(str, bubblewrap.OLDEST))
        return _missing(
            "namespaces", f"bubblewrap is older than {oldest}", "Install a newer `bubblewrap`."
        )
    proof, groups = _proven("namespaces")
    if not proof.holds:
        return _missing("namespaces", proof.reason, _NAMESPACES_REMEDY)
    number = ".".join(map(str, version))
    on_top = f"Landlock {proof.landlock}" if proof.landlock else "no Landlock on top"
    return Rung(
        level="namespaces",
        works=True,
        groups=groups,
        description=(
            f"Isolation: namespaces (bubblewrap {number}; seccomp; {on_top}). "
            "Student code could not reach the network, other files or other processes "
            f"[self-test {proof.attempts}/{proof.attempts}]. "
            f"{_limited(groups)} {_NOT_COVERED}"
        ),
    )


def _landlock() -> Rung:
    proof, groups = _proven("landlock")
    if not proof.holds:
        return _missing("landlock", proof.reason, _LANDLOCK_REMEDY)
    return Rung(
        level="landlock",
        works=True,
        groups=groups,
        description=(
            f"Isolation: landlock (Landlock {proof.landlock}; seccomp; no sockets). "
            "Student code could not reach the network, other files' contents or other processes "
            f"[self-test {proof.attempts}/{proof.attempts}], but could see names and sizes of "
            "files and other processes' command lines. "
            f"{_limited(groups)} Disk is measured, not partitioned. {_NOT_COVERED}"
        ),
    )


def _none() -> Rung:
    groups = find_groups()
    if groups and not all(take_memory(PlainSandbox("", PROGRAMS, groups), groups).values()):
        groups = None
    return Rung(level="none", works=True, description=plain.DESCRIPTION, groups=groups)


def _uid() -> Rung:
    if os.geteuid() != 0:
        return _missing("uid", NEEDS_ROOT, "Start the grader as root, e.g. with `sudo`.")
    closed = closed_to_runs()
    if closed is not None:
        return _missing(
            "uid",
            f"other users than root cannot enter or read {closed}, and what a run needs lies there",
            "Install Python and the grader where everybody can read them, e.g. below /opt; "
            f"or let others pass, without listing what is there: `chmod o+x {closed}`.",
        )
    proof, groups = _proven("uid")
    if not proof.holds:
        return _missing("uid", proof.reason, _UID_REMEDY)
    return Rung(
        level="uid",
        works=True,
        groups=groups,
        description=(
            "Isolation: uid (a user of its own for each run; seccomp; no sockets). "
            "Student code could not reach the network, other users' private files or other "
            f"processes [self-test {proof.attempts}/{proof.attempts}], but could read what every "
            "user of this machine may read, write where every user may write, and see other "
            "processes' command lines. "
            f"{_limited(groups)} Disk is measured, not partitioned. {_NOT_COVERED}"
        ),
    )


def _missing(level: Level, reason: str, remedy: str) -> Rung:
    if owners_minimum() in (None, "none"):
        remedy = f"{remedy} {_NO_REMEDY}"
    return Rung(level=level, works=False, description="", reason=reason, remedy=remedy)


_TRIES: Mapping[Level, Callable[[], Rung]] = {
    "namespaces": _namespaces,
    "landlock": _landlock,
    "uid": _uid,
    "none": _none,
}
_KINDS: Mapping[Level, Callable[[str, Path, Groups | None], Sandbox]] = {
    "namespaces": BubblewrapSandbox,
    "landlock": LandlockSandbox,
    "uid": UidSandbox,
    "none": PlainSandbox,
}
