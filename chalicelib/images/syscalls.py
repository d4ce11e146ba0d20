"""The system calls that a decoder needs, as a filter that the kernel runs: seccomp(2).

Everything else fails with EPERM: sockets, other processes, signals, and whatever a later kernel
adds. Source of the numbers: asm/unistd_64.h (x86_64) and asm-generic/unistd.h (aarch64).
"""

import struct

# By machine: the AUDIT_ARCH constant of linux/audit.h, and the place of its numbers below.
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getcpu": (309, 168),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pread64": (17, 67),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "setrlimit": (160, 164),
    "sigaltstack": (131, 132),
    "stat": (4, None),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "time": (201, None),
    "uname": (63, 160),
    "write": (1, 64),
    "writev": (20, 66),
}
_CLONE, _CLONE3 = (56, 220), 435
_OPEN, _OPENAT, _PRLIMIT = (2, None), (257, 56), (302, 261)

_CLONE_THREAD = 0x00010000
_NOT_READ_ONLY = 0x3 | 0o100 | 0o1000  # O_ACCMODE, O_CREAT, O_TRUNC

# linux/seccomp.h and errno
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026

# linux/bpf_common.h
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06

# The offsets of struct seccomp_data: the number, the machine, and the low half of each argument.
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16


def decoder_filter(machine: str) -> bytes | None:
    """Return the instructions of the filter (struct sock_filter); None for another machine."""
    if machine not in _MACHINES:
        return None
    audit, column = _MACHINES[machine]
    code = [
        (_LOAD, 0, 0, _MACHINE),
        (_JUMP_IF_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, _EPERM),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for numbers in _ALLOWED.values():
        number = numbers[column]
        if number is not None:
            code += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    # libc then starts its threads with clone, whose flags a filter can read.
    code += [(_JUMP_IF_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ENOSYS)]
    code += _argument_rule(_CLONE[column], 0, _CLONE_THREAD, if_set=_ALLOW, otherwise=_EPERM)
    code += _argument_rule(_OPEN[column], 1, _NOT_READ_ONLY, if_set=_EPERM, otherwise=_ALLOW)
    code += _argument_rule(_OPENAT[column], 2, _NOT_READ_ONLY, if_set=_EPERM, otherwise=_ALLOW)
    # The limits of the process itself (0); by its ID, it could also change those of the function.
    code += _argument_rule(_PRLIMIT[column], 0, 0xFFFFFFFF, if_set=_EPERM, otherwise=_ALLOW)
    code.append((_RETURN, 0, 0, _EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _argument_rule(
    number: int | None, argument: int, bits: int, *, if_set: int, otherwise: int
) -> list[tuple[int, int, int, int]]:
    if number is None:
        return []
    return [
        (_JUMP_IF_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_JUMP_IF_ANY_BIT, 0, 1, bits),
        (_RETURN, 0, 0, if_set),
        (_RETURN, 0, 0, otherwise),
    ]
