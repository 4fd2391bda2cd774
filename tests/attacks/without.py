"""The grader without one of its defences: a plugin of pytest, for ``defences.py``.

``GRADER_TEST_WITHOUT`` names the defence. It is removed in this process alone, by replacing in
memory what makes it. The rungs' self-test is passed over, so that the tests themselves must see it.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from grader import archive, collect, examine, messages
from grader.datasets import own
from grader.report import as_csv, terminal
from grader.sandbox import bubblewrap, held, interior, ladder, landlock, plan, seccomp, supervise
from grader.sandbox import collect as taking
from grader.sandbox.kept import Kept
from grader.sandbox.selftest import Proof

VARIABLE = "GRADER_TEST_WITHOUT"
CONFORMANCE = "tests/sandbox/test_conformance.py::"
CALLS = CONFORMANCE + "test_the_filter_refuses_what_no_homework_needs"
FILTER = "tests/sandbox/test_seccomp.py::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defence:
    """One defence, how it is removed, and the smallest tests that should see it."""

    name: str
    remove: object
    tests: tuple[str, ...]
    level: str = ""
    """The rung whose self-test should see it too."""


def _without_calls(*names):
    def remove():
        seccomp.REFUSED = {
            name: numbers for name, numbers in seccomp.REFUSED.items() if name not in names
        }

    return remove


def _present(name):
    def remove():
        seccomp.ABSENT = {key: value for key, value in seccomp.ABSENT.items() if key != name}

    return remove


def _any_clone():
    seccomp._refuse_if_any_bit = lambda *_: [(6, 0, 0, seccomp.ALLOW)]


def _any_ioctl():
    seccomp._refuse_if_equal = lambda *_: [(6, 0, 0, seccomp.ALLOW)]


def _any_family():
    seccomp._allow_only = lambda *_: [(6, 0, 0, seccomp.ALLOW)]


def _any_pair():
    seccomp._stream_pairs = lambda: [(6, 0, 0, seccomp.ALLOW)]


def _no_filter():
    landlock.seccomp = SimpleNamespace(build=lambda *_, **__: b"")


def _own_environment():
    original = interior.environment
    interior.environment = lambda box: {**os.environ, **original(box)}


def _environment_of_bwrap():
    original = bubblewrap.Fresh
    bubblewrap.Fresh = lambda command, _, *rest: original(command, dict(os.environ), *rest)


def _no_remount():
    bubblewrap._last = lambda: ["--chdir", "/"]


def _no_landlock_on_top():
    bubblewrap._GRANTS = None


def _option(name):
    def remove():
        original = bubblewrap._options
        bubblewrap._options = lambda *args, **kwargs: [
            option for option in original(*args, **kwargs) if option != name
        ]

    return remove


def _more_visible():
    interior._SYSTEM = (*interior._SYSTEM, "/var/tmp")


def _nothing_hidden():
    interior.hidden = list


def _no_landlock():
    original = landlock.LandlockSandbox._lock
    landlock.LandlockSandbox._lock = lambda self, doors: replace(
        original(self, doors), landlock=None
    )


@contextmanager
def _nobody():
    yield None


def _no_own_user():
    held.own_user = bubblewrap.own_user = _nobody


def _no_limit(name):
    def remove():
        original = plan._kernel_limits
        plan._kernel_limits = lambda *args: {
            key: value for key, value in original(*args).items() if key != name
        }

    return remove


def _not_measured(**values):
    def remove():
        original = supervise.usage
        supervise.usage = lambda tree: replace(original(tree), **values)

    return remove


def _disk_not_measured():
    nothing = supervise._Watch._measure

    def measure(watch):
        watch.limits = replace(watch.limits, disk=1 << 50)
        nothing(watch)

    supervise._Watch._measure = measure


def _no_flood():
    Kept.is_flood = property(lambda _: False)


def _links_followed():
    taking._FILE &= ~os.O_NOFOLLOW
    taking._FOLDER &= ~os.O_NOFOLLOW


def _any_path():
    def artefact(folder, name, most):
        try:
            return taking._read(os.open(name, taking._FILE, dir_fd=folder), name, most)
        except OSError:
            return taking.nothing((name,))[name]

    taking._artefact = artefact


def _any_size():
    original = examine._predictions

    def predictions(head, body, samples):
        wanted = sum(form.rows * form.width * 4 for form in head.forms)
        forms = tuple(replace(form, rows=samples) for form in head.forms)
        return original(replace(head, forms=forms), body.ljust(wanted, b"\0")[:wanted], samples)

    examine._predictions = predictions


def _unlimited_head():
    examine.LONGEST_HEAD = 1 << 40
    examine.WorkerError = type("Nobody", (Exception,), {})


def _any_layer():
    archive._not_allowed = lambda _: ""


def _any_class():
    archive.REFUSED_CLASSES = frozenset()


def _any_ratio():
    archive.HIGHEST_RATIO = collect.HIGHEST_RATIO = 10**9


def _any_member():
    collect._bad_member = lambda *_: ""


def _any_depth():
    archive.DEEPEST = 10**9


def _any_name():
    collect.safe_name = str


def _true_test_served():
    original = own._lay_out

    def lay_out(content, layout):
        facts = original(content, layout)
        arrays = {name: content[name] for name in (*own.HELD_OUT, *own.SERVED)}
        (file,) = layout.served.iterdir()
        np.savez(file, **arrays)
        return facts

    own._lay_out = lay_out


def _everything_to_students():
    from grader.report import as_json  # noqa: PLC0415 - one defence of many

    original = as_json.as_data
    as_json.as_data = lambda report, **_: original(report)


def _any_line():
    messages.LONGEST_LINE = 1 << 40


def _any_message():
    messages._of_bounded_size = lambda answer: answer


def _codes_shown():
    terminal.plain_text = as_csv.plain_text = str


def _formulas():
    as_csv.FORMULA = ("\0",)


_LISTENER = CONFORMANCE + "test_no_listener_of_the_host_is_reached"
_READ = CONFORMANCE + "test_files_of_the_host_cannot_be_read"
_ENVIRONMENT = CONFORMANCE + "test_the_hosts_environment_stays_outside"
_WRITE = CONFORMANCE + "test_nothing_can_be_written_outside"
_SIGNAL = CONFORMANCE + "test_no_process_outside_can_be_signalled"
_PRIVILEGES = CONFORMANCE + "test_nothing_is_left_to_gain_privileges_with"
_N, _L = "namespaces", "landlock"


def _on(test, *levels):
    return tuple(f"{test}[{level}]" for level in levels)


DEFENCES = (
    Defence(
        name="seccomp: other processes' memory (ptrace, process_vm_*, …)",
        remove=_without_calls(
            "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"
        ),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: keys, System V and POSIX queues",
        remove=_without_calls("add_key", "keyctl", "request_key", "shmget", "msgget", "mq_open"),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: io_uring, bpf, perf, userfaultfd",
        remove=_without_calls("io_uring_setup", "bpf", "perf_event_open", "userfaultfd"),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: namespaces and mounts (unshare, mount, …)",
        remove=_without_calls("unshare", "setns", "mount", "umount2", "pivot_root", "fsopen"),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: files by handle",
        remove=_without_calls("open_by_handle_at", "name_to_handle_at"),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: new namespaces by clone",
        remove=_any_clone,
        tests=(FILTER + "test_a_process_may_fork_but_make_no_namespace",),
        level=_L,
    ),
    Defence(
        name="seccomp: clone3 is absent", remove=_present("clone3"), tests=_on(CALLS, _N), level=_N
    ),
    Defence(
        name="seccomp: memfd_create is absent",
        remove=_present("memfd_create"),
        tests=_on(CALLS, _N),
        level=_N,
    ),
    Defence(
        name="seccomp: typing into a terminal (TIOCSTI)",
        remove=_any_ioctl,
        tests=("tests/sandbox/test_seccomp.py",),
        level=_N,
    ),
    Defence(
        name="seccomp: families of sockets",
        remove=_any_family,
        tests=_on(CALLS, _N) + _on(_LISTENER, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: pairs of stream sockets only (landlock)",
        remove=_any_pair,
        tests=_on(_LISTENER, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: the whole filter (landlock)",
        remove=_no_filter,
        tests=_on(_LISTENER, _L),
        level=_L,
    ),
    Defence(
        name="a run's environment is made anew",
        remove=_own_environment,
        tests=_on(_ENVIRONMENT, _L, _N),
        level=_L,
    ),
    Defence(
        name="bubblewrap is started with an empty environment",
        remove=_environment_of_bwrap,
        tests=_on(_ENVIRONMENT, _N),
        level=_N,
    ),
    Defence(name="--remount-ro", remove=_no_remount, tests=_on(_WRITE, _N), level=_N),
    Defence(
        name="Landlock on top of namespaces",
        remove=_no_landlock_on_top,
        tests=_on(_WRITE, _N) + _on(_READ, _N) + _on(_SIGNAL, _N),
        level=_N,
    ),
    Defence(
        name="--unshare-net",
        remove=_option("--unshare-net"),
        tests=_on(_LISTENER, _N),
        level=_N,
    ),
    Defence(
        name="only listed folders are visible",
        remove=_more_visible,
        tests=_on(_READ, _N, _L),
        level=_N,
    ),
    Defence(
        name="the grader's own package is hidden",
        remove=_nothing_hidden,
        tests=_on(CONFORMANCE + "test_an_installed_package_cannot_be_read", _N),
        level=_N,
    ),
    Defence(name="Landlock (landlock)", remove=_no_landlock, tests=_on(_READ, _L), level=_L),
    Defence(
        name="a user of its own for each run (root only)",
        remove=_no_own_user,
        tests=_on(_PRIVILEGES, _L),
        level=_L,
    ),
    Defence(
        name="NPROC of the kernel",
        remove=_no_limit("NPROC"),
        tests=_on(CONFORMANCE + "test_processes_and_threads_are_limited", "fork_bomb-namespaces"),
        level=_N,
    ),
    Defence(
        name="processes are counted",
        remove=_not_measured(tasks=0),
        tests=_on(CONFORMANCE + "test_processes_and_threads_are_limited", "fork_bomb-namespaces"),
        level=_N,
    ),
    Defence(
        name="memory is measured",
        remove=_not_measured(memory=0),
        tests=_on(CONFORMANCE + "test_shared_memory_is_limited", _N),
        level=_N,
    ),
    Defence(
        name="DATA of the kernel",
        remove=_no_limit("DATA"),
        tests=_on(CONFORMANCE + "test_memory_is_limited", _N),
        level=_N,
    ),
    Defence(
        name="disk is measured",
        remove=_disk_not_measured,
        tests=_on(CONFORMANCE + "test_disk_is_limited", "fill_disk-namespaces"),
        level=_N,
    ),
    Defence(
        name="a flood of output ends the run",
        remove=_no_flood,
        tests=_on(CONFORMANCE + "test_a_flood_of_output_ends_the_run", "1-namespaces"),
        level=_N,
    ),
    Defence(
        name="artefacts: no link is followed (O_NOFOLLOW)",
        remove=_links_followed,
        tests=("tests/sandbox/test_collect.py::test_no_link_is_followed",),
    ),
    Defence(
        name="artefacts: no path leads outside",
        remove=_any_path,
        tests=("tests/sandbox/test_collect.py::test_a_name_leads_nowhere_else",),
    ),
    Defence(
        name="predictions have exactly the announced size",
        remove=_any_size,
        tests=("tests/test_examine.py",),
    ),
    Defence(
        name="models: allow-list of layers", remove=_any_layer, tests=("tests/test_archive.py",)
    ),
    Defence(
        name="models: refused classes (Lambda, TFSMLayer, …)",
        remove=_any_class,
        tests=("tests/test_archive.py",),
    ),
    Defence(
        name="zips: bounded unpacking",
        remove=_any_ratio,
        tests=("tests/test_archive.py", "tests/test_collect.py"),
    ),
    Defence(
        name="zips: no path leads outside, plain files only",
        remove=_any_member,
        tests=("tests/test_collect.py",),
    ),
    Defence(
        name="models: configuration of bounded depth",
        remove=_any_depth,
        tests=("tests/test_archive.py",),
    ),
    Defence(
        name="students' names are safe folders",
        remove=_any_name,
        tests=("tests/test_collect.py",),
    ),
    Defence(
        name="the served test set is not the held-out one",
        remove=_true_test_served,
        tests=("tests/test_own_data.py",),
    ),
    Defence(
        name="hidden checks and flags are cut from a student's copy",
        remove=_everything_to_students,
        tests=("tests/test_tally.py",),
    ),
    Defence(
        name="messages: lines of bounded length",
        remove=_any_line,
        tests=("tests/test_messages.py",),
    ),
    Defence(
        name="what is shown in a terminal holds no codes",
        remove=_codes_shown,
        tests=("tests/report",),
    ),
    Defence(
        name="cells of a sheet are no formulas",
        remove=_formulas,
        tests=("tests/report", "tests/test_tally.py"),
    ),
)


def pytest_configure():
    """Remove the defence; before a test module binds anything by name."""
    (defence,) = (each for each in DEFENCES if each.name == os.environ[VARIABLE])
    defence.remove()
    holds = Proof(attempts=9, landlock=7)
    ladder.prove = lambda *_: holds
    from grader.sandbox import zygote  # noqa: PLC0415 - only here

    zygote.prove_forks = lambda *_: holds
