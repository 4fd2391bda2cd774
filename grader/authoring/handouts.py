"""Make every shipped assignment's handout anew: ``python -m grader.authoring.handouts``."""

from pathlib import Path

from grader.authoring.release import handout


def main() -> None:
    """Write ``assignments/<name>/handout.ipynb`` from ``solutions/<name>.py``."""
    for solution in sorted(Path("solutions").glob("*.py")):
        folder = Path("assignments") / solution.stem
        (folder / "handout.ipynb").write_text(handout(solution, solution.stem), "utf-8")


if __name__ == "__main__":
    main()
