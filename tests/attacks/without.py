"""The grader without one of its defences: a plugin of pytest, for ``defences.py``.

``GRADER_TEST_WITHOUT`` names the defence. The rungs' self-test is passed over, so that the tests
themselves must see what is missing.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import removals

from grader.sandbox import ladder, zygote
from grader.sandbox.selftest import Proof

VARIABLE = "GRADER_TEST_WITHOUT"
CONFORMANCE = "tests/sandbox/test_conformance.py::"
CALLS = CONFORMANCE + "test_the_filter_refuses_what_no_homework_needs"
FILTER = "tests/sandbox/test_seccomp.py::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defence:
    """One defence, how it is removed, and the smallest tests that should see it."""

    name: str
    remove: Callable[[], None]
    tests: tuple[str, ...]
    level: str = ""
    """The rung whose self-test should see it too."""


_LISTENER = CONFORMANCE + "test_no_listener_of_the_host_is_reached"
_READ = CONFORMANCE + "test_files_of_the_host_cannot_be_read"
_ENVIRONMENT = CONFORMANCE + "test_the_hosts_environment_stays_outside"
_WRITE = CONFORMANCE + "test_nothing_can_be_written_outside"
_SIGNAL = CONFORMANCE + "test_no_process_outside_can_be_signalled"
_PRIVILEGES = CONFORMANCE + "test_nothing_is_left_to_gain_privileges_with"
_DAEMON = CONFORMANCE + "test_a_daemon_does_not_outlive_its_run"
_HYDRA = CONFORMANCE + "test_processes_that_replace_each_other_are_ended"
_N, _L = "namespaces", "landlock"


def _on(test, *levels):
    return tuple(f"{test}[{level}]" for level in levels)


DEFENCES = (
    Defence(
        name="seccomp: other processes' memory (ptrace, process_vm_*, …)",
        remove=removals.without_calls(
            "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"
        ),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: keys, System V and POSIX queues",
        remove=removals.without_calls(
            "add_key", "keyctl", "request_key", "shmget", "msgget", "mq_open"
        ),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: io_uring, bpf, perf, userfaultfd",
        remove=removals.without_calls("io_uring_setup", "bpf", "perf_event_open", "userfaultfd"),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: namespaces and mounts (unshare, mount, …)",
        remove=removals.without_calls(
            "unshare", "setns", "mount", "umount2", "pivot_root", "fsopen"
        ),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: files by handle",
        remove=removals.without_calls("open_by_handle_at", "name_to_handle_at"),
        tests=_on(CALLS, _N, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: new namespaces by clone",
        remove=removals.any_clone,
        tests=(FILTER + "test_a_process_may_fork_but_make_no_namespace",),
        level=_L,
    ),
    Defence(
        name="seccomp: clone3 is absent",
        remove=removals.present("clone3"),
        tests=_on(CALLS, _N),
        level=_N,
    ),
    Defence(
        name="seccomp: memfd_create is absent",
        remove=removals.present("memfd_create"),
        tests=_on(CALLS, _N),
        level=_N,
    ),
    Defence(
        name="seccomp: typing into a terminal (TIOCSTI)",
        remove=removals.any_ioctl,
        tests=("tests/sandbox/test_seccomp.py",),
        level=_N,
    ),
    Defence(
        name="seccomp: families of sockets",
        remove=removals.any_family,
        tests=_on(CALLS, _N) + _on(_LISTENER, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: pairs of stream sockets only (landlock)",
        remove=removals.any_pair,
        tests=_on(_LISTENER, _L),
        level=_L,
    ),
    Defence(
        name="seccomp: the whole filter (landlock)",
        remove=removals.no_filter,
        tests=_on(_LISTENER, _L),
        level=_L,
    ),
    Defence(
        name="a run's environment is made anew",
        remove=removals.own_environment,
        tests=_on(_ENVIRONMENT, _L, _N),
        level=_L,
    ),
    Defence(
        name="bubblewrap is started with an empty environment",
        remove=removals.environment_of_bwrap,
        tests=_on(_ENVIRONMENT, _N),
        level=_N,
    ),
    Defence(name="--remount-ro", remove=removals.no_remount, tests=_on(_WRITE, _N), level=_N),
    Defence(
        name="Landlock on top of namespaces",
        remove=removals.no_landlock_on_top,
        tests=_on(_WRITE, _N) + _on(_READ, _N) + _on(_SIGNAL, _N),
        level=_N,
    ),
    Defence(
        name="--unshare-net",
        remove=removals.option("--unshare-net"),
        tests=_on(_LISTENER, _N),
        level=_N,
    ),
    Defence(
        name="only listed folders are visible",
        remove=removals.more_visible,
        tests=_on(_READ, _N, _L),
        level=_N,
    ),
    Defence(
        name="the grader's own package is hidden",
        remove=removals.nothing_hidden,
        tests=_on(CONFORMANCE + "test_an_installed_package_cannot_be_read", _N),
        level=_N,
    ),
    Defence(
        name="Landlock (landlock)", remove=removals.no_landlock, tests=_on(_READ, _L), level=_L
    ),
    Defence(
        name="a user of its own for each run (root only)",
        remove=removals.no_own_user,
        tests=_on(_PRIVILEGES, _L),
        level=_L,
    ),
    Defence(
        name="no program gives capabilities back (root only)",
        remove=removals.inside(
            "doors.py",
            '"""Let no program that is started give capabilities back."""',
            "return",
        ),
        tests=_on(_PRIVILEGES, _L, _N),
        level=_L,
    ),
    Defence(
        name="the tree is ended: by a warden, the host and its control group (landlock)",
        remove=removals.all_of(
            removals.inside("warden.py", "    while _alive():", "    while False:"),
            removals.host_kills_nobody,
            removals.group_kills_nobody,
        ),
        tests=_on(_DAEMON, f"{_L}-True", f"{_L}-False") + _on(_HYDRA, _L),
    ),
    Defence(
        name="the tree is ended: with its pid namespace, and by its control group (namespaces)",
        remove=removals.all_of(removals.option("--unshare-pid"), removals.group_kills_nobody),
        tests=_on(_DAEMON, f"{_N}-True", f"{_N}-False") + _on(_HYDRA, _N),
        level=_N,
    ),
    Defence(
        name="NPROC of the kernel",
        remove=removals.no_limit("NPROC"),
        tests=_on(
            CONFORMANCE + "test_processes_and_threads_are_limited", "measured-namespaces-fork_bomb"
        ),
        level=_N,
    ),
    Defence(
        name="processes are counted",
        remove=removals.not_measured(tasks=0),
        tests=_on(
            CONFORMANCE + "test_processes_and_threads_are_limited", "measured-namespaces-fork_bomb"
        ),
        level=_N,
    ),
    Defence(
        name="memory is measured",
        remove=removals.not_measured(memory=0),
        tests=_on(CONFORMANCE + "test_shared_memory_is_limited", f"measured-{_N}"),
        level=_N,
    ),
    Defence(
        name="control groups hold memory",
        remove=removals.no_limit_of_groups("memory"),
        tests=_on(
            CONFORMANCE + "test_not_a_page_is_got_beyond_the_limit_that_the_kernel_holds", _N
        ),
        level=_N,
    ),
    Defence(
        name="control groups hold processes",
        remove=removals.no_limit_of_groups("pids"),
        tests=_on(
            CONFORMANCE + "test_not_a_process_is_got_beyond_the_limit_that_the_kernel_holds", _N
        ),
        level=_N,
    ),
    Defence(
        name="DATA of the kernel",
        remove=removals.no_limit("DATA"),
        tests=_on(CONFORMANCE + "test_memory_is_limited", f"measured-{_N}"),
        level=_N,
    ),
    Defence(
        name="disk is measured",
        remove=removals.disk_not_measured,
        tests=_on(CONFORMANCE + "test_disk_is_limited", "namespaces-fill_disk"),
        level=_N,
    ),
    Defence(
        name="a flood of output ends the run",
        remove=removals.no_flood,
        tests=_on(CONFORMANCE + "test_a_flood_of_output_ends_the_run", "namespaces-1"),
        level=_N,
    ),
    Defence(
        name="artefacts: no link is followed (O_NOFOLLOW)",
        remove=removals.links_followed,
        tests=("tests/sandbox/test_collect.py::test_no_link_is_followed",),
    ),
    Defence(
        name="artefacts: no path leads outside",
        remove=removals.any_path,
        tests=("tests/sandbox/test_collect.py::test_a_name_leads_nowhere_else",),
    ),
    Defence(
        name="predictions have exactly the announced size",
        remove=removals.any_size,
        tests=("tests/judging/test_examine.py",),
    ),
    Defence(
        name="models: allow-list of layers",
        remove=removals.any_layer,
        tests=("tests/judging/test_archive.py",),
    ),
    Defence(
        name="models: refused classes (Lambda, TFSMLayer, …)",
        remove=removals.any_class,
        tests=("tests/judging/test_archive.py",),
    ),
    Defence(
        name="zips: bounded unpacking",
        remove=removals.any_ratio,
        tests=("tests/judging/test_archive.py", "tests/intake/test_collect.py"),
    ),
    Defence(
        name="zips: no path leads outside, plain files only",
        remove=removals.any_member,
        tests=("tests/intake/test_collect.py",),
    ),
    Defence(
        name="models: configuration of bounded depth",
        remove=removals.any_depth,
        tests=("tests/judging/test_archive.py",),
    ),
    Defence(
        name="students' names are safe folders",
        remove=removals.any_name,
        tests=("tests/intake/test_collect.py",),
    ),
    Defence(
        name="what comes out is taken before anything is handed in",
        remove=removals.books_left_open,
        tests=_on(CONFORMANCE + "test_what_is_handed_in_leaves_no_trace_in_what_comes_out", _N),
    ),
    Defence(
        name="a model's own code is asked in mixed order",
        remove=removals.in_their_own_order,
        tests=("tests/judging/test_asking.py::test_words_are_mixed_with_their_lengths",),
    ),
    Defence(
        name="the served test set is not the held-out one",
        remove=removals.true_test_served,
        tests=("tests/test_own_data.py",),
    ),
    Defence(
        name="hidden checks and flags are cut from a student's copy",
        remove=removals.everything_to_students,
        tests=("tests/test_tally.py",),
    ),
    Defence(
        name="what was measured is told a student as coarsely as the assignment says",
        remove=removals.exact_to_students,
        tests=("tests/report/test_students_copy.py",),
    ),
    Defence(
        name="messages: lines of bounded length",
        remove=removals.any_line,
        tests=(
            "tests/test_messages.py::test_a_line_without_end_is_dropped_and_memory_stays_bounded",
        ),
    ),
    Defence(
        name="what is shown in a terminal holds no codes",
        remove=removals.codes_shown,
        tests=("tests/test_tally.py",),
    ),
    Defence(
        name="cells of a sheet are no formulas",
        remove=removals.formulas,
        tests=("tests/report", "tests/test_tally.py"),
    ),
)


def pytest_configure():
    """Remove the defence; before a test module binds anything by name."""
    wanted = os.environ[VARIABLE].split(" + ")
    for defence in DEFENCES:
        if defence.name in wanted:
            defence.remove()
    holds = Proof(attempts=9, landlock=7)
    ladder.prove = lambda *_: holds
    zygote.prove_forks = lambda *_: holds
