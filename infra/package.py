"""Build the zip and the template that AWS runs: `chalice package`, without what never runs.

Bytecode is added: Lambda's code folder is read-only, so each cold start would have to compile what
it imports again. This needs no credentials and makes no AWS call, and the same commit gives the
same bytes.
"""

import collections
import contextlib
import fcntl
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.package_id import PACKAGE_ID_FILE
from infra import account, sam, wheels
from infra.errors import OperatorError, exit_code
from infra.stages import Stage

ROOT = Path(__file__).parent.parent
OUT = ROOT / "dist"
MAX_BYTES = 19_000_000  # of the zip
# A folder in which runs share what they have built from the same files; the tests set it.
_SHARED_BUILDS = "PACKAGE_CACHE"
# Level 9 is 0.4% smaller than this, and takes three times as long.
_COMPRESSION_LEVEL = 7
_APP_CODE = ("app.py", "chalicelib")
_CODE_FOLDER = "/var/task"  # where Lambda puts the package; tracebacks name it

_SERVICES = ("cognito-idp", "dynamodb", "s3", "ssm")
_NEVER_RUNS = re.compile(
    r"README\.md$"  # of vendor/
    r"|.*/__pycache__/|.*\.py[ci]$|.*/py\.typed$|[^/]*\.(dist-info|data)/"
    r"|boto3/(data|examples)/"
    rf"|botocore/data/(?!({'|'.join(_SERVICES)})/)[^/]+/"
    r"|botocore/data/.*/(examples-1\.json|waiters-2\.json)"
    r"|botocore/cacert\.pem$"  # botocore uses certifi's, which requests needs anyway
    r"|dateutil/zoneinfo/.*\.tar\.gz$"  # the runtime has its own time zones
    # python-jose requires these, but uses cryptography, which needs only cffi's compiled backend.
    r"|(ecdsa|rsa|pyasn1|cffi|pycparser)/"
    # Pillow's text and windows: the album draws no text.
    r"|PIL/_imaging(ft|tk|math|morph)\.|pillow\.libs/lib(freetype|harfbuzz|png16|brotli)"
)


@dataclass(frozen=True)
class Package:
    """What is deployed: the functions' zip, and the SAM template that refers to it."""

    zip: Path
    template: dict[str, Any]

    @property
    def key(self) -> str:
        """Return an object key that is unique to the zip's bytes."""
        return hashlib.sha256(self.zip.read_bytes()).hexdigest() + ".zip"

    @property
    def id(self) -> str:
        """Return the ID that the API responds with once it runs this package."""
        with zipfile.ZipFile(self.zip) as archive:
            return archive.read(PACKAGE_ID_FILE).decode("ascii")


def build(stage: Stage, out: Path = OUT) -> Package:
    """Build the package of a stage into the folder `out`. Raises OperatorError."""
    runtime = wheels.current()
    out.mkdir(parents=True, exist_ok=True)
    target = out / "deployment.zip"
    with tempfile.TemporaryDirectory() as folder:
        # Chalice changes its cache of dependencies in place.
        with _locked(ROOT / ".chalice"):
            dependencies = wheels.environment(wheels.verified(runtime))
            sam.run_chalice(stage, ROOT, Path(folder), dependencies)
        template = sam.finished_template(stage, Path(folder))
        source = Path(folder) / "deployment.zip"
        if shared := os.environ.get(_SHARED_BUILDS):
            _build_once(source, target, Path(shared))
        else:
            _build_zip(source, target)
    package = Package(target, template)
    (out / f"template-{stage.name}.json").write_text(json.dumps(package.template, indent=1))
    return package


def _build_once(source: Path, target: Path, shared: Path) -> None:
    """Build the zip, or copy the one that was built from the same files."""
    with zipfile.ZipFile(source) as archive:
        files = sorted(
            (one.filename, one.CRC)
            for one in archive.infolist()
            if not _NEVER_RUNS.match(one.filename)
        )
    built = shared / f"{hashlib.sha256(repr(files).encode()).hexdigest()}.zip"
    with _locked(shared):
        if not built.exists():
            _build_zip(source, target)
            shutil.move(target, built)
    shutil.copy(built, target)


def _build_zip(source: Path, target: Path) -> None:
    """Turn Chalice's zip into the one that is deployed."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(source, Path(folder))
        _compile(Path(folder))
        write_id(Path(folder))
        pack(Path(folder), target)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time use a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def unpack(source: Path, task: Path) -> None:
    """Unpack a zip without what never runs."""
    with zipfile.ZipFile(source) as archive:
        _reject_local_builds(archive)
        for name in archive.namelist():
            if not name.endswith("/") and not _NEVER_RUNS.match(name):
                path, content = task / name, archive.read(name)
                if name.startswith("botocore/data/") and name.endswith(".json.gz"):
                    path, content = path.with_suffix(""), without_documentation(content)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def without_documentation(model: bytes) -> bytes:
    """Return botocore's description of a service, unzipped and with empty documentation texts.

    They are most of it, and creating a client parses all of it.
    """

    def without_text(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # botocore reads some of these keys. One that is not a text is a field of that name.
        return {
            key: "" if key == "documentation" and isinstance(value, str) else value
            for key, value in pairs
        }

    described = json.loads(gzip.decompress(model), object_pairs_hook=without_text)
    return json.dumps(described, separators=(",", ":")).encode()


def _compile(task: Path) -> None:
    """Write bytecode that Python never checks, for the Python release that runs this.

    It replaces the libraries' sources; tracebacks name their files and lines all the same. A
    process of its own with a fixed seed makes it the same every time.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(task), "-p", _CODE_FOLDER]
    subprocess.run(
        [sys.executable, "-S", "-m", "compileall", *options, str(task)],
        env={"PYTHONHASHSEED": "0"},
        check=True,
    )
    for source in task.rglob("*.py"):
        if source.relative_to(task).parts[0] not in _APP_CODE:
            bytecode = Path(importlib.util.cache_from_source(str(source)))
            bytecode.replace(source.with_suffix(".pyc"))
            source.unlink()


def write_id(task: Path) -> None:
    """Write the package's ID into it: the SHA-256 of the names and contents of all other files."""
    digest = hashlib.sha256()
    for name, path in _files(task).items():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content} {name}\n".encode())
    (task / PACKAGE_ID_FILE).write_text(digest.hexdigest(), "ascii")


def _files(task: Path) -> dict[str, Path]:
    """Return the files of a folder by their names in the zip, in a fixed order."""
    files = {str(path.relative_to(task)): path for path in task.rglob("*") if path.is_file()}
    return dict(sorted(files.items()))


def pack(task: Path, packed: Path) -> None:
    """Write a zip in a fixed order, with one date and one mode for all files."""
    with zipfile.ZipFile(packed, "w") as target:
        for name, path in _files(task).items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            content = path.read_bytes()
            target.writestr(entry, content, zipfile.ZIP_DEFLATED, _COMPRESSION_LEVEL)


def _reject_local_builds(archive: zipfile.ZipFile) -> None:
    """Raise OperatorError if a dependency was compiled here: it would not load in Lambda.

    Chalice compiles what has no wheel for Lambda's Linux, which shows in the tags (PEP 425, 600).
    """
    for name in archive.namelist():
        if name.endswith(".dist-info/WHEEL"):
            tags = re.findall(r"^Tag: (\S+)", archive.read(name).decode(), re.MULTILINE)
            if not any(tag.endswith("-any") or "manylinux" in tag for tag in tags):
                dependency = name.split(".dist-info")[0]
                raise OperatorError(
                    f"{dependency} has no wheel for Lambda and was compiled on this machine. "
                    "Pin a release that has one in requirements.txt."
                )


def largest_parts(file: Path, count: int = 10) -> list[tuple[str, int]]:
    """Return the largest top-level names of a zip with their compressed bytes, largest first."""
    sizes: collections.Counter[str] = collections.Counter()
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            sizes[entry.filename.split("/")[0]] += entry.compress_size
    return sizes.most_common(count)


def main() -> None:
    """Build the package of the stage that STAGE names, and print what makes it large."""
    package = build(account.stage())
    size = package.zip.stat().st_size
    for name, part in largest_parts(package.zip):
        print(f"{part / 1e6:8.2f} MB  {name}")
    print(f"{size / 1e6:8.2f} MB  {package.zip.relative_to(ROOT)}  {package.key}")
    if size > MAX_BYTES:
        raise OperatorError(f"The package is too large (limit {MAX_BYTES / 1e6:.0f} MB).")


if __name__ == "__main__":
    sys.exit(exit_code(main))
