"""What can be seen of an assignment without running anything: thresholds, names, settings."""

import ast
import difflib
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.assignment import FILE, Assignment
from grader.authoring.mutants import KINDS
from grader.authoring.release import handout
from grader.checks.session import ListedCheck
from grader.trials import Complaint

EXPECTATION = "expect_accuracy"
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s?%")
HUNDRED = 100


def look_at(
    assignment: Assignment, checks: Sequence[ListedCheck], solution: Path
) -> Iterator[Complaint]:
    """Complain about what is wrong before anything runs.

    Args:
        assignment: Read without an error.
        checks: Collected without an error.
        solution: The reference's file.

    Raises:
        AssignmentError: The solution's marks do not match.
    """
    yield from _thresholds(assignment)
    yield from _bounds_of_models(assignment)
    yield from _second_functions(assignment)
    yield from _hidden(assignment, checks)
    yield from _handout(assignment, solution)
    yield from _harmless(assignment)


def _functions(file: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(file.read_text("utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _files(assignment: Assignment) -> tuple[Path, ...]:
    return (*assignment.visible, *assignment.hidden)


def _thresholds(assignment: Assignment) -> Iterator[Complaint]:
    wanted = assignment.settings.thresholds.accuracy
    floor = wanted.at_least if wanted else None
    asked = False
    for file in _files(assignment):
        for function in _functions(file):
            for node in ast.walk(function):
                asked = asked or (isinstance(node, ast.Attribute) and node.attr == "accuracy")
                if (
                    isinstance(node, ast.Call)
                    and _name(node.func) == EXPECTATION
                    and not _of_another_model(node.func)
                ):
                    asked = True
                    place = f"{file.name}:{node.lineno}: {function.name}"
                    yield from _threshold(node, function, floor, place)
    if floor is not None and not asked:
        yield Complaint(
            about="thresholds",
            what=f"{FILE}: thresholds.accuracy asks for {floor:g}, and no check looks at it.",
            remedy=f"Write a check with held_out.{EXPECTATION}(), or take the threshold out.",
        )


def _bounds_of_models(assignment: Assignment) -> Iterator[Complaint]:
    functions = [one for file in _files(assignment) for one in _functions(file)]
    nodes = [node for function in functions for node in ast.walk(function)]
    if any(isinstance(node, ast.Attribute) and node.attr == "held_out" for node in nodes):
        return
    for name in assignment.settings.thresholds.models:
        yield Complaint(
            about="thresholds",
            what=f"{FILE}: thresholds.models.{name} has a bound, and no check looks at it.",
            remedy=f'Write a check with named["{name}"].held_out, or take the bound out.',
        )


def _of_another_model(expectation: ast.expr) -> bool:
    """Whether it is ``named["other"].held_out.expect_…``: the floor is that of ``[model]``."""
    return isinstance(expectation, ast.Attribute) and isinstance(expectation.value, ast.Attribute)


def _threshold(
    call: ast.Call, function: ast.FunctionDef, floor: float | None, place: str
) -> Iterator[Complaint]:
    given = next((word.value for word in call.keywords if word.arg == "at_least"), None)
    if given is None and floor is None:
        yield Complaint(
            about="thresholds",
            what=f"{place}: expects an accuracy, and {FILE} has no [thresholds.accuracy].",
            remedy=f"Write at_least = 0.90 below [thresholds.accuracy] in {FILE}.",
        )
        return
    value = given.value if isinstance(given, ast.Constant) else None
    if isinstance(value, int | float):
        if floor is not None and not math.isclose(value, floor):
            yield Complaint(
                about="thresholds",
                what=f"{place}: expects at least {value:g}, {FILE} at least {floor:g}.",
                remedy=f"Write held_out.{EXPECTATION}() in the check: it takes what stands in "
                f"{FILE}.",
            )
        floor = value
    title = (ast.get_docstring(function) or "").partition("\n")[0]
    said = [float(number.replace(",", ".")) / HUNDRED for number in _PERCENT.findall(title)]
    if floor is not None and said and not any(math.isclose(number, floor) for number in said):
        yield Complaint(
            about="thresholds",
            what=f"{place}: its title says {HUNDRED * said[0]:g} %, its threshold is "
            f"{HUNDRED * floor:g} %.",
            remedy="Make the docstring's first line say what is asked for.",
        )


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def _second_functions(assignment: Assignment) -> Iterator[Complaint]:
    """Python keeps the last of two functions of a name, and pytest never sees the first."""
    for file in _files(assignment):
        lines: dict[str, int] = {}
        for function in _functions(file):
            if function.name in lines:
                yield Complaint(
                    about="checks",
                    what=f"{file.name}:{function.lineno}: there is a second {function.name}; the "
                    f"one in line {lines[function.name]} is never run.",
                    remedy="Give each check a name of its own.",
                )
            lines[function.name] = function.lineno


def _hidden(assignment: Assignment, checks: Sequence[ListedCheck]) -> Iterator[Complaint]:
    said = assignment.settings.hidden
    if not said.checks:
        return
    hidden = [check for check in checks if check.hidden]
    number, points = len(hidden), sum(check.points for check in hidden)
    if not assignment.hidden:
        what = f"says that there are {said.checks}, and there is no hidden_*.py"
    elif number != said.checks or not math.isclose(points, said.points):
        what = f"says {said.checks} worth {said.points:g}, and there are {number} worth {points:g}"
    else:
        return
    yield Complaint(
        about="settings",
        what=f"{FILE}: [hidden] {what}.",
        remedy="Put the file back, or make [hidden] say what is there.",
    )


def _handout(assignment: Assignment, solution: Path) -> Iterator[Complaint]:
    made = handout(solution, assignment.name)
    file = assignment.folder / "handout.ipynb"
    if not file.is_file():
        yield Complaint(
            about="handout",
            what=f"{file.name}: is not there.",
            remedy="Make it: python -m grader.authoring.handouts",
        )
    elif file.read_text("utf-8") != made:
        yield Complaint(
            about="handout",
            what=f"{file.name}: is not what {solution.name} makes: one of them was changed alone.",
            remedy="Make it anew: python -m grader.authoring.handouts",
        )


def _harmless(assignment: Assignment) -> Iterator[Complaint]:
    names = [kind.name for kind in KINDS]
    for name in assignment.settings.validate.harmless:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            yield Complaint(
                about="settings",
                what=f"{FILE}: validate.harmless: there is no kind of mutant called {name!r}.",
                remedy=f"Did you mean {near[0]!r}?"
                if near
                else f"grader validate {assignment.name} --list shows the kinds.",
            )
