"""Report → ``report.json``, the product that every other view is made from.

The fields are those of :class:`grader.records.Report`; ``docs/report.md`` lists them. NaN and
infinities are the strings ``"nan"``, ``"inf"`` and ``"-inf"``, since JSON has no such numbers.
"""

from pathlib import Path
from typing import Any

from grader.inert import inert_json
from grader.plain import plain
from grader.records import Report

_JUDGES = ("examining", "measuring")
"""Stages that know the held-out data."""


def as_data(report: Report, *, for_student: bool = False) -> dict[str, Any]:
    """Give a report as plain JSON data.

    Args:
        report: What to give.
        for_student: Leave out what students must not see: hidden checks, flags, attempts, how good
            the model is on the extra set, and how long the judge took, which a model could make
            depend on the held-out inputs. Of the hidden checks only their number and worth remain,
            in ``not_run``.
    """
    data: dict[str, Any] = plain(report)
    if for_student:
        hidden = [check for check in report.checks if check.hidden]
        data["checks"] = [check for check in data["checks"] if not check["hidden"]]
        data["points"] = sum(
            check["points"] for check in data["checks"] if check["outcome"] != "broken"
        )
        data["out_of"] = sum(
            check["out_of"] for check in data["checks"] if check["outcome"] != "broken"
        )
        data["not_run"]["checks"] += len(hidden)
        data["not_run"]["points"] += sum(check.out_of for check in hidden)
        data["seconds"] = {
            stage: spent for stage, spent in data["seconds"].items() if stage not in _JUDGES
        }
        del data["flags"], data["extra"], data["attempts"]
    return data


def write_json(report: Report, path: Path) -> None:
    """Write ``report.json``."""
    path.write_bytes(inert_json(as_data(report), indent=2) + b"\n")
