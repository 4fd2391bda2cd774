"""A seccomp filter in pure Python: which system calls a run may not make.

A list of refusals, in the spirit of what container runtimes refuse by default: TensorFlow, glibc
and BLAS change their calls with every release, so a list of permissions would break honest work.
What is here either reaches parts of the kernel no homework needs, or gets around the other walls.
"""

import errno
import struct
from collections.abc import Mapping, Sequence

from grader.sandbox.calls import ABSENT, NUMBERS, PRETENDED, REFUSED

ARCHITECTURES: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""``AUDIT_ARCH_…`` by ``uname -m``."""

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
"""``SECCOMP_RET_ALLOW``, ``…_KILL_PROCESS``, ``…_ERRNO`` (with the error in the low bits)."""

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16

_X32 = 0x40000000

_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_SOCK_TYPE_MASK, _SOCK_STREAM, _SOCK_SEQPACKET = 0xF, 1, 5
_F_SETLEASE = 1024

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_Instruction = tuple[int, int, int, int]


def build(machine: str, *, families: Sequence[int], shared_user: bool = False) -> bytes:
    """Build a filter.

    Args:
        machine: ``"x86_64"`` or ``"aarch64"``.
        families: Address families of sockets. Without any, there is no socket but stream pairs,
            and nothing can connect, bind or listen.
        shared_user: Whether other things on this machine run under the same user id and no
            namespace stands between.

    Returns:
        An array of ``struct sock_filter``.

    Raises:
        ValueError: The machine is another one.
    """
    if machine not in ARCHITECTURES:
        raise ValueError(
            f"No filter for this machine, only for x86_64 and aarch64. Received: {machine!r}"
        )
    column = list(ARCHITECTURES).index(machine)
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        program += [(_AT_LEAST, 0, 1, _X32), _refusal(errno.ENOSYS)]
    answers = dict.fromkeys(_numbers(REFUSED, column), errno.EPERM)
    answers |= dict.fromkeys(_numbers(ABSENT, column), errno.ENOSYS)
    if shared_user:
        answers |= dict.fromkeys(_numbers(PRETENDED, column), 0)
    number = {name: numbers[column] for name, numbers in NUMBERS.items()}
    if not families:
        answers |= dict.fromkeys(
            (number["connect"], number["bind"], number["listen"]), errno.EACCES
        )
    for call, answer in answers.items():
        program += [(_EQUAL, 0, 1, call), _refusal(answer)]
    rules = [
        (number["clone"], _refuse_if_any_bit(0, _NEW_NAMESPACES)),
        (number["ioctl"], _refuse_if_equal(1, (_TIOCSTI, _TIOCLINUX))),
        (number["socket"], _allow_only(0, families)),
    ]
    if not families:
        rules.append((number["socketpair"], _stream_pairs()))
    if shared_user:
        rules += [
            (number["fcntl"], _refuse_if_equal(1, (_F_SETLEASE,))),
            (number["prlimit64"], _only_for_oneself()),
            (number["sched_setaffinity"], _pretend()),
        ]
    for call, body in rules:
        program += [(_EQUAL, 0, len(body), call), *body]
    program.append((_RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _numbers(calls: Mapping[str, tuple[int, int]], column: int) -> list[int]:
    return [numbers[column] for numbers in calls.values() if numbers[column] >= 0]


def _refusal(error: int) -> _Instruction:
    return (_RETURN, 0, 0, REFUSE | error)


def _argument(index: int) -> _Instruction:
    """Load the low half of an argument; both machines are little-endian."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _refuse_if_any_bit(index: int, bits: int) -> list[_Instruction]:
    return [_argument(index), (_ANY_BIT, 0, 1, bits), _refusal(errno.EPERM), (_RETURN, 0, 0, ALLOW)]


def _refuse_if_equal(index: int, values: Sequence[int]) -> list[_Instruction]:
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, (_RETURN, 0, 0, ALLOW), _refusal(errno.EPERM)]


def _allow_only(index: int, values: Sequence[int]) -> list[_Instruction]:
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, _refusal(errno.EAFNOSUPPORT), (_RETURN, 0, 0, ALLOW)]


def _stream_pairs() -> list[_Instruction]:
    """Allow pairs of connected sockets only: a datagram socket could be sent elsewhere."""
    return [
        _argument(0),
        (_EQUAL, 0, 4, AF_UNIX),
        _argument(1),
        (_AND, 0, 0, _SOCK_TYPE_MASK),
        (_EQUAL, 2, 0, _SOCK_STREAM),
        (_EQUAL, 1, 0, _SOCK_SEQPACKET),
        _refusal(errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, ALLOW),
    ]


def _only_for_oneself() -> list[_Instruction]:
    """Allow ``prlimit(0, …)``: the pid is the first argument."""
    return [_argument(0), (_EQUAL, 1, 0, 0), _refusal(errno.EPERM), (_RETURN, 0, 0, ALLOW)]


def _pretend() -> list[_Instruction]:
    return [_refusal(0)]
