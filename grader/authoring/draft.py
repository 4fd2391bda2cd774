"""A reference solution → the text of a new assignment's files; nothing is run here."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from grader.authoring.propose import CLASSES, ProposedCheck, floor_of, margin_of
from grader.authoring.release import BEGIN, END, handout
from grader.datasets import KNOWN
from grader.errors import AssignmentError, UsageError
from grader.records import Evidence, ModelCard
from grader.settings import Layout, ModelWanted

SMALLEST_IMAGE = 8
"""Pixels along an axis; anything smaller is a series or a table."""
CHANNELS = (1, 3, 4)
IMAGE, WITH_CHANNELS = 2, 3
_LOADED = re.compile(r"""\bnp\.load\(\s*["']([\w][\w\-.]*\.npz)["']""")
_DATASET = re.compile(r"\bdatasets(?:\.|\s+import\s+)(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of a new assignment before anything has run."""

    name: str
    """Its name."""
    title: str
    """The first heading of the solution."""
    solution: Path
    """The reference."""
    handout: str
    """What students start from, as a notebook's text."""
    set: str
    """The data set of Keras' that it loads; empty when it loads a file."""
    file: str
    """The file that it loads."""


def read_solution(solution: Path, name: str) -> Draft:
    """Read a reference solution: what it is called, what it loads, what students are to find.

    Raises:
        UsageError: The name will not do, or it cannot be seen which data is used.
        AssignmentError: Nothing in the solution is marked for students to find.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(
            f"{name!r} is no name for an assignment.",
            remedy="Small letters, digits and _, beginning with a letter: fashion_dense",
        )
    made = handout(solution, name)
    text = solution.read_text("utf-8")
    if BEGIN not in text:
        raise AssignmentError(
            f"{solution}: nothing is marked for students to find: their handout would be solved.",
            remedy=f"Put {BEGIN!r} and {END!r}, each on a line of its own, around what they write.",
        )
    sets = [found for found in _DATASET.findall(text) if found in KNOWN]
    files = _LOADED.findall(text)
    if len({*sets, *files}) != 1:
        seen = ", ".join(sorted({*sets, *files})) or "no data at all"
        raise UsageError(
            f"{solution}: it should load one data set, and this is seen: {seen}.",
            remedy=f"Either keras.datasets.NAME.load_data(), NAME one of {', '.join(KNOWN)}, or "
            'np.load("mine.npz") with a bare name.',
        )
    heading = re.search(r"^# # (.+)$", text, re.MULTILINE)
    return Draft(
        name=name,
        title=heading[1].strip() if heading else name.replace("_", " ").capitalize(),
        solution=solution,
        handout=made,
        set=sets[0] if sets else "",
        file="" if sets else files[0],
    )


def inputs_for(card: ModelCard, sample: tuple[int, ...], *, is_words: bool) -> tuple[Layout, ...]:
    """Tell in which forms the held-out inputs will suit models like this one.

    Args:
        card: The reference's model.
        sample: The shape of one sample as it lies in the file.
        is_words: Whether the samples are word sequences.

    Raises:
        AssignmentError: There is none.
    """
    takes = card.input_shape[1:]
    if is_words:
        return ("multi_hot",) if takes[-1:] != (None,) else ("padded",)
    as_it_is = len(takes) in (len(sample), len(sample) + 1) and all(
        want is None or want == have for want, have in zip(takes, (*sample, 1), strict=False)
    )
    flat = len(takes) == 1
    if is_image(sample):
        if as_it_is:
            return ("image", "vector")
        if flat:
            return ("vector", "image")
    elif flat and len(sample) != 0:
        return ("vector",)
    elif as_it_is:
        return ("as_is",)
    raise AssignmentError(
        f"The reference takes inputs of shape {card.input_shape}, and a held-out sample has the "
        f"shape {sample}: the grader knows no way from one to the other.",
        remedy="Store the data as the model takes it, or let the model's first layer reshape it.",
    )


def is_image(sample: Sequence[int]) -> bool:
    """Whether rows of a shape look like images, grey ones or such with channels."""
    large = all(axis >= SMALLEST_IMAGE for axis in sample[:IMAGE])
    if len(sample) == WITH_CHANNELS:
        return large and sample[-1] in CHANNELS
    return large and len(sample) == IMAGE


# ------------------------------------------------------------------ files


def settings_text(draft: Draft, model: ModelWanted, evidence: Evidence | None, memory: int) -> str:
    """Write ``assignment.toml``.

    Args:
        draft: What was read.
        model: ``[model]``.
        evidence: What the reference did; without it, no thresholds.
        memory: GiB that a submission may use.
    """
    made = tomlkit.document()
    made.update({"name": draft.name, "title": draft.title, "version": "1"})
    if evidence is not None:
        made.add(tomlkit.comment("A paragraph for you and your colleagues; students never see it."))
        made.add("about", tomlkit.string(f"Made from {draft.solution.name}."))
    made["data"] = {"set": draft.set} if draft.set else {"file": draft.file}
    table: dict[str, Any] = {"variable": model.variable, "task": model.task}
    if model.task != "binary":
        table["classes"] = model.classes
    made["model"] = table | {"inputs": list(model.inputs)}
    limits = tomlkit.table()
    if evidence is not None:
        run = evidence.execution
        spent = f"The reference took {run.seconds:.0f} s and {run.peak_memory / 2**30:.1f} GiB."
        limits.add(tomlkit.comment(spent))
    limits.update({"wall_s": 600, "memory_gib": memory})
    made["limits"] = limits
    floor = floor_of(evidence.measurement) if evidence and model.task in CLASSES else None
    if evidence is not None and floor is not None:
        accuracy = {"at_least": floor, "margin": margin_of(evidence.measurement)}
        made["thresholds"] = {"accuracy": accuracy}
    return tomlkit.dumps(made)


def checks_text(checks: Sequence[ProposedCheck], about: str) -> str:
    """Write a file of checks.

    Args:
        checks: In their order.
        about: The file's docstring.
    """
    helpers = sorted({helper for check in checks for helper in check.helpers})
    imports = "import pytest\n"
    if helpers:
        imports += f"\nfrom grader.checks import {', '.join(helpers)}\n"
    return f'"""{about}"""\n\n{imports}' + "".join(map(_function, checks))


def _function(check: ProposedCheck) -> str:
    comment = textwrap.indent(check.looser, "# ")
    body = textwrap.indent("\n".join(check.body), "    ")
    return (
        f"\n\n{comment}\n@pytest.mark.points({check.points})\n"
        f'def {check.name}({check.fixture}):\n    """{check.title}"""\n{body}\n'
    )


def folder_of(
    draft: Draft,
    settings: str,
    visible: Sequence[ProposedCheck],
    hidden: Sequence[ProposedCheck],
) -> Mapping[str, str]:
    """Give the files of a new assignment by name, without its data."""
    files = {
        "assignment.toml": settings,
        "handout.ipynb": draft.handout,
        f"test_{draft.name}.py": checks_text(visible, "What students see and run themselves."),
    }
    if hidden:
        files[f"hidden_{draft.name}.py"] = checks_text(hidden, "What students do not see.")
    return files
