"""The rung ``none``: limits and a clean environment, and nothing that stands in a student's way.

Only for those who ask for it by name, on code they would run themselves. Root becomes another user
for each run all the same: the kernel limits no processes of root, and a careless loop of forks
would take the machine with it.
"""

from pathlib import Path

from grader.sandbox import interior, plan
from grader.sandbox.groups import Groups
from grader.sandbox.held import HeldSandbox

DESCRIPTION = (
    "NO ISOLATION: student code ran with your rights. "
    "Anything on this account may have been read or changed, including this report."
)


class PlainSandbox(HeldSandbox):
    """Runs jobs as ordinary processes."""

    level = "none"

    def __init__(
        self,
        description: str = DESCRIPTION,
        workers: Path = interior.WORKERS,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(description, workers, groups)

    def _lock(self, doors: plan.Doors) -> plan.Doors:
        return doors
