"""Build the very zip and template that AWS runs: `chalice package`, then only what runs is kept.

Bytecode is added, which a function could not keep: Lambda's code folder is read-only, so that each
cold start would compile anew what it imports. Needs no credentials and makes no AWS call. The same
commit gives the same bytes.
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
import struct
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chalicelib.settings import cors_allow_origin
from infra import account, gateway, wheels
from infra.errors import OperatorError, exit_code
from infra.stages import Stage

ROOT = Path(__file__).parent.parent
OUT = ROOT / "dist"
_MERGED = Path(__file__).with_name("app.yaml")
_BIGGEST = 15_000_000  # bytes, zipped
_OURS = ("app.py", "chalicelib")
_CODE_FOLDER = "/var/task"  # where Lambda puts the package: what tracebacks name

_SERVICES = ("cognito-idp", "dynamodb", "s3", "ssm")
_NEVER_RUNS = re.compile(
    r"README\.md$"  # vendor's
    r"|.*/__pycache__/|.*\.py[ci]$|.*/py\.typed$|[^/]*\.(dist-info|data)/"
    r"|boto3/(data|examples)/"
    rf"|botocore/data/(?!({'|'.join(_SERVICES)})/)[^/]+/"
    r"|botocore/data/.*/(examples-1\.json|waiters-2\.json)"
    r"|botocore/cacert\.pem$"  # certifi's is taken, which requests needs
    r"|dateutil/zoneinfo/.*\.tar\.gz$"  # the runtime has time zones of its own
    # python-jose asks for these, and uses cryptography instead, and that only cffi's backend.
    r"|(ecdsa|rsa|pyasn1|cffi|pycparser)/"
    # Pillow's text and windows: no letter is ever drawn.
    r"|PIL/_imaging(ft|tk|math|morph)\.|pillow\.libs/lib(freetype|harfbuzz|png16|brotli)"
)

# The plain Chalice way knows resources by their names' patterns; here each is the exact one.
_HERE = "${AWS::Region}:${AWS::AccountId}"
_EXACT = {
    "arn:aws:ssm:*:*:parameter/cloudalbum": f"ssm:{_HERE}:parameter${{ParameterPath}}",
    "arn:aws:ssm:*:*:parameter/cloudalbum/*": f"ssm:{_HERE}:parameter${{ParameterPath}}/*",
    "arn:aws:cognito-idp:*:*:userpool/*": f"cognito-idp:{_HERE}:userpool/${{UserPoolId}}",
    "arn:aws:dynamodb:*:*:table/User": f"dynamodb:{_HERE}:table/${{UserTable}}",
    "arn:aws:dynamodb:*:*:table/Photo": f"dynamodb:{_HERE}:table/${{PhotoTable}}",
    "arn:aws:dynamodb:*:*:table/Photo/index/by_taken": (
        f"dynamodb:{_HERE}:table/${{PhotoTable}}/index/by_taken"
    ),
    "arn:aws:s3:::cloudalbum-dev-photos-*": "s3:::${PhotoBucket}",
    "arn:aws:s3:::cloudalbum-dev-photos-*/photos/*": "s3:::${PhotoBucket}/photos/*",
    "arn:aws:s3:::cloudalbum-dev-photos-*/uploads/*": "s3:::${PhotoBucket}/uploads/*",
    "arn:aws:logs:*:*:log-group:/aws/lambda/cloudalbum-dev*": (
        f"logs:{_HERE}:log-group:/aws/lambda/${{AWS::StackName}}-*"
    ),
}


@dataclass(frozen=True)
class Package:
    """What is deployed: the functions' zip, and the SAM template that names it."""

    zip: Path
    template: dict[str, Any]

    @property
    def key(self) -> str:
        """Return a name that only the same bytes have."""
        return hashlib.sha256(self.zip.read_bytes()).hexdigest() + ".zip"


def build(stage: Stage, out: Path = OUT) -> Package:
    """Build the package of a stage into the folder `out`. Raises OperatorError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with _alone():
            _chalice_package(stage, Path(folder))
        written = yaml.safe_load((Path(folder) / "sam.yaml").read_text())
        task = Path(folder) / "task"
        _unpack(Path(folder) / "deployment.zip", task)
        _compile(task)
        _pack(task, out / "deployment.zip")
    package = Package(out / "deployment.zip", _finished(written, stage))
    (out / f"template-{stage.name}.json").write_text(json.dumps(package.template, indent=1))
    return package


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time use Chalice's cache of dependencies, which it rewrites in place."""
    folder = os.open(ROOT / ".chalice", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _chalice_package(stage: Stage, folder: Path) -> None:
    chalice = Path(sysconfig.get_path("scripts")) / "chalice"
    command = [str(chalice), "package", "--stage", stage.name]
    run = subprocess.run(
        [*command, "--merge-template", str(_MERGED), str(folder)],
        cwd=ROOT,
        # Chalice wants a region to be set; the package is the same for all of them.
        env=os.environ
        | wheels.environment(wheels.verified())
        | {"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1")},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise OperatorError(f"chalice package failed:\n{run.stdout}{run.stderr}")


def _unpack(written: Path, task: Path) -> None:
    """Unpack a zip without what never runs."""
    with zipfile.ZipFile(written) as source:
        _refuse_local_builds(source)
        for name in source.namelist():
            if not name.endswith("/") and not _NEVER_RUNS.match(name):
                path, content = task / name, without_symbols(source.read(name))
                if name.startswith("botocore/data/") and name.endswith(".json.gz"):
                    path, content = path.with_suffix(""), without_documentation(content)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def without_symbols(content: bytes) -> bytes:
    """Return an ELF file with nothing but what is loaded; anything else as it is.

    Wheels carry symbol tables and debugging sections, which the dynamic loader never looks at: it
    goes by the program headers (System V ABI, "Program Header") alone.
    """
    if not content.startswith(b"\x7fELF\x02\x01"):  # 64 bits, little-endian
        return content
    start, _, _, header_size, entry_size, entries = struct.unpack_from("<QQIHHH", content, 32)
    used = [(0, header_size), (start, start + entry_size * entries)]
    for number in range(entries):
        offset, _, _, size = struct.unpack_from("<QQQQ", content, start + number * entry_size + 8)
        used.append((offset, offset + size))
    kept = bytearray(max(end for _, end in used))
    for begin, end in used:
        kept[begin:end] = content[begin:end]
    struct.pack_into("<Q", kept, 40, 0)  # there is no table of sections any more
    struct.pack_into("<HH", kept, 60, 0, 0)
    return bytes(kept)


def without_documentation(model: bytes) -> bytes:
    """Return botocore's description of a service, unzipped, without what only people read.

    That is most of it, and every client that is made has to parse it.
    """

    def plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # Some are asked for, so they stay, but empty. What is not a text is a field of that name.
        return {
            key: "" if key == "documentation" and isinstance(value, str) else value
            for key, value in pairs
        }

    described = json.loads(gzip.decompress(model), object_pairs_hook=plain)
    return json.dumps(described, separators=(",", ":")).encode()


def _compile(task: Path) -> None:
    """Write bytecode for this Python, whose release Chalice deploys to, never to be checked.

    A process of its own and the fixed seed make it the same every time. It replaces the libraries'
    sources: a traceback names their files and lines all the same.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(task), "-p", _CODE_FOLDER]
    subprocess.run(
        [sys.executable, "-S", "-m", "compileall", *options, str(task)],
        env={"PYTHONHASHSEED": "0"},
        check=True,
    )
    for source in task.rglob("*.py"):
        if source.relative_to(task).parts[0] not in _OURS:
            bytecode = Path(importlib.util.cache_from_source(str(source)))
            bytecode.replace(source.with_suffix(".pyc"))
            source.unlink()


def _pack(task: Path, packed: Path) -> None:
    """Make a zip in one order, with one date and one mode for all."""
    files = {str(path.relative_to(task)): path for path in task.rglob("*") if path.is_file()}
    with zipfile.ZipFile(packed, "w") as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            target.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


def _refuse_local_builds(archive: zipfile.ZipFile) -> None:
    """Raise OperatorError if a dependency was compiled here: it would not load in Lambda.

    Chalice compiles what has no wheel for Lambda's Linux; a wheel's tags tell (PEP 425, PEP 600).
    """
    for name in archive.namelist():
        if name.endswith(".dist-info/WHEEL"):
            tags = re.findall(r"^Tag: (\S+)", archive.read(name).decode(), re.MULTILINE)
            if not any(tag.endswith("-any") or "manylinux" in tag for tag in tags):
                dependency = name.split(".dist-info")[0]
                raise OperatorError(
                    f"{dependency} has no wheel for Lambda and was compiled on this machine: "
                    "pin a release that has one in requirements.txt."
                )


def _finished(template: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Return Chalice's template with the stage's settings and exact rights."""
    resources = template["Resources"]
    for role in of_type(template, "AWS::IAM::Role"):
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                statement["Resource"] = [_exact(arn) for arn in statement["Resource"]]
    origin = cors_allow_origin()
    resources["RestAPI"]["Properties"]["GatewayResponses"] = gateway.responses(origin)
    for function in of_type(template, "AWS::Serverless::Function"):
        environment = function["Properties"].setdefault("Environment", {})
        variables = environment.setdefault("Variables", {})
        variables["CLOUDALBUM_PARAMETER_PATH"] = stage.parameter_path
        variables["CORS_ALLOW_ORIGIN"] = origin
    # Chalice 1.34 spells the function's logical name in another way here, which AWS refuses.
    log_group = resources["ApiHandlerLogGroup"]["Properties"]
    log_group["LogGroupName"] = {"Fn::Sub": "/aws/lambda/${APIHandler}"}
    return template


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the resources of one type."""
    return [one for one in template["Resources"].values() if one["Type"] == kind]


def _exact(arn: str) -> Any:
    if arn == "*":
        return arn
    if arn not in _EXACT:
        raise OperatorError(f"{arn} is in a policy of .chalice, but not among the exact ARNs here.")
    exact = {"Fn::Sub": f"arn:${{AWS::Partition}}:{_EXACT[arn]}"}
    return {"Fn::If": ["OnEmulator", "*", exact]} if ":ssm:" in arn else exact


def largest_parts(package: Path, most: int = 10) -> list[tuple[str, int]]:
    """Return the package's largest parts, by its top-level names, in zipped bytes."""
    sizes: collections.Counter[str] = collections.Counter()
    with zipfile.ZipFile(package) as archive:
        for entry in archive.infolist():
            sizes[entry.filename.split("/")[0]] += entry.compress_size
    return sizes.most_common(most)


def main() -> None:
    """Build the package of the stage that STAGE names, and say how large it is."""
    package = build(account.stage())
    size = package.zip.stat().st_size
    for name, part in largest_parts(package.zip):
        print(f"{part / 1e6:8.2f} MB  {name}")
    print(f"{size / 1e6:8.2f} MB  {package.zip.relative_to(ROOT)}  {package.key}")
    if size > _BIGGEST:
        raise OperatorError(f"The package is larger than {_BIGGEST / 1e6:.0f} MB.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
