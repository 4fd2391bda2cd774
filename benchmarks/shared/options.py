"""Options that several benchmarks have."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1. Received: {text}")
    return number


def sizes(text: str) -> list[int]:
    """Read whole numbers, separated by commas."""
    return [positive(part) for part in text.split(",")]


def one_of(known: list[str]) -> Callable[[str], list[str]]:
    """Make a reader of names, separated by commas.

    Args:
        known: The names there are.
    """

    def names(text: str) -> list[str]:
        given = [name.strip() for name in text.split(",")]
        if set(given) - set(known):
            raise argparse.ArgumentTypeError(f"must be of {', '.join(known)}. Received: {text}")
        return list(dict.fromkeys(given))

    return names


def new_parser(description: str) -> argparse.ArgumentParser:
    """A parser with what every benchmark can be told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there")
    parser.add_argument("--keep", action="store_true", help="keep the folder of this run")
    return parser


def add_without(parser: argparse.ArgumentParser) -> None:
    """Let this grader go the long way."""
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="SHORTCUT",
        help="passed on to `grader grade`; may be repeated",
    )


def passed_on(shortcuts: list[str]) -> list[str]:
    """The arguments that say without which shortcuts."""
    return [part for name in shortcuts for part in ("--without", name)]


def ending(work: Callable[[], None]) -> int:
    """Run a benchmark; 2 when its numbers would be worth nothing."""
    try:
        work()
    except BenchmarkError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 2
    return 0
