"""What a worker must be like before it gets work: the same versions, the isolation asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.keys import circumstances
from grader.sandbox import MINIMUM_VARIABLE, is_forbidden
from grader.sandbox.interface import LEVELS, Level

_OURS = ("recipe", "programs")
"""What differs only if the graders differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passport:
    """What a worker says of itself."""

    worker: str
    """Its address."""
    host: str = ""
    """The machine's name."""
    grader: str = ""
    """The version of the grader there."""
    circumstances: Mapping[str, str] | None = None
    """Versions of all that takes part in a run; ``None`` when there is no grader to ask."""
    level: Level | None = None
    """The rung that its self-test proved there."""
    description: str = ""
    """That rung's sentence."""
    problem: str = ""
    """Why it cannot work at all."""
    threads: int = 1
    """Submissions it may work on at a time."""
    memory: int = 0
    """Bytes it may use."""

    @property
    def name(self) -> str:
        """Its address and its machine."""
        return f"{self.worker} on {self.host}" if self.host else self.worker


def complaints(passport: Passport, level: Level | None) -> list[str]:
    """Say why a worker does not fit; nothing when it does.

    Args:
        passport: What it says of itself.
        level: The rung that it must have.
    """
    if passport.circumstances is None:
        return [passport.problem]
    found = []
    ours, theirs = circumstances(), passport.circumstances
    if any(ours[name] != theirs.get(name) for name in _OURS):
        found.append(f"its grader ({passport.grader}) is not the one here")
    found += [
        f"{name} {theirs.get(name, 'missing')}, wanted {wanted}"
        for name, wanted in ours.items()
        if name not in _OURS and theirs.get(name) != wanted
    ]
    if passport.problem:
        found.append(passport.problem)
    elif passport.level != level:
        found.append(f"isolation {passport.level}, wanted {level}")
    elif level is not None and is_forbidden(level):
        found.append(f"isolation {level}, which is not allowed here ({MINIMUM_VARIABLE})")
    return found


def common_level(passports: Sequence[Passport], asked: Level | None) -> Level | None:
    """Give the rung that all must have: what was asked for, else the strongest that one has."""
    if asked is not None:
        return asked
    proven = {passport.level for passport in passports}
    return next((level for level in LEVELS if level in proven), None)


def remedy(passports: Sequence[Passport], level: Level | None) -> str:
    """Say what to do about workers that do not fit."""
    ours = circumstances()
    lines = []
    if any(passport.circumstances != ours for passport in passports):
        pins = " ".join(
            f"{name}=={ours[name]}" for name in ("keras", "tensorflow", "numpy", "ipython")
        )
        lines.append(
            f"Install on every worker what is installed here (Python {ours['python']}): "
            f'the same keras-grader with its extra "cluster", and {pins}.'
        )
    proven = {passport.level for passport in passports if passport.level}
    if proven - {level}:
        weakest = max(proven, key=LEVELS.index)
        lines.append(f"Or ask for an isolation that all of them have: --isolation {weakest}")
    return "\n".join(lines) or "Leave these workers out, and start others."
