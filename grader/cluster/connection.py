"""A connection to a Dask scheduler, and every way in which there may be none."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dask
from distributed import Client, Security

from grader.errors import ClusterError

CONNECT_S = 10.0
_ADDRESS = "An address is tcp://HOST:PORT, tls://HOST:PORT or file:///PATH/scheduler.json."


@contextmanager
def connect(address: str) -> Iterator[Client]:
    """Connect to a scheduler, and let go of it afterwards.

    Raises:
        ClusterError: It cannot be reached.
    """
    _quieten()
    contact = _contact(address)
    if contact.startswith("tls:") and not Security().get_connection_args("client")["ssl_context"]:
        raise ClusterError(
            f"The scheduler {address} wants TLS, and Dask is not configured for it here.",
            remedy="Name ca-file, cert and key under distributed.comm.tls in Dask's configuration.",
        )
    # A student's model is no mistake in a graph, which is what Dask would warn of.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
        try:
            client = Client(contact, timeout=CONNECT_S, set_as_default=False, name="grader")
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip() or type(error).__name__
            raise ClusterError(
                f"The scheduler {address} cannot be reached: {reason}.",
                remedy=f"Is it running, and reachable from this machine? {_ADDRESS}",
            ) from None
        try:
            yield client
        finally:
            with suppress(Exception):  # the batch is over, whatever the connection says to it
                client.close(timeout=CONNECT_S)


def _contact(address: str) -> str:
    """Give the address of a scheduler, which may stand in a file."""
    parts = urlsplit(address)
    if parts.scheme in {"tcp", "tls"} and parts.netloc:
        return address
    if parts.scheme != "file":
        raise ClusterError(f"--cluster {address}: is no address.", remedy=_ADDRESS)
    file = Path(unquote(parts.path))
    try:
        contact = json.loads(file.read_text("utf-8"))["address"]
    except FileNotFoundError:
        problem = "it does not exist; the scheduler writes it when it starts"
    except OSError as error:
        problem = str(error.strerror)
    except (ValueError, KeyError, TypeError):
        problem = "it is not what `dask scheduler --scheduler-file` writes"
    else:
        return str(contact)
    raise ClusterError(f"The scheduler file {file} cannot be read: {problem}.", remedy=_ADDRESS)


def _quieten() -> None:
    """Keep Dask's log off the terminal: what matters of it is said in our own words."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
