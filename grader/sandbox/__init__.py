"""Where strangers' code runs.

``interface`` has the border's types. Four rungs implement it, strongest first: ``bubblewrap``
(namespaces), ``landlock``, ``uid``, ``plain`` (none); ``ladder`` finds out which of them hold here.
On top of any, ``zygote`` forks the runs from a server that has imported Keras once.
"""

from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import interior
from grader.sandbox.interface import Level, Sandbox
from grader.sandbox.ladder import (
    MINIMUM,
    MINIMUM_VARIABLE,
    OFFERED,
    Rung,
    forks,
    is_forbidden,
    is_weaker,
    make,
    owners_minimum,
    rung,
    rungs,
    trying,
)
from grader.sandbox.zygote import ZygoteSandbox

__all__ = [
    "MINIMUM_VARIABLE",
    "Rung",
    "ZygoteSandbox",
    "forks",
    "is_forbidden",
    "open_sandbox",
    "rungs",
    "try_ahead",
]


def try_ahead(level: str | None) -> None:
    """Begin to try what :func:`open_sandbox` will want to know.

    Args:
        level: As there; what is none is for others to complain about.
    """
    first = level or OFFERED[0]
    for known in OFFERED:
        if known == first:
            trying(known)


def open_sandbox(
    level: Level | None, minimum: Level | None = None, workers: Path = interior.WORKERS
) -> Sandbox:
    """Open the strongest sandbox that this machine has.

    Args:
        level: Exactly this rung, or ``None`` for the strongest one that works.
        minimum: No rung below this one is taken, not even by name; without it, what the owner of
            this machine has set, and without that no other one below ``landlock`` than by name.
        workers: The folder of our programs.

    Returns:
        A sandbox whose self-test passed here, or the rung ``none`` when that was asked for.

    Raises:
        SandboxError: The rung asked for, or every one allowed, does not work here.
    """
    minimum = minimum or owners_minimum()
    if level is not None:
        if minimum is not None and is_weaker(level, minimum):
            raise SandboxError(
                f"Isolation {level!r} is weaker than {minimum!r}, below which nothing may run here "
                f"({MINIMUM_VARIABLE}).",
                remedy="Leave out `--isolation`, or ask whoever set that variable.",
            )
        wanted = rung(level)
        if not wanted.works:
            raise SandboxError(
                f"Isolation {level!r} does not work here: {wanted.reason}.", remedy=wanted.remedy
            )
        return make(wanted, workers)
    lowest = minimum or MINIMUM
    allowed = [each for each in OFFERED if not is_weaker(each, lowest) and each != "none"]
    reasons = []
    for each in allowed:
        tried = rung(each)
        if tried.works:
            return make(tried, workers)
        reasons.append(tried)
    remedies = [f"{tried.level}: {tried.remedy}" for tried in reasons]
    remedies += [
        f"{each}: it works here, is weaker, and must be asked for: `--isolation {each}`."
        for each in OFFERED
        if minimum is None and each not in allowed and each != "none" and rung(each).works
    ]
    raise SandboxError(
        "No isolation works here. "
        + " ".join(f"{tried.level}: {tried.reason}." for tried in reasons),
        remedy="\n".join(remedies),
    )
