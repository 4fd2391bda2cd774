from dataclasses import replace

import pytest

from grader.assignment import read_assignment
from grader.checks.session import list_checks, run_checks
from grader.errors import AssignmentError
from grader.records import AxesRecord, EvaluationRecord, FigureRecord, LineRecord

HEAD = "import pytest\nfrom grader.checks import dense\n"


def check(body, *, points=2, marks="", name="test_it", title="It is so.", arguments="model"):
    return f'''
@pytest.mark.points({points})
{marks}
def {name}({arguments}):
    """{title}"""
    {body}
'''


def judge(folder, *evidence, **options):
    found = []
    run_checks(
        evidence,
        read_assignment(folder),
        lambda _known, results, _seconds: found.append(results),
        **options,
    )
    return found


@pytest.fixture
def result(assignment_folder, make):
    """Judge one submission by one check: ``result(body)``."""

    def run(body, known=None, **options):
        folder = assignment_folder(checks=HEAD + check(body, **options))
        return judge(folder, known or make.evidence())[0][0]

    return run


def test_a_check_that_holds_earns_its_points(result):
    found = result("model.expect_layers(dense(10, 'softmax'))")
    assert (found.outcome, found.points, found.out_of) == ("passed", 2, 2)
    assert found.title == "It is so."


def test_an_unmet_expectation_gives_expected_received_and_hint(result):
    found = result("model.expect_layers(dense(512, 'relu'), dense(10, 'softmax'))")
    assert (found.outcome, found.points) == ("failed", 0)
    assert found.expected == "Dense(512, relu) → Dense(10, softmax)"
    assert found.received == "Dense(10, softmax)"
    assert found.hint == "Layer 1, Dense(512, relu), is missing."
    assert [line.mark for line in found.alignment] == ["missing", "same"]


def test_a_plain_assert_gives_expected_and_received(result):
    found = result("assert model.trainable_params == 7840")
    assert (found.expected, found.received, found.hint) == ("7840", "7850", "")
    found = result("assert model.trainable_params == 7840, 'Count the biases.'")
    assert (found.expected, found.received, found.hint) == ("7840", "7850", "Count the biases.")


def test_an_assert_that_compares_nothing_gives_its_words(result):
    found = result("assert model.layers[0].name.startswith('x'), 'The name is wrong.'")
    assert (found.outcome, found.hint) == ("failed", "The name is wrong.")


def test_a_check_that_fails_by_itself_is_broken_and_not_the_students_fault(result):
    found = result("model.nothing_of_that_name")
    assert found.outcome == "broken"
    assert "AttributeError" in found.hint


def test_a_missing_model_fails_with_the_students_reason(result, make):
    known = make.evidence(
        card=None, measurement=None, execution=make.execution(chosen=None, problem="No model.")
    )
    found = result("pass", known)
    assert (found.outcome, found.hint) == ("failed", "No model.")


def test_a_fact_missing_by_our_fault_breaks_the_check(result, make):
    known = make.evidence(card=None, broken="The judge died.")
    found = result("pass", known)
    assert (found.outcome, found.hint) == ("broken", "The judge died.")


def test_pytest_skip_is_a_skip(result):
    assert result("pytest.skip('not here')").outcome == "skipped"


def test_a_check_is_skipped_when_what_it_requires_did_not_pass(assignment_folder, make):
    checks = (
        HEAD
        + check("assert False", name="test_first", title="First.")
        + check("pass", name="test_second", marks='@pytest.mark.requires("test_first")')
    )
    _, second = judge(assignment_folder(checks=checks), make.evidence())[0]
    assert second.outcome == "skipped"
    assert second.points == 0
    assert "First." in second.hint


def test_submissions_are_judged_each_by_its_own_facts(assignment_folder, make):
    folder = assignment_folder(checks=HEAD + check("model.expect_trainable_params(7850)"))
    wrong = make.evidence(card=make.card(trainable_params=7840))
    outcomes = [
        results[0].outcome for results in judge(folder, make.evidence(), wrong, make.evidence())
    ]
    assert outcomes == ["passed", "failed", "passed"]


def test_fixtures_give_every_fact(assignment_folder, make):
    body = (
        "assert submission.student == 'ada' and execution.ending == 'finished'"
        " and len(models) == 1 and len(fits) == 1 and history['loss'][0] == 0.9"
        " and len(variables) == 0 and held_out.accuracy == 0.92 and model.params == 7850"
    )
    arguments = "submission, execution, model, models, fits, history, variables, held_out"
    folder = assignment_folder(checks=HEAD + check(body, arguments=arguments))
    assert judge(folder, make.evidence())[0][0].outcome == "passed"


def test_fixtures_give_what_was_tested_plotted_and_named(assignment_folder, make):
    first, second = make.fit(), make.fit(model=1, history={"loss": (3.0, 2.0)})
    found = make.execution().models[0]
    tested = EvaluationRecord(
        model=0, cell=3, after_fits=1, x=None, y=None, samples=None, results={}, completed=True
    )
    lines = tuple(
        LineRecord(label="", points=len(one.history["loss"]), y=one.history["loss"])
        for one in (first, second)
    )
    axes = AxesRecord(
        title="", x_label="", y_label="", legend=(), lines=lines, images=0, bars=0, dots=0
    )
    known = make.evidence(
        execution=make.execution(
            models=(found, replace(found, number=1, variables=("small",))),
            fits=(first, second),
            evaluations=(tested, replace(tested, model=1)),
            figures=(FigureRecord(cell=4, title="", axes=(axes,)),),
            values={"epoch": 4},
        )
    )
    body = (
        "assert len(fits) == len(evaluations) == len(figures) == len(values) == 1; "
        "assert sorted(trainings) == ['model', 'small'] and trainings['small'].epochs == 2; "
        "figures.expect_curves('loss'); figures.expect_points(2); values.expect_number('epoch', 4)"
    )
    checks = HEAD + check(body, arguments="fits, trainings, evaluations, figures, values")
    ((result,),) = judge(assignment_folder(checks=checks), known)
    assert result.outcome == "passed", result


def test_parametrised_checks_have_titles_of_their_own(assignment_folder, make):
    marks = '@pytest.mark.parametrize("n", [1, 2])'
    folder = assignment_folder(
        checks=HEAD + check("assert n == 1", marks=marks, arguments="model, n")
    )
    first, second = judge(folder, make.evidence())[0]
    assert (first.title, second.title) == ("It is so. [1]", "It is so. [2]")
    assert (first.outcome, second.outcome) == ("passed", "failed")


def test_hidden_checks_are_marked_and_can_be_left_out(assignment_folder, make):
    folder = assignment_folder(
        checks=HEAD + check("pass"), hidden=HEAD + check("pass", name="test_secret")
    )
    assignment = read_assignment(folder)
    assert [listed.hidden for listed in list_checks(assignment)] == [False, True]
    (results,) = judge(folder, make.evidence(), hidden=False)
    assert [found.name for found in results] == ["test_it"]


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        ("def test_x(model):\n    pass", "test_x: has no docstring"),
        ('def test_x(model):\n    """Title."""', "test_x: has no points"),
        (HEAD + check("pass", points="'two'"), "has no points"),
        (HEAD + check("pass", marks='@pytest.mark.requires("test_y")'), "requires 'test_y'"),
        (HEAD + check("pass") + check("pass", marks="@pytest.mark.nonsense"), "nonsense"),
        ("def test_x(:", "SyntaxError"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("x = 1", "test_little.py: there are no checks"),
    ],
)
def test_a_faulty_check_file_is_an_error_that_names_it(assignment_folder, checks, says):
    folder = assignment_folder(checks=checks)
    with pytest.raises(AssignmentError) as caught:
        list_checks(read_assignment(folder))
    assert says in str(caught.value)
    assert "test_little.py" in str(caught.value)


def test_a_check_that_wants_an_unknown_fact_is_broken(assignment_folder, make):
    folder = assignment_folder(checks=HEAD + check("pass", arguments="modell"))
    (found,) = judge(folder, make.evidence())[0]
    assert found.outcome == "broken"


@pytest.mark.parametrize(
    ("body", "tells"),
    [
        ("held_out.expect_accuracy(at_least=0.99)", ("received", "hint")),
        ("assert held_out.accuracy > 0.99", ("expected", "received", "hint")),
        ("pytest.skip(f'{held_out.measurement}')", ("expected", "received", "hint")),
        ("raise ValueError(held_out.accuracy)", ("expected", "received", "hint")),
        (
            "held_out.expect_accuracy(at_least=held_out.accuracy + 0.01)",
            ("expected", "received", "hint"),
        ),
        ("assert held_out is None", ()),
        ("assert held_out.error < 1", ()),
        ("held_out.expect_accuracy(at_least=0.9); assert held_out is None", ()),
        ("assert held_out.accuracy > 0.9", ()),
    ],
)
def test_a_result_says_which_of_its_words_may_tell_what_was_measured(result, body, tells):
    assert result(body, arguments="held_out").tells == tells
