import pytest

from grader.assignment import read_assignment
from grader.authoring.leaks import in_a_report
from grader.authoring.pack import leaks
from grader.authoring.release import handout
from grader.authoring.structure import look_at
from grader.checks.session import list_checks
from grader.records import CheckResult
from grader.tally import tally

CHECKS = '''
import pytest


@pytest.mark.points(2)
def test_accuracy(held_out):
    """It is right for at least 90 % of digits."""
    held_out.expect_accuracy({})
'''
HIDDEN = '''
import pytest


@pytest.mark.points(1)
def test_secret(model):
    """Nobody knows what is asked here."""
    assert model.trainable_params == 81_234
'''
FLOOR = "\n[thresholds.accuracy]\nat_least = {}\n"


@pytest.fixture
def assignment(assignment_folder, little_toml, tmp_path):
    """An assignment with its solution and handout: ``assignment(toml, checks, …)``."""

    def make(toml="", checks=None, hidden=None, text="# %%\nx = 1\n"):
        folder = assignment_folder(little_toml + toml, checks or CHECKS.format(""), hidden)
        solution = tmp_path / "little.py"
        solution.write_text(text, "utf-8")
        (folder / "handout.ipynb").write_text(handout(solution, "little"), "utf-8")
        return read_assignment(folder), solution

    return make


def seen(assignment, solution):
    return [each.what for each in look_at(assignment, list_checks(assignment), solution)]


def test_nothing_is_wrong_where_nothing_is(assignment):
    assert seen(*assignment(FLOOR.format(0.9))) == []
    assert seen(*assignment(FLOOR.format(0.9), CHECKS.format("at_least=0.9"))) == []


def test_the_floor_is_no_floor_of_other_models(assignment):
    other = CHECKS.replace("(held_out)", "(named)").replace("held_out.", "named['b'].held_out.")
    alone = CHECKS.format("") + other.format("at_least=0.8").replace("test_acc", "test_other_acc")
    assert seen(*assignment(FLOOR.format(0.9), alone)) == []
    (what,) = seen(*assignment(FLOOR.format(0.9), other.format("at_least=0.8")))
    assert "no check looks at it" in what


def test_a_bound_of_another_model_is_for_a_check(assignment):
    model = '\n[models.b]\nvariable = "b"\ntask = "multiclass"\ninputs = ["vector"]\n'
    toml = FLOOR.format(0.9) + model + "[thresholds.models.b.accuracy]\nat_least = 0.8\n"
    (what,) = seen(*assignment(toml, CHECKS.format("")))
    assert "thresholds.models.b has a bound, and no check looks at it" in what
    other = CHECKS.replace("(held_out)", "(named)").replace("held_out.", "named['b'].held_out.")
    other = other.format("").replace("test_acc", "test_other_acc")
    assert seen(*assignment(toml, CHECKS.format("") + other)) == []


@pytest.mark.parametrize(
    ("toml", "checks", "says"),
    [
        (FLOOR.format(0.95), CHECKS.format("at_least=0.9"), "expects at least 0.9, assignment"),
        (FLOOR.format(0.95), CHECKS.format(""), "its title says 90 %, its threshold is 95 %"),
        ("", CHECKS.format(""), "expects an accuracy, and assignment.toml has no"),
        (FLOOR.format(0.9), HIDDEN, "asks for 0.9, and no check looks at it"),
        (
            FLOOR.format(0.9),
            CHECKS.format("") + CHECKS.format("").replace("import pytest", ""),
            "there is a second test_accuracy; the one in line 6 is never run",
        ),
        (
            FLOOR.format(0.9) + "[hidden]\nchecks = 2\npoints = 3",
            CHECKS.format(""),
            "says that there are 2, and there is no hidden_*.py",
        ),
        (
            FLOOR.format(0.9) + '[validate.harmless]\n"wrong los" = "why"',
            CHECKS.format(""),
            "there is no kind of mutant called 'wrong los'",
        ),
    ],
)
def test_what_does_not_fit_is_named_before_anything_runs(assignment, toml, checks, says):
    (what,) = seen(*assignment(toml, checks))
    assert says in what


def test_what_is_said_of_hidden_checks_is_counted(assignment):
    said = FLOOR.format(0.9) + "[hidden]\nchecks = 1\npoints = {}"
    assert seen(*assignment(said.format(1), hidden=HIDDEN)) == []
    (what,) = seen(*assignment(said.format(4), hidden=HIDDEN))
    assert "says 1 worth 4, and there are 1 worth 1" in what


def test_a_handout_that_is_stale_or_missing_is_named(assignment):
    made, solution = assignment(FLOOR.format(0.9))
    solution.write_text("# %%\nx = 2\n", "utf-8")
    assert "handout.ipynb: is not what little.py makes" in seen(made, solution)[0]
    (made.folder / "handout.ipynb").unlink()
    assert "handout.ipynb: is not there" in seen(made, solution)[0]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"text": "# %%\n# Nobody knows what is asked here.\n"}, "the title of the hidden check"),
        ({"text": "# %%\nlimit = 81_234\n"}, "a line"),
        ({"text": "# %%\nlimit = 81234\n"}, "a value of hidden_little.py"),
        ({"checks": CHECKS.format("") + "\n\n# see hidden_little.py"}, "name of a file"),
        ({"toml": '\n[validate.harmless]\n"wrong loss" = "test_secret sees it"\n'}, None),
        ({"toml": FLOOR.format("0.81234")}, None),
    ],
)
def test_what_students_are_given_holds_nothing_of_hidden_checks(assignment, where, says):
    made, _ = assignment(hidden=HIDDEN, **where)
    found = [each.what for each in leaks(made, list_checks(made))]
    if says == "a line":  # 81_234 is written another way than the value: no leak of either
        says = None
    assert (found == []) if says is None else any(says in what for what in found), found


def test_a_students_copy_that_tells_of_a_hidden_check_is_seen(make, bench, assignment):
    made, _ = assignment(hidden=HIDDEN)
    secret = CheckResult(
        name="test_secret",
        title="Nobody knows what is asked here.",
        outcome="failed",
        points=0.0,
        out_of=1.0,
        hidden=True,
        hint="The secret hint of it.",
    )
    report = tally(make.evidence(), (secret,), made, bench)
    assert list(in_a_report(report, "ada")) == []
    told = tally(
        make.evidence(execution=make.execution(notes=(secret.title,))), (secret,), made, bench
    )
    (complaint,) = in_a_report(told, "ada")
    assert "shows what the hidden check test_secret says" in complaint.what
