"""The rung ``none``: limits and a clean environment, and nothing that stands in a student's way.

Only for those who ask for it by name, on code they would run themselves. Root becomes another user
for each run all the same: the kernel limits no processes of root, and a careless loop of forks
would take the machine with it.
"""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from grader.sandbox import interior, plan
from grader.sandbox.boxes import HostDisk, host_box
from grader.sandbox.interface import Isolation, Job, Limits, OnMessage, Outcome
from grader.sandbox.start import Channels, Start
from grader.sandbox.supervise import supervise
from grader.sandbox.users import own_user, tasks_allowed
from grader.sandbox.wardened import Wardened

DESCRIPTION = (
    "NO ISOLATION: student code ran with your rights. "
    "Anything on this account may have been read or changed, including this report."
)


class PlainSandbox:
    """Runs jobs as ordinary processes.

    Args:
        description: The sentence for reports.
        workers: The folder of our programs.
    """

    def __init__(self, description: str = DESCRIPTION, workers: Path = interior.WORKERS) -> None:
        self._isolation = Isolation(level="none", description=description)
        self._workers = workers.resolve()

    @property
    def isolation(self) -> Isolation:
        """The rung and its sentence."""
        return self._isolation

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job to its end; see :class:`grader.sandbox.interface.Sandbox`."""
        with ExitStack() as stack:
            user = stack.enter_context(own_user())
            box = stack.enter_context(host_box(user))
            channels = stack.enter_context(closing(Channels()))
            grip = stack.enter_context(closing(Wardened()))
            control, messages = channels.inside
            places = {name: str(path.resolve()) for name, path in job.readable.items()}
            doors = plan.Doors(
                box=str(box),
                workers=str(self._workers),
                places=places,
                tasks=tasks_allowed(limits, user),
                user=user,
                reach=interior.needed(box, self._workers, places.values()),
            )
            stdin = plan.write(job, limits, doors, control, messages)
            stack.callback(os.close, stdin)
            start = Start(
                command=grip.command(interior.command(str(interior.LAUNCH)), keep_signals="never"),
                environment=interior.environment(str(box)),
                stdin=stdin,
                descriptors=(grip.descriptor, control, messages),
                grip=grip,
                meter=HostDisk(box),
            )
            return supervise(start, channels, job, limits, on_message)
