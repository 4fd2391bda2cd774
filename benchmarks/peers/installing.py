"""Makes the peers' virtual environments."""

import os
import sys

from benchmarks.peers.contestants import Contestant
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.machine import shared_requirements
from benchmarks.shared.running import Command, run


def install(contestant: Contestant) -> None:
    """Make a peer's virtual environment, unless it is there and up to date.

    Args:
        contestant: One with or without an environment of its own.

    Raises:
        BenchmarkError: ``venv`` or ``pip`` failed.
    """
    if contestant.requirement is None:
        return
    wanted = [contestant.requirement, "ipykernel", *shared_requirements()]
    stamp = contestant.home / "benchmark-requirements.txt"
    listed = "\n".join(wanted) + "\n"
    if stamp.exists() and stamp.read_text("utf-8") == listed:
        return
    print(f"{contestant.name}: installing {' '.join(wanted)}", flush=True)
    contestant.home.mkdir(parents=True, exist_ok=True)
    log = contestant.home / "install.log"
    pip = [str(contestant.python), "-m", "pip", "install", "--quiet"]
    for argv in ([sys.executable, "-m", "venv", str(contestant.home)], [*pip, *wanted]):
        try:
            run(Command(argv=argv, cwd=contestant.home, environment=os.environ, log=log))
        except BenchmarkError as error:
            raise BenchmarkError(
                f"{contestant.name}: its environment could not be made in "
                f"{contestant.home}; is a package index within reach?\n{error}"
            ) from error
    stamp.write_text(listed, "utf-8")
