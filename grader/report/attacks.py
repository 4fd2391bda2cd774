"""What came of attacking the isolation of this machine, in words."""

from rich.console import Console
from rich.text import Text

from grader.sandbox import open_sandbox
from grader.sandbox.attack import attack
from grader.sandbox.interface import Level
from grader.sandbox.selftest import PROGRAMS

WIDTH = 56


def show_attacks(console: Console, level: Level | None = None) -> bool:
    """Attack the rung that grading would take, and print what held.

    Args:
        console: Where to print.
        level: Exactly this rung; else the strongest that works.

    Returns:
        Whether all of it held.

    Raises:
        SandboxError: No rung works here, or an attack could not be run.
    """
    sandbox = open_sandbox(level, workers=PROGRAMS)
    level = sandbox.isolation.level
    console.print(Text(f"Attacking the isolation {level!r} of this machine", "bold"))
    failed = 0
    for attempt in attack(sandbox):
        failed += not attempt.held
        line = Text(" ✓ held      " if attempt.held else " ✗ NOT HELD  ")
        line.stylize("green" if attempt.held else "bold red")
        line.append(attempt.attack.ljust(WIDTH), "default")
        line.append(attempt.found, "dim" if attempt.held else "red")
        console.print(line)
    if not failed:
        console.print("All of it held. Not tried: bugs in the Linux kernel.")
        return True
    console.print(
        Text(
            f"{failed} of them got through: do not grade strangers' work here with {level!r}. "
            "`grader doctor` shows what else this machine offers; "
            "docs/security-model.md says how to report it.",
            "red",
        )
    )
    return False
