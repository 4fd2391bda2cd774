"""What a machine offers, in words: isolation, data, versions, memory, cores."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.datasets import available, verify
from grader.sandbox import MINIMUM_VARIABLE, forks, rungs
from grader.sandbox.interface import GIB

PACKAGES = ("keras", "tensorflow", "numpy", "ipython", "pytest")
NEEDED_KERAS = (3, 15, 1)
COMFORTABLE_GIB = 4


def show_data(console: Console, directory: Path | None, *, verify_all: bool) -> bool:
    """Print which source has which data set, and whether what was prepared is sound.

    Args:
        console: Where to print.
        directory: A folder to look in first.
        verify_all: Read every prepared file again and compare its hash.

    Returns:
        Whether everything that was verified is sound.
    """
    table = Table(
        title="Data sets, in the order in which they are looked for", title_justify="left"
    )
    for heading in ("data set", "source", "there", "original", "where", "note"):
        table.add_column(heading, overflow="fold")
    for offer in available(data_dir=directory):
        there = Text("used", "green") if offer.used else Text("yes" if offer.there else "no", "dim")
        original = "yes" if offer.verified else ""
        table.add_row(
            offer.name, offer.source, there, original, Text(offer.where), Text(offer.note)
        )
    console.print(table)
    if not verify_all:
        console.print("Read every prepared file again with: grader data --verify")
        return True
    findings = verify()
    for finding in findings:
        name = finding.name or str(finding.folder)
        if finding.problems:
            console.print(
                Text(f"✗ {name} {finding.digest[:12]}: {' '.join(finding.problems)}", "red")
            )
        else:
            console.print(Text(f"✓ {name} {finding.digest[:12]}: every file has its hash", "green"))
    if not findings:
        console.print("Nothing is prepared yet: the first `grader grade` does it.")
    return not any(finding.problems for finding in findings)


def show_machine(console: Console) -> bool:
    """Print what this machine offers and what to do about what it lacks.

    Returns:
        Whether submissions can be graded safely here.
    """
    console.print(Text("Isolation", "bold"))
    safe = False
    for rung in rungs():
        safe = safe or (rung.works and not rung.must_be_asked_for)
        if not rung.works:
            console.print(Text(f" ✗ {rung.level}: {rung.reason}", "red"))
            console.print(Text(f"     {rung.remedy}", "yellow"))
        elif rung.is_forbidden:
            console.print(
                Text(f" ✗ {rung.level}: not allowed on this machine ({MINIMUM_VARIABLE})", "red")
            )
        elif rung.level == "none":
            console.print(
                Text(" ! none, only when asked for: grader grade --isolation none", "yellow")
            )
        else:
            console.print(Text(" ✓ ", "green") + Text(rung.description))
            if rung.must_be_asked_for:
                asking = f"     Only when asked for: grader grade --isolation {rung.level}"
                console.print(Text(asking, "yellow"))
            tried = forks(rung.level)
            said = f"Fast on top: runs are forks [self-test {tried.attempts}/{tried.attempts}]."
            if not tried.holds:
                said = f"Not fast: every run imports Keras anew, for {tried.reason}."
            console.print(Text(f"     {said}", "dim" if tried.holds else "yellow"))
    console.print(Text("Data", "bold"))
    for offer in available():
        if offer.used:
            console.print(Text(f"   {offer.name}: {offer.source}. {offer.note or offer.where}"))
    console.print(Text("     Real data: grader grade --data DIR, or GRADER_DATA=DIR", "dim"))
    console.print(Text("Versions", "bold"))
    _show_versions(console)
    console.print(Text("Machine", "bold"))
    _show_size(console)
    if not safe:
        console.print(
            Text("Nothing here can hold a stranger's code: do one of the above first.", "red")
        )
    return safe


def _show_versions(console: Console) -> None:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    console.print(Text("   " + ", ".join(f"{name} {version}" for name, version in found.items())))
    parts = [part for part in found["keras"].split(".")[:3] if part.isdigit()]
    if tuple(map(int, parts)) < NEEDED_KERAS:
        wanted = ".".join(map(str, NEEDED_KERAS))
        remedy = f"{sys.executable} -m pip install 'keras>={wanted}'"
        console.print(
            Text(f"     Keras before {wanted} opens hostile model files: {remedy}", "yellow")
        )


def _show_size(console: Console) -> None:
    memory = psutil.virtual_memory()
    cores = len(os.sched_getaffinity(0))
    console.print(
        Text(
            f"   {platform.system()} {platform.release()} on {platform.machine()}, "
            f"{cores} cores, {memory.total / GIB:.0f} GiB of memory, "
            f"{memory.available / GIB:.0f} GiB of it free"
        )
    )
    if memory.available < COMFORTABLE_GIB * GIB:
        console.print(
            Text("     Little memory is free: an MNIST submission wants about 1.5 GiB.", "yellow")
        )
