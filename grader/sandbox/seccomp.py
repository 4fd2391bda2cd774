"""A seccomp filter in pure Python: which system calls a run may not make.

A list of refusals, in the spirit of what container runtimes refuse by default: TensorFlow, glibc and
BLAS change their calls with every release, so a list of permissions would break honest work. What is
here either reaches parts of the kernel no homework needs, or gets around the other walls.

Numbers are from the kernel's ``syscall_64.tbl`` and ``asm-generic/unistd.h``.
"""

import errno
import struct
from collections.abc import Mapping, Sequence

ARCHITECTURES: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""``AUDIT_ARCH_…`` by ``uname -m``."""

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
"""``SECCOMP_RET_ALLOW``, ``…_KILL_PROCESS``, ``…_ERRNO`` (with the error in the low bits)."""

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16

_REFUSED: Mapping[str, tuple[int, int]] = {
    # other processes' memory and descriptors
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # things that belong to a user, not to a run
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "shmctl": (31, 195),
    "shmat": (30, 196),
    "semget": (64, 190),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "semop": (65, 193),
    "msgget": (68, 186),
    "msgctl": (71, 187),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # large and young parts of the kernel
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    # the machine
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "personality": (135, 92),
    "lookup_dcookie": (212, 18),
    "fanotify_init": (300, 262),
    # files past their path
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    # relics of one architecture
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "modify_ldt": (154, -1),
    "uselib": (134, -1),
    "ustat": (136, -1),
    "sysfs": (139, -1),
}

_ABSENT: Mapping[str, tuple[int, int]] = {
    # libc falls back to clone(), whose flags a filter can see
    "clone3": (435, 435),
    # memory that belongs to no process and to no sized folder, so that no limit would count it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}

_PRETENDED: Mapping[str, tuple[int, int]] = {
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "fchown": (93, 55),
    "lchown": (94, -1),
    "fchownat": (260, 54),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    # not files, but the same user's other processes; to itself a run may do worse anyway
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
}
"""What Landlock does not see and an own user id would stop: said to have worked, because tools that
copy files call it and need it seldom."""

_NUMBERS: Mapping[str, tuple[int, int]] = {
    "clone": (56, 220),
    "ioctl": (16, 29),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "fcntl": (72, 25),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
}
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
        KeyError: The machine is another one.
    """
    column = list(ARCHITECTURES).index(machine)
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        program += [(_AT_LEAST, 0, 1, _X32), _refusal(errno.ENOSYS)]
    answers = dict.fromkeys(_numbers(_REFUSED, column), errno.EPERM)
    answers |= dict.fromkeys(_numbers(_ABSENT, column), errno.ENOSYS)
    if shared_user:
        answers |= dict.fromkeys(_numbers(_PRETENDED, column), 0)
    number = {name: numbers[column] for name, numbers in _NUMBERS.items()}
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
