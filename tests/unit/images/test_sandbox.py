"""What a decoder cannot do. Each attempt is also made without the restriction that stops it."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.images import limits, sandbox, syscalls

ROOT = Path(__file__).parents[3]
RESTRICT = "from chalicelib.images import limits, sandbox\n"
RESTRICT += "sandbox.restrict_decoder(1, limits.allocation_limit())\n"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these")

REFUSED = "refused"
ATTEMPTS = {
    "write a file": "open(PLACE + '/new', 'w')",
    "write an open file": "os.write(FILE, b'x')",
    "delete a file": "os.unlink(PLACE + '/old')",
    "start a program": "os.execv('/bin/true', ['true'])",
    "start a process": "os.fork() or os._exit(0)",
    "signal the API": "os.kill(os.getppid(), 0)",
    "change the limits of the API": "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    "open an internet socket": "socket.socket(socket.AF_INET)",
    "open a local socket": "socket.socketpair()",
    "open another file for each number": "[os.open('/', os.O_RDONLY) for _ in range(100)]",
    "allocate a gigabyte": "bytearray(10**9)",
    "map a gigabyte": "mmap.mmap(-1, 10**9, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
    "become the root user": "os.setuid(os.getuid())",
    "trace itself": "libc('ptrace', 0, 0, 0, 0)",
    "set up io_uring": "libc('syscall', 425, 1, ctypes.create_string_buffer(120))",
}
ALLOWED = {
    "start a thread": "t = threading.Thread(target=print); t.start(); t.join()",
    "import a module": "import xml.dom.minidom",
    "read a file": "open('/proc/self/statm').read()",
    "allocate 100 MB": "bytearray(10**8)",
    "limit its memory": "resource.setrlimit(resource.RLIMIT_DATA, (10**8, 10**8))",
}
SCRIPT = """
import ctypes, mmap, os, resource, socket, sys, threading
PLACE, FILE = sys.argv[1], int(sys.argv[2])
def libc(name, *arguments):
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
{restrict}
try:
    {attempt}
except (OSError, MemoryError, RuntimeError, ValueError) as error:
    print("refused", type(error).__name__, error)
else:
    print("done")
"""


def outcome(attempt: str, folder: Path, *, restricted: bool) -> str:
    """Return what a process prints that makes an attempt; nothing if it is now another program."""
    (folder / "old").write_bytes(b"")
    with open(folder / "open", "wb") as file:
        script = SCRIPT.format(attempt=attempt, restrict=RESTRICT if restricted else "")
        run = subprocess.run(
            [sys.executable, "-c", script, str(folder), str(file.fileno())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            pass_fds=[file.fileno()],
            text=True,
            check=True,
        )
    return run.stdout


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_decoder_cannot(attempt: str, tmp_path: Path) -> None:
    assert outcome(attempt, tmp_path, restricted=True).startswith(REFUSED)
    if "425" not in attempt:  # Some kernels do not have it.
        assert not outcome(attempt, tmp_path, restricted=False).startswith(REFUSED)


@pytest.mark.parametrize("attempt", ALLOWED.values(), ids=ALLOWED)
def test_decoder_can(attempt: str, tmp_path: Path) -> None:
    assert outcome(attempt, tmp_path, restricted=True).endswith("done\n")


def test_decoder_that_uses_too_much_time_is_ended() -> None:
    script = f"{RESTRICT}\nwhile True: pass"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL


def test_decoder_does_not_outlive_the_api() -> None:
    script = f"""
import subprocess, sys
child = '''{RESTRICT}
import sys, time
sys.stderr.write("ready")
sys.stderr.flush()
time.sleep(60)
'''
process = subprocess.Popen([sys.executable, "-c", child], stderr=subprocess.PIPE)
assert process.stderr.read(5) == b"ready"
"""
    # This returns when both processes have ended, since both have the pipe.
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, timeout=30
    )
    assert run.returncode == 0


@pytest.fixture
def _readable_again() -> Iterator[None]:
    yield
    ctypes.CDLL(None).prctl(sandbox._PR_SET_DUMPABLE, *map(ctypes.c_ulong, (1, 0, 0, 0)))


READ_PARENT = """
import os
try:
    with open(f"/proc/{os.getppid()}/{NAME}", "rb") as file:
        file.seek(ADDRESS)
        print("read", file.read(6))
except OSError as error:
    print("refused", error)
"""


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "auxv"])
def test_process_cannot_read_the_environment_and_memory_of_the_api(name: str) -> None:
    parent = f"""
import ctypes, subprocess, sys
from chalicelib.images import sandbox
sandbox._drop_capabilities()  # Root could read everything.
secret = ctypes.create_string_buffer(b"secret")
script = {READ_PARENT!r}.replace("{{NAME}}", {name!r})
script = script.replace("ADDRESS", str(ctypes.addressof(secret) if {name!r} == "mem" else 0))
sandbox._prctl(sandbox._PR_SET_NO_NEW_PRIVS, 1)  # Its child gets none back.
for hide in (lambda: None, sandbox.hide_memory):
    hide()
    subprocess.run([sys.executable, "-c", script], check=True)
"""
    run = subprocess.run(
        [sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    before, after = run.stdout.splitlines()
    yama = Path("/proc/sys/kernel/yama/ptrace_scope")
    if name != "mem" or not yama.exists() or yama.read_text() == "0\n":
        assert before.startswith("read")
    assert after.startswith(REFUSED)


@pytest.mark.usefixtures("_readable_again")
def test_api_that_hides_its_memory_still_reads_what_it_needs() -> None:
    sandbox.hide_memory()
    assert limits.allocation_limit() > 600_000_000
    with limits.bounded_memory():
        assert subprocess.run(["true"], check=True).returncode == 0


def test_system_without_these_measures_still_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, tuple[int, int]]] = []

    def setrlimit(kind: int, value: tuple[int, int]) -> None:
        calls.append((kind, value))
        raise ValueError("unknown limit")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64"))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    sandbox.hide_memory()
    sandbox.restrict_decoder(1, 1)
    assert len(calls) == 5


def test_restriction_keeps_a_lower_limit_and_asks_the_kernel_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits_set: dict[int, tuple[int, int]] = {}
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (16, 16))
    monkeypatch.setattr(resource, "setrlimit", limits_set.__setitem__)
    monkeypatch.setattr(sandbox, "_function", lambda _: lambda *given: calls.append(given))
    sandbox.restrict_decoder(1, 10**9)
    assert limits_set[resource.RLIMIT_DATA] == (16, 16)
    assert limits_set[resource.RLIMIT_FSIZE] == (0, 0)
    options = [call[0] for call in calls]
    assert options[-1] == sandbox._PR_SET_SECCOMP
    assert options.index(sandbox._PR_SET_NO_NEW_PRIVS) < len(options) - 1  # The filter needs it.
    assert calls[-2][1] == bytes(24)  # no capability in any set


@pytest.mark.parametrize("soft", [resource.RLIM_INFINITY, 10**9])
def test_decoding_restores_the_limit_of_memory_and_stays_below_it(
    soft: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits_set: list[tuple[int, int]] = []
    hard = 2 * soft if soft > 0 else soft
    monkeypatch.setattr(limits, "allocation_limit", lambda: 10**12)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, value: limits_set.append(value))
    with limits.bounded_memory():
        pass
    assert limits_set == [(10**12 if hard < 0 else hard, hard), (soft, hard)]


def test_allocation_is_unlimited_where_it_cannot_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_STATM", tmp_path / "missing")
    assert limits.allocation_limit() == resource.RLIM_INFINITY


def test_filter_knows_the_machines_of_lambda() -> None:
    for machine in ("x86_64", "aarch64"):
        code = syscalls.decoder_filter(machine)
        assert code
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096  # the kernel's limit
    assert syscalls.decoder_filter("riscv64") is None
