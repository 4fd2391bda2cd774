"""``grader``, and ``python -m grader``."""

import gc

from grader.cli import app

MANY = 100_000
"""New objects after which Python looks for garbage. Of itself it looks after 700, and finds next to
nothing in what has just been imported."""


def main() -> None:
    """Run the command that was typed."""
    gc.set_threshold(MANY)
    try:
        app(prog_name="grader")
    finally:
        gc.freeze()  # the process ends, and nobody need look through all it has


if __name__ == "__main__":
    main()
