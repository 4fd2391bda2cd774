"""How each defence is removed: by replacing, in this process alone, what makes it."""

import atexit
import os
import selectors
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from grader import messages
from grader.datasets import own
from grader.intake import collect
from grader.judging import archive, examine, judgement, own_code
from grader.report import as_csv, as_json, students_copy, terminal, words
from grader.sandbox import (
    bubblewrap,
    groups,
    held,
    interior,
    landlock,
    plan,
    seccomp,
    supervise,
    wardened,
)
from grader.sandbox import collect as taking
from grader.sandbox.kept import Kept


def inside(name, old, new):
    """Have a copy of our first programs run, in one of which a line is another."""

    def remove():
        folder = Path(tempfile.mkdtemp(prefix="without-")) / "worker"
        shutil.copytree(interior.WORKERS, folder)
        folder.parent.chmod(0o755)
        source = (folder / name).read_text("utf-8")
        if source.count(old) != 1:
            raise LookupError(f"{name} has {source.count(old)} times {old!r}")
        (folder / name).write_text(source.replace(old, new), "utf-8")
        interior.FIRST = tuple(folder / each.name for each in interior.FIRST)
        interior.LAUNCH, interior.WARDEN = folder / "launch.py", folder / "warden.py"
        atexit.register(_clear, folder.parent)

    return remove


def _clear(folder):
    """End what is left of runs that nothing ended, and remove the copy."""
    shutil.rmtree(folder)
    until = time.monotonic() + 10
    while left := _whose_command_names(folder):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        if time.monotonic() > until:
            raise TimeoutError(f"of {folder} there are left: {left}")


def _whose_command_names(folder):
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder) in file.read_text("utf-8", "replace"):
                found.append(int(file.parent.name))
    return found


def all_of(*removals):
    def remove():
        for each in removals:
            each()

    return remove


def without_calls(*names):
    def remove():
        seccomp.REFUSED = {
            name: numbers for name, numbers in seccomp.REFUSED.items() if name not in names
        }

    return remove


def present(name):
    def remove():
        seccomp.ABSENT = {key: value for key, value in seccomp.ABSENT.items() if key != name}

    return remove


def any_clone():
    seccomp._refuse_if_any_bit = lambda *_: [(6, 0, 0, seccomp.ALLOW)]


def any_ioctl():
    seccomp._refuse_if_equal = lambda *_: [(6, 0, 0, seccomp.ALLOW)]


def any_family():
    seccomp._allow_only = lambda *_: [(6, 0, 0, seccomp.ALLOW)]


def any_pair():
    seccomp._stream_pairs = lambda: [(6, 0, 0, seccomp.ALLOW)]


def no_filter():
    landlock.seccomp = SimpleNamespace(build=lambda *_, **__: b"")


def own_environment():
    original = interior.environment
    interior.environment = lambda box: {**os.environ, **original(box)}


def environment_of_bwrap():
    original = bubblewrap.Fresh
    bubblewrap.Fresh = lambda command, _, *rest: original(command, dict(os.environ), *rest)


def no_remount():
    bubblewrap._last = lambda: ["--chdir", "/"]


def no_landlock_on_top():
    bubblewrap._GRANTS = None


def option(name):
    def remove():
        original = bubblewrap._options
        bubblewrap._options = lambda *args, **kwargs: [
            option for option in original(*args, **kwargs) if option != name
        ]

    return remove


def more_visible():
    interior._SYSTEM = (*interior._SYSTEM, "/var/tmp")


def nothing_hidden():
    interior.hidden = list


def no_landlock():
    original = landlock.LandlockSandbox._lock
    landlock.LandlockSandbox._lock = lambda self, doors: replace(
        original(self, doors), landlock=None
    )


@contextmanager
def nobody():
    yield None


def no_own_user():
    held.own_user = bubblewrap.own_user = nobody


def no_limit(name):
    def remove():
        original = plan._kernel_limits
        plan._kernel_limits = lambda *args: {
            key: value for key, value in original(*args).items() if key != name
        }

    return remove


def not_measured(**values):
    def remove():
        original = supervise.usage
        supervise.usage = lambda tree: replace(original(tree), **values)

    return remove


def host_kills_nobody():
    def leave(grip, root):
        grip.close()
        root.wait(1.0)
        root.kill()

    wardened.Wardened.kill = leave


def group_kills_nobody():
    def leave(folder):
        with suppress(OSError):
            folder.rmdir()

    groups._remove = leave


def no_limit_of_groups(controller):
    def remove():
        original = groups.Group._set

        def keep(group, file, value):
            if not file.startswith(controller):
                original(group, file, value)

        groups.Group._set = keep

    return remove


def disk_not_measured():
    nothing = supervise._Watch._measure

    def measure(watch):
        watch.limits = replace(watch.limits, disk=1 << 50)
        nothing(watch)

    supervise._Watch._measure = measure


def no_flood():
    Kept.is_flood = property(lambda _: False)


def links_followed():
    taking._FILE &= ~os.O_NOFOLLOW
    taking._FOLDER &= ~os.O_NOFOLLOW


def any_path():
    def artefact(folder, name, most):
        try:
            return taking._read(os.open(name, taking._FILE, dir_fd=folder), name, most)
        except OSError:
            return taking.nothing((name,))[name]

    taking._artefact = artefact


def any_size():
    original = judgement.read_rows

    def predictions(head, body, samples, *order):
        wanted = sum(form.rows * form.width * 4 for form in head.forms)
        forms = tuple(replace(form, rows=samples) for form in head.forms)
        return original(
            replace(head, forms=forms), body.ljust(wanted, b"\0")[:wanted], samples, *order
        )

    judgement.read_rows = examine.read_rows = predictions


def books_left_open():
    def hand_in(watch, reply):
        watch.receives += watch.limits.answer
        watch.handing_in = memoryview(reply(watch.artefacts()))
        watch.selector.register(watch.channels.handed_in, selectors.EVENT_WRITE)

    supervise._Watch._close_the_books = hand_in


def in_their_own_order():
    def in_order(folder):
        files = own_code.held_out_files(folder)
        return files, np.arange(len(np.load(folder / "lengths.npy")))

    own_code._mixed = in_order


def any_layer():
    archive._not_allowed = lambda _: ""


def any_class():
    archive.REFUSED_CLASSES = frozenset()


def any_ratio():
    archive.HIGHEST_RATIO = collect.HIGHEST_RATIO = 10**9


def any_member():
    collect._bad_member = lambda *_: ""


def any_depth():
    archive.DEEPEST = 10**9


def any_name():
    collect.safe_name = str


def true_test_served():
    original = own._lay_out

    def lay_out(content, layout):
        facts = original(content, layout)
        arrays = {name: content[name] for name in (*own.HELD_OUT, *own.SERVED) if name in content}
        for file in layout.served.iterdir():
            np.savez(file, **arrays)
        return facts

    own._lay_out = lay_out


def everything_to_students():
    original = as_json.as_data
    as_json.as_data = lambda report, **_: original(report)


def exact_to_students():
    students_copy._coarse = lambda report, _withheld: report


def any_line():
    def feed(reader, chunk):
        reader._rest += chunk
        *lines, rest = bytes(reader._rest).split(b"\n")
        reader._rest = bytearray(rest)
        return [message for line in lines if (message := reader._parse(line))]

    messages.Reader.feed = feed


def codes_shown():
    words.plain_text = terminal.plain_text = as_csv.plain_text = str


def formulas():
    as_csv.FORMULA = ("\0",)
