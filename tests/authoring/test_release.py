import json

import pytest

from grader.authoring.release import handout
from grader.errors import AssignmentError
from grader.intake.last_cell import is_last_cell

SOLUTION = """\
# %% [markdown]
# # Title

# %%
def build():
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION

# %%
import keras
### BEGIN SOLUTION
model = build()
### END SOLUTION
"""


def write(tmp_path, text):
    path = tmp_path / "little.py"
    path.write_text(text, "utf-8")
    return path


def test_what_students_are_to_find_is_replaced_by_a_stub(tmp_path):
    made = json.loads(handout(write(tmp_path, SOLUTION), "little"))
    title, function, last, check = ("".join(cell["source"]) for cell in made["cells"])
    assert title == "# Title"
    assert function.endswith("    # YOUR CODE HERE\n    raise NotImplementedError()")
    assert last == "import keras\n# YOUR CODE HERE\nraise NotImplementedError()"
    assert "42" not in json.dumps(made)
    assert is_last_cell(check)


def test_a_handout_says_which_assignment_it_belongs_to(tmp_path):
    made = json.loads(handout(write(tmp_path, SOLUTION), "little"))
    assert made["metadata"]["grader"] == {"assignment": "little"}


def test_the_same_solution_makes_the_same_bytes(tmp_path):
    path = write(tmp_path, SOLUTION)
    assert handout(path, "little") == handout(path, "little")


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (
            "    ### END SOLUTION\n",
            "",
            ":11: a second '### BEGIN SOLUTION'; the first: line 6",
        ),
        ("    ### BEGIN SOLUTION\n", "", ":7: '### END SOLUTION' without"),
        ("model = build()\n### END SOLUTION\n", "", ":12: '### BEGIN SOLUTION' without"),
    ],
)
def test_marks_that_do_not_match_are_named_with_their_line(tmp_path, was, now, says):
    path = write(tmp_path, SOLUTION.replace(was, now, 1))
    with pytest.raises(AssignmentError) as caught:
        handout(path, "little")
    assert says in str(caught.value)


def test_a_missing_solution_is_named(tmp_path):
    with pytest.raises(AssignmentError, match="cannot be read"):
        handout(tmp_path / "nowhere.py", "little")
