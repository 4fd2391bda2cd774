"""How long ``grader --help`` takes, and that it imports nothing heavy."""

import sys
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.grading import own_environment, program
from benchmarks.shared.running import REPOSITORY, Command, run

RUNS = 9
"""How often each time is taken; one more run comes first and is dropped."""
HEAVY = ("keras", "tensorflow", "numpy", "pydantic", "rich.live", "IPython")
"""What ``grader --help`` must do without."""


def start_up_times(folder: Path) -> dict[str, list[float]]:
    """Time ``grader --help`` against an interpreter that does nothing.

    Args:
        folder: Takes the logs.

    Returns:
        Seconds of each run, by command.

    Raises:
        BenchmarkError: It imports what it should not.
    """
    programs = {
        "grader --help": [*program(), "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    log = folder / "start-up.log"
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(RUNS + 1):
        for name, argv in programs.items():
            usage = run(_command(argv, log))
            if number:
                seconds[name].append(usage.seconds)
    _must_be_light(log)
    return seconds


def _must_be_light(log: Path) -> None:
    code = (
        "import sys\n"
        "from grader.__main__ import main\n"
        "sys.argv = ['grader', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print('heavy:', *(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    run(_command([sys.executable, "-c", code], log))
    found = log.read_text("utf-8").splitlines()[-1].removeprefix("heavy:").split()
    if found:
        raise BenchmarkError(f"grader --help imports {', '.join(sorted(found))}")


def _command(argv: list[str], log: Path) -> Command:
    return Command(argv=argv, cwd=REPOSITORY, environment=own_environment(), log=log)
