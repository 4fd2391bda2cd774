"""More than one machine: the workers of a Dask cluster do what this machine's sandbox would do.

::

    this machine                                    each worker
    connection  to the scheduler
    host        checks, sends, collects ────────────► station   opens a sandbox, works on orders
    crew        who is there, and who is free            │
    passport    versions and isolation ◄─────────────────┤
    parcel      the data set, without its labels ───────►│
    letters     an order out, an answer back ◄──────────►┘

No shared file system is assumed, and no label, check or threshold leaves this machine.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from grader.datasets import Dataset
from grader.errors import ClusterError
from grader.sandbox.interface import Level
from grader.workbench import OnProgress, Shortcuts

if TYPE_CHECKING:
    from grader.cluster.host import Cluster


@contextmanager
def open_cluster(  # noqa: PLR0913 - what the sandbox of this machine is opened with, too
    address: str,
    dataset: Dataset,
    *,
    level: Level | None,
    shortcuts: Shortcuts,
    memory: int,
    on_progress: OnProgress,
    say: Callable[[str], None],
) -> Iterator["Cluster"]:
    """Connect to a cluster, check every worker, and leave it tidy afterwards.

    Args:
        address: A Dask scheduler: ``tcp://…``, ``tls://…``, or ``file://…`` for the file that
            ``dask scheduler --scheduler-file`` writes.
        dataset: What is served and what is held out.
        level: The rung that all workers must prove; else the strongest, the same for all.
        shortcuts: Which of them are taken.
        memory: Bytes that one submission may use.
        on_progress: Told of every step, from several threads.
        say: Told what is being prepared, and of workers that do not fit.

    Raises:
        ClusterError: The scheduler cannot be reached, or a worker does not fit.
    """
    try:
        import distributed as _  # noqa: F401, PLC0415 - most classes need no cluster
    except ImportError as error:
        raise ClusterError(
            f"--cluster needs Dask's distributed, which cannot be imported: {error}.",
            remedy='Install it: pip install "keras-grader[cluster]"',
        ) from None
    from grader.cluster.connection import connect  # noqa: PLC0415
    from grader.cluster.host import Cluster  # noqa: PLC0415

    with connect(address) as client:
        cluster = Cluster(
            client,
            address,
            dataset,
            level=level,
            shortcuts=shortcuts,
            memory=memory,
            on_progress=on_progress,
            say=say,
        )
        with cluster:
            yield cluster
