"""The filter, run by a simulator: no kernel, both machines."""

import errno
import struct

import pytest

from grader.sandbox import calls, seccomp
from grader.sandbox.seccomp import AF_INET, AF_UNIX, ALLOW, ARCHITECTURES, KILL, REFUSE, build

MACHINES = list(ARCHITECTURES)
DGRAM, STREAM, SEQPACKET, CLOEXEC = 2, 1, 5, 0o2000000
STRONG = {"families": ()}
LADDER = [
    {"families": (AF_UNIX, AF_INET)},
    STRONG,
    {"families": (), "shared_user": True},
]


def run(program, machine, number, *arguments, audit=None):
    """Do what the kernel does with a classic BPF program and ``struct seccomp_data``."""
    arguments = (arguments + (0,) * 6)[:6]
    audit = ARCHITECTURES[machine] if audit is None else audit
    data = struct.pack("=IIQ6Q", number, audit, 0, *arguments)
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator = place = 0
    while True:
        code, yes, no, k = instructions[place]
        place += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, k)
            case 0x54:
                accumulator &= k
            case 0x15:
                place += yes if accumulator == k else no
            case 0x35:
                place += yes if accumulator >= k else no
            case 0x45:
                place += yes if accumulator & k else no
            case 0x06:
                return k
            case _:
                raise AssertionError(f"an instruction we do not write: {code:#x}")


def column(machine):
    return MACHINES.index(machine)


def number(machine, name):
    tables = (calls.REFUSED, calls.ABSENT, calls.PRETENDED, calls.NUMBERS)
    return next(table[name] for table in tables if name in table)[column(machine)]


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


@pytest.mark.parametrize("options", LADDER)
def test_every_jump_stays_inside_and_every_path_returns(machine, options):
    instructions = list(struct.iter_unpack("=HBBI", build(machine, **options)))

    assert len(instructions) < 4096  # BPF_MAXINSNS
    for place, (code, yes, no, _) in enumerate(instructions):
        if code in {0x15, 0x35, 0x45}:
            assert place + 1 + max(yes, no) < len(instructions)
    assert instructions[-1][0] == 0x06


@pytest.mark.parametrize("options", LADDER)
def test_what_is_on_the_lists_is_refused(machine, options):
    program = build(machine, **options)

    for name, numbers in calls.REFUSED.items():
        if numbers[column(machine)] >= 0:
            answer = run(program, machine, numbers[column(machine)])
            assert answer == REFUSE | errno.EPERM, name
    for name, numbers in calls.ABSENT.items():
        assert run(program, machine, numbers[column(machine)]) == REFUSE | errno.ENOSYS, name


@pytest.mark.parametrize("options", LADDER)
def test_calls_of_honest_programs_are_allowed(machine, options):
    program = build(machine, **options)
    honest = {  # read, write, mmap, openat, execve, futex, wait4, exit_group
        "x86_64": (0, 1, 9, 257, 59, 202, 61, 231),
        "aarch64": (63, 64, 222, 56, 221, 98, 260, 94),
    }

    for call in honest[machine]:
        assert run(program, machine, call) == ALLOW


def test_another_architecture_is_killed(machine):
    program = build(machine, **STRONG)
    other = next(audit for name, audit in ARCHITECTURES.items() if name != machine)

    assert run(program, machine, 0, audit=other) == KILL
    assert run(program, machine, 0, audit=0x40000003) == KILL  # i386


def test_the_x32_numbers_do_not_exist():
    program = build("x86_64", **STRONG)

    for call in (0, 101, 520, 521):
        assert run(program, "x86_64", 0x40000000 | call) == REFUSE | errno.ENOSYS


def test_a_process_may_fork_but_make_no_namespace(machine):
    program = build(machine, **STRONG)
    clone = number(machine, "clone")
    threads, user, net = 0x3D0F00, 0x10000000, 0x40000000

    assert run(program, machine, clone, 17) == ALLOW  # SIGCHLD: fork
    assert run(program, machine, clone, threads) == ALLOW
    for flag in (user, net, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000):
        assert run(program, machine, clone, flag | 17) == REFUSE | errno.EPERM


def test_a_terminal_cannot_be_typed_into(machine):
    program = build(machine, **STRONG)
    ioctl = number(machine, "ioctl")

    assert run(program, machine, ioctl, 0, 0x5401) == ALLOW  # TCGETS
    for command in (0x5412, 0x541C):
        assert run(program, machine, ioctl, 0, command) == REFUSE | errno.EPERM
        # the kernel looks at the low half alone, and so must we
        assert run(program, machine, ioctl, 0, command | 1 << 32) == REFUSE | errno.EPERM


def test_only_the_families_asked_for_have_sockets(machine):
    program = build(machine, families=(AF_UNIX, AF_INET))
    socket = number(machine, "socket")

    for family in range(64):
        wanted = ALLOW if family in {AF_UNIX, AF_INET} else REFUSE | errno.EAFNOSUPPORT
        assert run(program, machine, socket, family, STREAM) == wanted
    for name in ("connect", "bind", "listen"):
        assert run(program, machine, number(machine, name)) == ALLOW


def test_without_families_there_are_pairs_of_streams_and_nothing_else(machine):
    program = build(machine, **STRONG)
    pair = number(machine, "socketpair")

    for family in range(64):
        refused = REFUSE | errno.EAFNOSUPPORT
        assert run(program, machine, number(machine, "socket"), family, STREAM) == refused
        wanted = ALLOW if family == AF_UNIX else refused
        assert run(program, machine, pair, family, STREAM | CLOEXEC) == wanted
    assert run(program, machine, pair, AF_UNIX, SEQPACKET) == ALLOW
    assert run(program, machine, pair, AF_UNIX, DGRAM) == REFUSE | errno.EAFNOSUPPORT
    for name in ("connect", "bind", "listen"):
        assert run(program, machine, number(machine, name)) == REFUSE | errno.EACCES


def test_what_belongs_to_a_shared_user_is_out_of_reach(machine):
    program = build(machine, families=(), shared_user=True)
    prlimit, fcntl = number(machine, "prlimit64"), number(machine, "fcntl")

    for name, numbers in calls.PRETENDED.items():
        if numbers[column(machine)] >= 0:
            assert run(program, machine, numbers[column(machine)]) == REFUSE, name
    assert run(program, machine, prlimit, 0) == ALLOW
    assert run(program, machine, prlimit, 4711) == REFUSE | errno.EPERM
    assert run(program, machine, fcntl, 3, 2) == ALLOW
    assert run(program, machine, fcntl, 3, 1024) == REFUSE | errno.EPERM  # F_SETLEASE


def test_a_run_with_its_own_user_may_change_its_files(machine):
    program = build(machine, **STRONG)

    assert run(program, machine, calls.PRETENDED["fchmodat"][column(machine)]) == ALLOW


def test_no_number_stands_for_two_calls(machine):
    tables = (calls.REFUSED, calls.ABSENT, calls.PRETENDED, calls.NUMBERS)
    numbers = [row[column(machine)] for table in tables for row in table.values()]
    known = [each for each in numbers if each >= 0]

    assert len(known) == len(set(known))


def test_an_unknown_machine_is_an_error():
    with pytest.raises(ValueError, match="riscv64"):
        seccomp.build("riscv64", families=())
