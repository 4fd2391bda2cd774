"""The rung ``namespaces``: bubblewrap and a seccomp filter, with Landlock on top where it is had.

An ordinary user gets a user namespace. Root gets none: bubblewrap does the mounts with root's
rights, and our first program inside becomes a user of its own for this run before it does anything
else.

What a run writes lies in memory of known size. The host holds an open descriptor of the work
folder, which keeps it alive until the artefacts are taken, after the whole tree is dead.
"""

import functools
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import interior, plan, seccomp
from grader.sandbox.groups import Groups
from grader.sandbox.interface import MIB, Isolation, Job, Limits, OnMessage, Outcome
from grader.sandbox.namespace import FirstProcess, Namespace, tmpfs_use
from grader.sandbox.roots import Fresh, Root
from grader.sandbox.server import Server
from grader.sandbox.start import Channels, Grip, Start
from grader.sandbox.supervise import supervise
from grader.sandbox.users import own_user, tasks_allowed

BOX = "/box"
_OURS = "/opt/grader"
_PLACES = "/places"
_USER = 1000
_TMP, _SHM, _HIDDEN = 256 * MIB, 64 * MIB, 4096
_SLACK = 16 * MIB
"""A full folder has passed its limit, so that the run ends as ``disk``."""
_FAMILIES = (seccomp.AF_UNIX, seccomp.AF_INET, seccomp.AF_INET6, seccomp.AF_NETLINK)
_ROOT_KEEPS = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
_GRANTS = plan.Grants(
    read=("/",),
    listed=(),
    write=(BOX, "/tmp", "/dev/shm"),  # noqa: S108 - the run's own, in memory
    devices=("/dev",),
    network=True,
    least=0,
)


OLDEST = (0, 7)
"""Earlier ones cannot limit what a run writes into memory."""
_DISABLES_USER_NAMESPACES = (0, 8)


@functools.cache
def version() -> tuple[int, ...] | None:
    """Tell which bubblewrap is installed, ``None`` when there is none."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return None
    command = [bwrap, "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on our path
    numbers = re.search(r"\d+(\.\d+)+", answer.stdout)
    return tuple(map(int, numbers[0].split("."))) if numbers else None


class BubblewrapSandbox:
    """Runs jobs in namespaces of their own.

    Args:
        description: The sentence for reports.
        workers: The folder of our programs.
        groups: Where runs can have control groups, if they are to have some.
    """

    def __init__(
        self,
        description: str = "",
        workers: Path = interior.WORKERS,
        groups: Groups | None = None,
    ) -> None:
        self.groups = groups
        self._isolation = Isolation(level="namespaces", description=description)
        self._workers = workers
        self._bwrap = shutil.which("bwrap")

    @property
    def isolation(self) -> Isolation:
        """The rung and its sentence."""
        return self._isolation

    def run(self, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job to its end; see :class:`grader.sandbox.interface.Sandbox`."""
        with ExitStack() as stack:
            user = stack.enter_context(own_user())
            channels = stack.enter_context(closing(Channels()))
            files = _Files(stack)
            doors = replace(
                _doors(job.readable, tasks_allowed(limits, user, counted_apart=True), user),
                landlock=_GRANTS,
            )
            stdin = files.add(plan.write(job, limits, doors, channels.inside))
            program = files.add(plan.in_memory(_filter()))
            options = [*_options(user), "--seccomp", str(program), *_folders_in_memory(limits)]
            command = self._command(options, job.readable, files, user)
            start = Start(
                begin=lambda: Fresh(command, {}, stdin, (*files.open, *channels.inside)),
                grip=Namespace(),
                meter=tmpfs_use,
                groups=self.groups,
            )
            return supervise(start, channels, job, limits, on_message)

    @contextmanager
    def serve(
        self, serving: plan.Serving, control: int, output: int
    ) -> Iterator[tuple[Root, Grip]]:
        """Start a server; see :class:`grader.sandbox.server.Rung`.

        It may make namespaces, and has no filter, which its forks put on themselves.
        """
        with ExitStack() as stack:
            user = stack.enter_context(own_user())
            files = _Files(stack)
            doors = _doors(serving.readable, 0, user)
            if user is None:
                options = _options(None, namespaces=True)
            else:
                # The kernel lets a user namespace have a /proc of its own where a whole one is
                # visible; bubblewrap covers parts of root's.
                doors = replace(doors, mounts=[("proc", "/proc", "")])
                options = [*_options(user), "--cap-add", "CAP_SYS_ADMIN"]
            stdin = files.add(plan.write_server(serving, doors, control))
            options += _folders_in_memory(Limits(disk=_TMP))
            command = self._command(options, serving.readable, files, user)
            root = Fresh(command, {}, stdin, (*files.open, control), output)
            yield root, Namespace()

    def fork(self, server: Server, job: Job, limits: Limits, on_message: OnMessage) -> Outcome:
        """Run a job in a fork of a server; see :class:`grader.sandbox.server.Rung`."""
        with ExitStack() as stack:
            channels = stack.enter_context(closing(Channels()))
            doors = replace(
                _doors(job.readable, tasks_allowed(limits, None, counted_apart=True), None),
                mounts=[
                    *(
                        ("tmpfs", path, f"size={size},mode=1777")
                        for path, size in _in_memory(limits)
                    ),
                    ("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620"),
                    ("proc", "/proc", ""),
                ],
                kept=[
                    str(path)
                    for path in interior.visible()
                    if any(path.is_relative_to(above) for above, _ in _in_memory(limits))
                ],
                landlock=_GRANTS,
                filter=_filter(),
            )
            file = plan.write(job, limits, doors)
            stack.callback(os.close, file)
            start = Start(
                begin=lambda: server.fork(file, channels),
                grip=FirstProcess(),
                meter=tmpfs_use,
                groups=self.groups,
            )
            return supervise(start, channels, job, limits, on_message)

    def _command(
        self,
        options: Sequence[str],
        readable: Mapping[str, Path],
        files: "_Files",
        user: int | None,
    ) -> list[str]:
        if self._bwrap is None:
            raise SandboxError(
                "bubblewrap is not installed.", remedy="Install the package `bubblewrap`."
            )
        every = [*options, *_etc(files, user), *self._mounts(readable), *_last()]
        # No options on the command line, which can be read inside.
        arguments = files.add(plan.in_memory(*(option.encode() + b"\0" for option in every)))
        launch = interior.command(f"{_OURS}/{interior.LAUNCH.name}")
        return [self._bwrap, "--args", str(arguments), "--", *launch]

    def _mounts(self, readable: Mapping[str, Path]) -> list[str]:
        shown = interior.visible()
        options = _parents([*shown, Path(_OURS, "worker"), Path(_PLACES, "any")])
        folders = {path.resolve() for path in shown if not path.is_symlink()}
        for path in shown:
            target = path.resolve()
            # a link stays one where what it leads to is there
            if path.is_symlink() and not folders.isdisjoint([target, *target.parents]):
                options += ["--symlink", str(path.readlink()), str(path)]
            else:
                options += ["--ro-bind", str(target), str(path)]
        for path in interior.hidden():
            if path.is_dir():
                options += ["--size", str(_HIDDEN), "--tmpfs", str(path), "--remount-ro", str(path)]
            else:
                options += ["--ro-bind", "/dev/null", str(path)]
        for first in interior.FIRST:
            options += ["--ro-bind", str(first), f"{_OURS}/{first.name}"]
        options += ["--ro-bind", str(self._workers), f"{_OURS}/worker"]
        for name, path in readable.items():
            options += ["--ro-bind", str(path.resolve()), f"{_PLACES}/{name}"]
        return options


class _Files:
    """Descriptors to hand down, closed with the run."""

    def __init__(self, stack: ExitStack) -> None:
        self.open: list[int] = []
        self._stack = stack

    def add(self, descriptor: int) -> int:
        self._stack.callback(os.close, descriptor)
        self.open.append(descriptor)
        return descriptor


def _parents(paths: Sequence[Path]) -> list[str]:
    """Make the folders above, which bubblewrap would make for root alone."""
    above = dict.fromkeys(parent for path in paths for parent in reversed(path.parents[:-1]))
    return [option for path in above for option in ("--perms", "0755", "--dir", str(path))]


def _doors(readable: Mapping[str, Path], tasks: int, user: int | None) -> plan.Doors:
    return plan.Doors(
        box=BOX,
        workers=f"{_OURS}/worker",
        places={name: f"{_PLACES}/{name}" for name in readable},
        shown=("/tmp", "/dev/shm"),  # noqa: S108 - the run's own, in memory
        tasks=tasks,
        user=user,
    )


def _filter() -> bytes:
    return seccomp.build(platform.machine(), families=_FAMILIES)


def _options(user: int | None, *, namespaces: bool = False) -> list[str]:
    options = [
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    options += ["--die-with-parent", "--new-session", "--hostname", "grader", "--cap-drop", "ALL"]
    if user is None:
        options += ["--unshare-user", "--uid", str(_USER), "--gid", str(_USER)]
        # the filter forbids a run new namespaces anyway
        if not namespaces and (version() or ()) >= _DISABLES_USER_NAMESPACES:
            options.append("--disable-userns")
    else:
        for capability in _ROOT_KEEPS:
            options += ["--cap-add", capability]
    options.append("--clearenv")
    for name, value in interior.environment(BOX).items():
        options += ["--setenv", name, value]
    return [*options, "--proc", "/proc", "--dev", "/dev"]


def _in_memory(limits: Limits) -> list[tuple[str, int]]:
    """List the folders that can be written, with their sizes."""
    return [("/dev/shm", _SHM), ("/tmp", _TMP), (BOX, limits.disk + _SLACK)]  # noqa: S108 - made here


def _folders_in_memory(limits: Limits) -> list[str]:
    options = []
    for path, size in _in_memory(limits):
        options += ["--perms", "1777", "--size", str(size), "--tmpfs", path]
    return options


def _etc(files: _Files, user: int | None) -> list[str]:
    """Make an ``/etc`` that knows one user and no other machine."""
    number = _USER if user is None else user
    texts = {
        "passwd": f"student:x:{number}:{number}:student:{BOX}/home:/bin/sh\n",
        "group": f"student:x:{number}:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "hosts": "127.0.0.1 localhost grader\n::1 localhost\n",
    }
    options = []
    for name, text in texts.items():
        descriptor = files.add(plan.in_memory(text.encode()))
        options += ["--perms", "0644", "--ro-bind-data", str(descriptor), f"/etc/{name}"]
    return options


def _last() -> list[str]:
    # The root and /dev are in memory without a size: read-only, or a run could fill them.
    return ["--chdir", "/", "--remount-ro", "/dev", "--remount-ro", "/"]
