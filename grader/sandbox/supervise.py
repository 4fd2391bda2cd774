"""Starts a run, listens to it, watches its limits, and ends the whole tree.

The same for every rung; how a tree is held and how its disk is measured is the rung's business.
"""

import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from grader.errors import RunLostError
from grader.sandbox.collect import collect, nothing
from grader.sandbox.groups import Group, grouped
from grader.sandbox.interface import Artefact, Ending, Job, Limits, OnMessage, Outcome, Reply
from grader.sandbox.kept import Kept
from grader.sandbox.processes import shared_once, usage
from grader.sandbox.roots import Root
from grader.sandbox.start import Channels, Start

POLL_S = 0.05
MOST_FILES = 200_000
"""Files and folders in a box: each costs kernel memory, even when it is empty."""

_CHUNK = 1 << 16
_FULL = 64
"""Reads that empty a pipe of any size, unless somebody fills it meanwhile."""
_MOST_ERROR = 4000


def supervise(
    start: Start, channels: Channels, job: Job, limits: Limits, on_message: OnMessage
) -> Outcome:
    """Run a job to its end.

    Args:
        start: How to start it.
        channels: The ends on this side; those inside are closed here.
        job: What runs, for the names of its artefacts.
        limits: What it may use up.
        on_message: Receives the message channel.

    Returns:
        What became of it.

    Raises:
        SandboxError: The first process could not be started, or the tree does not die.
        RunLostError: The run was a server's fork and died with it.
    """
    with grouped(start.groups, limits) as group:
        return _supervise(start, channels, job, limits, on_message, group)


def _supervise(
    start: Start,
    channels: Channels,
    job: Job,
    limits: Limits,
    on_message: OnMessage,
    group: Group | None,
) -> Outcome:
    began = time.monotonic()
    root = start.begin()
    channels.close_inside()
    watch = _Watch(root, start, channels, job, limits, on_message, began, group)
    with watch.selector:
        try:
            try:
                watch.until_the_end()
            finally:
                start.grip.kill(root)
            watch.stop_the_clock()
            watch.drain()
            watch.ask_kernel()
            artefacts = watch.artefacts()
            exit_code = watch.exit_code()
        finally:
            watch.close()
    return Outcome(
        ending=watch.ending or ("killed" if exit_code < 0 else "finished"),
        exit_code=exit_code,
        stdout=watch.stdout.text(),
        stderr=watch.stderr.text(),
        artefacts=artefacts,
        wall_s=watch.wall_s or 0.0,
        cpu_s=watch.cpu_s,
        peak_memory=watch.peak_memory,
        setup_error=watch.setup_error(exit_code),
    )


@dataclass(slots=True)
class _Watch:
    """One run while it lasts."""

    root: Root
    start: Start
    channels: Channels
    job: Job
    limits: Limits
    on_message: OnMessage
    began: float
    group: Group | None
    ending: Ending | None = None
    is_ready: bool = False
    error: str = ""
    told: int | None = None
    """The exit code that a forked root told itself."""
    folders: list[int] = field(default_factory=list)
    wall_s: float | None = None
    cpu_s: float = 0.0
    peak_memory: int = 0
    received: int = 0
    receives: int = field(init=False)
    deadline: float = field(init=False)
    taken: Mapping[str, Artefact] | None = None
    """What was collected before something was handed in."""
    handing_in: memoryview = field(default_factory=lambda: memoryview(b""))
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    stdout: Kept = field(init=False)
    stderr: Kept = field(init=False)

    def __post_init__(self) -> None:
        self.stdout, self.stderr = Kept(self.limits.output), Kept(self.limits.output)
        self.receives = self.limits.messages
        self.deadline = time.monotonic() + self.limits.wall_s
        self.channels.control.setblocking(False)  # noqa: FBT003 - the standard library's way
        self.selector.register(self.root.end, selectors.EVENT_READ)
        self.selector.register(self.channels.control, selectors.EVENT_READ)
        for descriptor, take in self._streams():
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, take)

    def _streams(self) -> Sequence[tuple[int, Callable[[bytes], None]]]:
        return (
            (self.channels.messages, self._take_message),
            (self.root.stdout, self.stdout.add),
            (self.root.stderr, self.stderr.add),
        )

    def close(self) -> None:
        """Give back what this run held on the host."""
        self.root.close()
        for folder in self.folders:
            os.close(folder)

    def exit_code(self) -> int:
        """Give the status of the first process, a signal as a negative number."""
        code = self.told if self.root.code is None else self.root.code
        if code is not None:
            return code
        if self.ending is None:
            raise RunLostError("The server that a run was forked from died under it.")
        return -signal.SIGKILL

    def setup_error(self, exit_code: int) -> str:
        """Tell why no line of the worker ran, if that is so."""
        if self.error or self.is_ready:
            return self.error
        if self.ending:
            return f"the run passed a limit ({self.ending}) before the worker began"
        told = self.stderr.text().strip()[-_MOST_ERROR:]
        return told or f"it ended with status {exit_code} before the worker began"

    def until_the_end(self) -> None:
        """Listen and measure until the first process ends or a limit is passed."""
        measure_at = time.monotonic()
        while self.ending is None:
            until = min(measure_at, self.deadline)
            events = self.selector.select(max(0.0, until - time.monotonic()))
            for key, _ in events:
                self._hear(key)
            if any(key.fd == self.root.end for key, _ in events):
                return
            if time.monotonic() >= self.deadline:
                self._pass("timeout")
            if time.monotonic() >= measure_at:
                self._measure()
                measure_at = time.monotonic() + POLL_S

    def drain(self) -> None:
        """Take what the dead left in their pipes; never waits."""
        while self._read_control():
            pass
        for descriptor, take in self._streams():
            with suppress(BlockingIOError):
                while chunk := os.read(descriptor, _CHUNK):
                    take(chunk)

    def stop_the_clock(self) -> None:
        """Note how long it took, unless that was noted when something was handed in."""
        if self.wall_s is None:
            self.wall_s = time.monotonic() - self.began

    def artefacts(self) -> Mapping[str, Artefact]:
        """Give what is collected."""
        if self.taken is not None:
            return self.taken
        if not self.folders:
            return nothing(self.job.collect)
        return collect(self.folders[0], self.job.collect, self.limits.artefact)

    def _hear(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self.channels.control:
            self._hear_control()
        if key.fd == self.channels.handed_in:
            self._hand_in()
        if key.data is None:  # the control socket, what is handed in, or the end of it all
            return
        try:
            chunk = os.read(key.fd, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self.selector.unregister(key.fileobj)
            return
        key.data(chunk)
        if self.stdout.is_flood or self.stderr.is_flood:
            self._pass("output")

    def _take_message(self, chunk: bytes) -> None:
        self.received += len(chunk)
        if self.received > self.receives:
            self._pass("output")
            return
        reply = self.on_message(chunk)
        # who has ended is handed nothing
        if reply is not None and self.taken is None and self.wall_s is None and self.folders:
            self._close_the_books(reply)

    def _close_the_books(self, reply: Reply) -> None:
        """Take all that comes out of the run, and only then hand something in."""
        for kept, descriptor in (
            (self.stdout, self.root.stdout),
            (self.stderr, self.root.stderr),
        ):
            with suppress(BlockingIOError):
                for _ in range(_FULL):
                    kept.add(os.read(descriptor, _CHUNK))
            kept.close()
        self.stop_the_clock()
        self.taken = self.artefacts()
        self.received, self.receives = 0, self.limits.answer
        self.handing_in = memoryview(reply(self.taken))
        self.deadline = time.monotonic() + self.limits.answer_s
        os.set_blocking(self.channels.handed_in, False)
        self.selector.register(self.channels.handed_in, selectors.EVENT_WRITE)

    def _hand_in(self) -> None:
        try:
            written = os.write(self.channels.handed_in, self.handing_in)
        except BlockingIOError:
            return
        except BrokenPipeError:  # nobody wants it any more
            written = len(self.handing_in)
        self.handing_in = self.handing_in[written:]
        if not self.handing_in:
            self.selector.unregister(self.channels.handed_in)
            self.channels.hand_in_no_more()

    def _hear_control(self) -> None:
        """Hear that all doors are locked, take hold of the tree, and let the worker begin."""
        message = self._read_control()
        if message is None:
            self.selector.unregister(self.channels.control)
        elif "ready" in message:
            self.start.grip.hold(self.root.pid)
            if self.group is not None:
                self.group.join(
                    process.pid for process in self.start.grip.tree(self.root.pid, fresh=True)
                )
            self.is_ready = True
            with suppress(BrokenPipeError):
                self.channels.control.send(b"go")

    def _read_control(self) -> dict[str, Any] | None:
        """Take a message and the folders that come with it; ``None`` when none will follow."""
        try:
            data, folders, _, _ = socket.recv_fds(
                self.channels.control, _CHUNK, 8, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return {}
        except ConnectionResetError:
            return None
        self.folders += folders
        if not data:
            return None
        message: dict[str, Any] = json.loads(data)
        self.error = message.get("error", self.error)
        self.told = message.get("ended", self.told)
        return message

    def _pass(self, limit: Ending) -> None:
        """Note which limit was passed first."""
        if self.ending is None:
            self.ending = limit

    def ask_kernel(self) -> None:
        """Hear what the kernel has counted and refused, also when all is over."""
        if self.group is None:
            return
        seen = self.group.look()
        if self.taken is None:
            self.cpu_s = seen.cpu_s
        if seen.out_of_memory:
            self._pass("memory")
        if seen.out_of_processes:
            self._pass("processes")

    def _measure(self) -> None:
        tree = self.start.grip.tree(self.root.pid)
        used = usage(tree)
        memory = used.memory
        if memory > self.limits.memory:
            memory = shared_once(tree)
        if self.taken is None:
            self.peak_memory = max(self.peak_memory, memory)
            if self.group is None:
                self.cpu_s = max(self.cpu_s, used.cpu_s)
        self.ask_kernel()
        is_left_to_kernel = self.limits.kernel_alone and self.group is not None
        if memory > self.limits.memory and not is_left_to_kernel:
            self._pass("memory")
        if used.tasks > self.limits.processes:
            self._pass("processes")
        if self.limits.cpu_s is not None and self.cpu_s > self.limits.cpu_s:
            self._pass("cpu")
        disk = self.start.meter(self.folders, tree)
        if self.group is not None:
            self.group.allow(disk.memory)
        if disk.size > self.limits.disk or disk.files > MOST_FILES:
            self._pass("disk")
