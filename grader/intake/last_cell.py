"""The last cell of a handout, by which students check themselves, and how it is known again.

It is the grader's and not the student's: whoever runs a submission passes over it.
"""

SOURCE = """\
# Run this cell to check your work as you last saved it. The grader passes over it.
try:
    from grader.notebook import check
except ImportError:
    print("To check your work here, install the grader: pip install keras-grader")
else:
    check()"""
KNOWN = frozenset({SOURCE})
"""This one, and those of older handouts; one that was changed is the student's own code."""


def is_last_cell(source: str) -> bool:
    """Whether a cell is ours, whatever an editor did to its line ends."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines()) in KNOWN
