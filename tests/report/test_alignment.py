import io
import json

import pytest
from rich.console import Console

from grader.assignment import read_assignment
from grader.checks.session import run_checks
from grader.records import AlignedLayer
from grader.report.alignment import MOST_LINES, show_alignment
from grader.report.as_json import as_data
from grader.report.terminal import show_one
from grader.tally import tally

HOSTILE = "Dense(10, [red]\x1b[2J\u202e\n)"
CHECK = '''
import pytest
from grader.checks import dense

@pytest.mark.points(1)
def {name}(model):
    """{title}"""
    model.expect_layers(dense({units}, "relu"), dense(10, "softmax"))
'''


@pytest.fixture
def graded(assignment_folder, bench, make):
    """A report on a network that fails a visible and a hidden check."""
    folder = assignment_folder(
        checks=CHECK.format(name="test_layers", title="Two layers.", units=512),
        hidden=CHECK.format(name="test_secret", title="Nobody knows.", units=4321),
    )
    assignment, reports = read_assignment(folder), []
    run_checks(
        [make.evidence()],
        assignment,
        lambda known, results, _: reports.append(tally(known, results, assignment, bench)),
    )
    return reports[0]


def printed(show, *args):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    show(*args, console)
    return console.file.getvalue()


def test_a_wrong_network_is_shown_beside_the_expected_one(graded):
    text = printed(show_one, graded)
    rows = [line.split() for line in text.splitlines()]
    assert ["−", "Dense(512,", "relu)", "401,920"] in rows
    assert ["Dense(10,", "softmax)", "5,130", "Dense(10,", "softmax)", "7,850"] in rows
    assert "5,130 = (512 + 1) × 10; yours 7,850 = (784 + 1) × 10: 784 inputs" in text


def test_a_students_copy_has_the_network_of_visible_checks_only(graded):
    everything, theirs = json.dumps(as_data(graded)), as_data(graded, for_student=True)
    assert "4321" in everything
    assert "4321" not in json.dumps(theirs)
    (line, _) = theirs["checks"][0]["alignment"]
    assert line == {
        "expected": "Dense(512, relu)",
        "found": "",
        "mark": "missing",
        "difference": "",
        "expected_params": 401_920,
        "found_params": None,
        "arithmetic": "",
    }


def test_a_strangers_words_are_shown_without_escapes_and_without_markup():
    line = AlignedLayer(
        expected=HOSTILE, found=HOSTILE, mark="changed", found_params=7, arithmetic=HOSTILE
    )
    text = printed(show_alignment, [line])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("[red]") == 4


def test_nothing_is_shown_of_no_network_and_little_of_a_long_one():
    assert printed(show_alignment, []) == ""
    line = AlignedLayer(expected="", found="Dense(1)", mark="extra", found_params=7)
    text = printed(show_alignment, [line] * (MOST_LINES + 60))
    assert text.count("Dense(1)") == MOST_LINES
    assert "and 60 more" in text
