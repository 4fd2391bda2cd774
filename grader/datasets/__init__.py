"""What the student sees of a data set, what the judge sees, and what stays outside.

:func:`load` gives a :class:`Dataset` with three parts in folders of their own: the files that
``keras.datasets.<name>.load_data()`` reads in the student's sandbox, whose test split is drawn
from the training split; the held-out inputs for the judge; and the held-out labels, which only
the host reads. Read :mod:`grader.datasets.finding` first.
"""

from grader.datasets.extra import with_extra
from grader.datasets.finding import KNOWN, available, load, verify
from grader.datasets.nothing import nothing
from grader.datasets.own import load_own
from grader.datasets.records import Availability, Dataset, Health, Source

__all__ = [
    "KNOWN",
    "Availability",
    "Dataset",
    "Health",
    "Source",
    "available",
    "load",
    "load_own",
    "nothing",
    "verify",
    "with_extra",
]
