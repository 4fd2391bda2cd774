"""Starts a run, listens to it, watches its limits, and ends the whole tree.

The same for every rung; how a tree is held and how its disk is measured is the rung's business.
"""

import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from grader.errors import RunLostError
from grader.sandbox.collect import collect, nothing
from grader.sandbox.groups import Group, grouped
from grader.sandbox.interface import Ending, Job, Limits, OnMessage, Outcome
from grader.sandbox.kept import Kept
from grader.sandbox.processes import shared_once, usage
from grader.sandbox.roots import Root
from grader.sandbox.start import Channels, Start

POLL_S = 0.05
MOST_FILES = 200_000
"""Files and folders in a box: each costs kernel memory, even when it is empty."""

_CHUNK = 1 << 16
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
    watch = _Watch(root, start, channels, limits, on_message, group)
    with watch.selector:
        try:
            try:
                watch.until_the_end()
            finally:
                start.grip.kill(root)
            wall_s = time.monotonic() - began
            watch.drain()
            watch.ask_kernel()
            artefacts = (
                collect(watch.folders[0], job.collect, limits.artefact)
                if watch.folders
                else nothing(job.collect)
            )
            exit_code = watch.exit_code()
        finally:
            watch.close()
    return Outcome(
        ending=watch.ending or ("killed" if exit_code < 0 else "finished"),
        exit_code=exit_code,
        stdout=watch.stdout.text(),
        stderr=watch.stderr.text(),
        artefacts=artefacts,
        wall_s=wall_s,
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
    limits: Limits
    on_message: OnMessage
    group: Group | None
    ending: Ending | None = None
    is_ready: bool = False
    error: str = ""
    told: int | None = None
    """The exit code that a forked root told itself."""
    folders: list[int] = field(default_factory=list)
    cpu_s: float = 0.0
    peak_memory: int = 0
    received: int = 0
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    stdout: Kept = field(init=False)
    stderr: Kept = field(init=False)

    def __post_init__(self) -> None:
        self.stdout, self.stderr = Kept(self.limits.output), Kept(self.limits.output)
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
        deadline = time.monotonic() + self.limits.wall_s
        measure_at = time.monotonic()
        while self.ending is None:
            events = self.selector.select(max(0.0, min(measure_at, deadline) - time.monotonic()))
            for key, _ in events:
                self._hear(key)
            if any(key.fd == self.root.end for key, _ in events):
                return
            if time.monotonic() >= deadline:
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

    def _hear(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self.channels.control:
            self._hear_control()
        if key.data is None:  # the control socket, or the end of the first process
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
        if self.received <= self.limits.messages:
            self.on_message(chunk)
        else:
            self._pass("output")

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
        self.cpu_s = seen.cpu_s
        if seen.out_of_memory:
            self._pass("memory")
        if seen.out_of_processes:
            self._pass("processes")

    def _measure(self) -> None:
        tree = self.start.grip.tree(self.root.pid)
        used = usage(tree)
        if self.group is None:
            self.cpu_s = max(self.cpu_s, used.cpu_s)
        self.ask_kernel()
        memory = used.memory
        if memory > self.limits.memory:
            memory = shared_once(tree)
        self.peak_memory = max(self.peak_memory, memory)
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
