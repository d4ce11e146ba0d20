"""What a process that decodes hostile bytes may not do, and what the API hides from it.

Each measure is refused by some kernel: another one than Linux, or an old or restricted one. The
rest still holds then, so nothing here fails.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Callable

from chalicelib.images.syscalls import decoder_filter

# linux/prctl.h, linux/seccomp.h and linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522

_SIGKILL = 9
_MAX_OPEN_FILES = 32  # for modules that are imported late


def hide_memory() -> None:
    """Keep other processes of the same user from reading this one's memory and environment.

    The kernel then writes no core dump of it, and some of its files in /proc belong to root.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def restrict_decoder(seconds: int, allocated_bytes: int) -> None:
    """Take everything from this process but memory, time, and reading files.

    It may use `seconds` of CPU time per core, and allocate `allocated_bytes` in total.
    """
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _limit(resource.RLIMIT_DATA, allocated_bytes)
    _limit(resource.RLIMIT_CPU, seconds * (os.cpu_count() or 1))
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    _drop_capabilities()
    _filter_system_calls()


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError):
        pass  # macOS does not have all of them.


def _prctl(option: int, value: int, pointer: object = 0) -> None:
    prctl = _function("prctl")
    if prctl:
        unsigned = ctypes.c_ulong
        prctl(option, unsigned(value), pointer or unsigned(0), unsigned(0), unsigned(0))


def _drop_capabilities() -> None:
    """Make root, as whom some containers run, an ordinary user."""
    capset = _function("capset")
    if capset:
        capset(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def _filter_system_calls() -> None:
    code = decoder_filter(os.uname().machine)
    if code:
        instructions = ctypes.create_string_buffer(code, len(code))
        # struct sock_fprog: a count of instructions of 8 bytes, and their address
        program = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
        _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(program))


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library; None where only Linux has it."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)
