"""IPython's own shell, without kernel protocol and sockets.

Magics, rich display, top-level ``await`` and tracebacks behave as students know them; what a cell
shows goes to the host as notebook outputs.
"""

import builtins
import io
import subprocess
import sys
import time
import warnings
from base64 import b64encode
from collections.abc import Callable
from typing import Any

# What a shell imports when it is made: here it is imported once for all runs.
from IPython.core import completer, completerlib, crashhandler, logger, magics, oinspect  # noqa: F401
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Instance, Type
from traitlets.config import Config

from .channel import send

FLUSH_SECONDS = 0.1
FLUSH_CHARACTERS = 8192
NO_KEYBOARD = (
    "input() has nobody to ask while this is graded: give the value in the code, or catch EOFError"
)


class Stream(io.TextIOBase):
    """A text stream that sends what is written as notebook output, gathered into larger pieces."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._parts: list[str] = []
        self._size = 0
        self._sent = time.monotonic()

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, text: str) -> int:
        """Take text; it is sent when there is enough of it or the last piece is long ago."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._parts.append(text)
        self._size += len(text)
        if self._size >= FLUSH_CHARACTERS or time.monotonic() - self._sent > FLUSH_SECONDS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what was gathered."""
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            send(
                "output",
                output={
                    "output_type": "stream",
                    "name": self.name,
                    "text": "".join(parts),
                },
            )
        self._sent = time.monotonic()


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


class Publisher(DisplayPublisher):  # type: ignore[misc]  # IPython has no types
    """Sends ``display(...)`` and figures as notebook outputs."""

    def publish(
        self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Send one rich output."""
        _flush()
        send(
            "output",
            output={
                "output_type": "display_data",
                "data": _mime(data),
                "metadata": metadata or {},
            },
        )

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002 - IPython's signature
        """Tell the host to drop the cell's outputs so far."""
        _flush()
        send("clear_output", wait=wait)


class Hook(DisplayHook):  # type: ignore[misc]  # IPython has no types
    """Sends the value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        """No prompt."""

    def write_format_data(
        self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None
    ) -> None:
        """Send the formatted value."""
        _flush()
        send(
            "output",
            output={
                "output_type": "execute_result",
                "data": _mime(format_dict),
                "metadata": md_dict or {},
                "execution_count": self.prompt_count,
            },
        )

    def finish_displayhook(self) -> None:
        """No newline."""


def _mime(data: dict[str, Any]) -> dict[str, Any]:
    """Keep what a JSON notebook can hold: text as it is, images in base64."""
    return {
        kind: b64encode(value).decode() if isinstance(value, bytes) else value
        for kind, value in data.items()
        if isinstance(value, str | bytes | dict | list)
    }


class Formatter(DisplayFormatter):  # type: ignore[misc]  # IPython has no types
    """Lets ours see what is displayed, before it becomes text or an image."""

    def format(self, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Format as ever."""
        self.parent.on_display(obj)
        return super().format(obj, *args, **kwargs)


class Shell(InteractiveShell):  # type: ignore[misc]  # IPython has no types
    """The shell that student cells run in."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(Hook)
    error: BaseException | None = Instance(BaseException, allow_none=True, default_value=None)
    on_display: Callable[[Any], None] = staticmethod(lambda _: None)

    def init_display_formatter(self) -> None:
        """Format with ours."""
        self.display_formatter = Formatter(parent=self)
        self.configurables.append(self.display_formatter)

    def init_io(self) -> None:
        """Streams are set by :func:`open_shell`."""

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window to serve."""

    def system_piped(self, cmd: str) -> None:
        """Run ``!command`` without a terminal; its output becomes the cell's."""
        _flush()
        done = subprocess.run(  # noqa: S602 - it is the student's own shell line, in the sandbox
            self.var_expand(cmd, depth=1),
            shell=True,
            executable="/bin/sh",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        sys.stdout.write(done.stdout.decode("utf-8", "replace"))
        self.user_ns["_exit_code"] = done.returncode

    system = system_piped
    system_raw = system_piped

    def ask_exit(self) -> None:
        """``exit`` without brackets: end as Python would."""
        raise SystemExit(0)

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        _flush()
        send(
            "output",
            output={
                "output_type": "error",
                "ename": getattr(etype, "__name__", str(etype)),
                "evalue": str(evalue),
                "traceback": [str(line) for line in stb],
            },
        )


def _no_keyboard(prompt: object = "") -> str:
    sys.stdout.write(str(prompt))
    raise EOFError(NO_KEYBOARD)


def _leave(status: object = None) -> None:
    raise SystemExit(status)


def open_shell() -> Shell:
    """Make the shell and send what is printed, shown or raised from now on to the host."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.autoawait = True
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    shell: Shell = Shell.instance(config=config)
    shell.builtin_trap.activate()
    builtins.input = _no_keyboard
    # IPython's own `exit` takes no status and talks to a terminal that is not there.
    for name in ("exit", "quit"):
        shell.user_ns[name] = shell.user_ns_hidden[name] = _leave
    warnings.filterwarnings("ignore", message="To exit: use 'exit'")
    return shell
