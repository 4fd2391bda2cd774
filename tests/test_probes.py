"""What an instructor writes in ``[probes]``, and what is said of mistakes in it."""

import json

import pytest

from grader.assignment import read_assignment
from grader.errors import AssignmentError
from grader.probes import Probe

CHECKS = "def test_x(): pass"


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        ("", "probes.p: expected either `call` or `value`"),
        ('call = "f"\nvalue = "a"', "expected either `call` or `value`"),
        ('value = "a"\narguments = [1]', ":15: probes.p: arguments: a value is read, not called"),
        ('value = "a"\nrepeat = 2', ":15: probes.p: repeat: a value is read"),
        ('call = "f(1)"', ":14: probes.p.call: expected"),
        ('call = "f"\ntimes = 2', ":15: probes.p.times: is not a key that the grader knows. Known"),
        ('call = "f"\nrepeat = 0', ":15: probes.p.repeat: expected"),
        ('call = "f"\ndtype = "float31"', "Received: 'float31'"),
        ('call = "f"\narguments = [[[1, 2], [3]]]', "is no array; for lists, say `lists = true`"),
        ('call = "f"\narguments = [1979-05-27]', "is no number, text, truth value, list or table"),
        (
            'call = "f"\nrepeat = 2\nfeed = { 0 = 0 }',
            ":16: probes.p: feed.0: there is no argument 0",
        ),
        ('call = "f"\narguments = [1]\nfeed = { 0 = 0 }', "feed: there is no second step"),
        (
            'call = "f"\narguments = [1]\nrepeat = 3\nthen = { 0 = [1] }',
            "then.0: expected 2 values, one for each step after the first. Received: 1",
        ),
        (
            'call = "f"\narguments = [1]\nrepeat = 2\nfeed = { 0 = 0 }\nthen = { 0 = [1] }',
            "then.0: is fed as well",
        ),
    ],
)
def test_a_mistake_in_a_probe_is_told_before_anything_runs(
    assignment_folder, little_toml, probe, says
):
    folder = assignment_folder(f"{little_toml}[probes.p]\n{probe}\n", CHECKS)
    with pytest.raises(AssignmentError) as caught:
        read_assignment(folder)
    assert says in str(caught.value)


def test_a_name_of_a_probe_is_one_word(assignment_folder, little_toml):
    folder = assignment_folder(f'{little_toml}[probes."two words"]\ncall = "f"\n', CHECKS)
    with pytest.raises(AssignmentError, match="two words"):
        read_assignment(folder)


def test_a_question_is_strict_json_whatever_the_arguments(assignment_folder, little_toml):
    toml = f'{little_toml}[probes.p]\ncall = "f"\narguments = [nan, [inf, 1]]\nkeywords = {{n = 3}}'
    probe = read_assignment(assignment_folder(toml, CHECKS)).settings.probes["p"]
    json.dumps(probe.question(), allow_nan=False)
    assert probe.words() == "f(nan, [inf, 1], n=3)"


def test_a_long_argument_is_cut_in_words_and_whole_in_the_question():
    probe = Probe(call="f", arguments=(list(range(100)),))
    assert len(probe.words()) < 70
    assert "99" in probe.question()["inputs"]
