"""What the numbers were taken on."""

import importlib.metadata
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError

SHARED_PACKAGES = ("tensorflow", "keras", "numpy")
"""What must have one version everywhere: the training is most of the time."""


def shared_requirements() -> list[str]:
    """The pinned packages that every contestant must have in one version.

    Raises:
        BenchmarkError: One of them is missing here.
    """
    try:
        return [f"{name}=={importlib.metadata.version(name)}" for name in SHARED_PACKAGES]
    except importlib.metadata.PackageNotFoundError as error:
        raise BenchmarkError(
            f"{error.name} is not installed for {sys.executable}: run this benchmark with "
            "the interpreter that has this grader"
        ) from error


def machine_line(*more: str) -> str:
    """Date, processor, cores, memory, system, versions and load, in one line.

    Args:
        more: Versions of others that take part.
    """
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*: (.+)", cpuinfo.read_text("utf-8"))
        model = found[1].strip() if found else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}",
        model,
        f"{len(os.sched_getaffinity(0))} cores",
        f"{memory:.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        *shared_requirements(),
        *more,
        f"load {os.getloadavg()[0]:.1f}",
    ]
    return ", ".join(parts)
