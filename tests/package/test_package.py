"""The zip that AWS runs."""

import gzip
import json
import marshal
import subprocess
import sys
import zipfile
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

import pytest

from infra import package
from infra.errors import OperatorError
from infra.stages import Stage
from tests.support import images

# One worker builds the package, which the end-to-end tests deploy.
# With -I and -S, Python finds only the standard library and the package, as in Lambda.
EVERYTHING = """
import sys
sys.path.insert(0, sys.argv[1])
import app
from chalicelib import clients
from chalicelib.accounts import cognito, service, tokens
from chalicelib.api import docs_page, multipart, openapi
from chalicelib.images import decoding
from chalicelib.integrity import check
from chalicelib.photos import lists, storage, uploads
from jose.backends import RSAKey
assert RSAKey.__module__ == "jose.backends.cryptography_backend", RSAKey
for service in ("cognito-idp", "dynamodb", "s3", "ssm"):
    clients.create_client(service, "eu-west-1")
s3 = clients.create_client("s3", "eu-west-1")
s3.generate_presigned_url("put_object", {"Bucket": "bucket", "Key": "key"})
from aws_parameter_store import AwsParameterStore
AwsParameterStore("eu-west-1")
from pynamodb.connection import Connection
Connection(region="eu-west-1").client
from requests_toolbelt.multipart import decoder
from PIL import features
from chalicelib.images.sizes import Sizes
for kind in ("jpg", "zlib", "webp", "avif", "littlecms2"):
    assert features.check(kind), kind
import cykooz_resizer
import pi_heif
assert pi_heif.libheif_info()["decoders"]
heic = open(sys.argv[2], "rb").read()
assert decoding.read_image(heic, Sizes(30, 20, 60)).content_type == "image/heic"
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
assert not [file for file in files if "site-packages" in file]
"""


@pytest.fixture(scope="module")
def unpacked(built: package.Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built.zip) as archive:
        archive.extractall(folder)
    return folder


def names(built: package.Package) -> list[str]:
    """Return the names of the files in the package."""
    with zipfile.ZipFile(built.zip) as archive:
        return archive.namelist()


def test_package_contains_everything_that_runs(unpacked: Path, tmp_path: Path) -> None:
    heic = tmp_path / "image.heic"
    heic.write_bytes(images.encoded(images.gradient(), "HEIF"))
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/nonexistent"}
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", EVERYTHING, str(unpacked), str(heic)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_package_responds_with_its_id(built: package.Package, unpacked: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from chalicelib.package_id import package_id;"
        "print(package_id())"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(unpacked)],
        env={"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == built.id
    assert len(built.id) == 64


def test_dependency_that_was_compiled_here_is_rejected(tmp_path: Path) -> None:
    source = tmp_path / "source.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("fast-1.0.dist-info/WHEEL", "Tag: cp311-cp311-linux_x86_64\n")
    with pytest.raises(OperatorError, match=r"fast-1\.0 has no wheel for Lambda"):
        package.unpack(source, tmp_path / "task")


def test_package_contains_only_what_runs(built: package.Package) -> None:
    found = names(built)
    assert {"app.py", "chalicelib/photos/service.py", "chalice/app.pyc"} <= set(found)
    for unused in (
        "infra/",
        "tests/",
        ".chalice/",
        "README.md",
        "cffi/",
        "ecdsa/",
        "rsa/",
        "pip/",
        "moto/",
    ):
        assert not any(name.startswith(unused) for name in found), unused
    assert not any(name.endswith(".pyi") or ".dist-info/" in name for name in found)
    services = {name.split("/")[2] for name in found if name.startswith("botocore/data/")}
    assert {name for name in services if "." not in name} == {
        "cognito-idp",
        "dynamodb",
        "s3",
        "ssm",
    }


def test_all_code_is_compiled_to_bytecode_that_is_never_checked(built: package.Package) -> None:
    with zipfile.ZipFile(built.zip) as archive:
        found = set(archive.namelist())
        bytecode = {name: archive.read(name) for name in found if name.endswith(".pyc")}
    sources = {name for name in found if name.endswith(".py")}
    assert {name.split("/")[0] for name in sources} == {"app.py", "chalicelib"}
    assert {cache_from_source(name) for name in sources} <= bytecode.keys()
    for name, content in bytecode.items():
        # PEP 552: this Python's magic number, then bit 0 without bit 1: by hash, unchecked.
        assert content[:8] == MAGIC_NUMBER + b"\x01\0\0\0", name
    assert marshal.loads(bytecode["chalice/app.pyc"][16:]).co_filename == "/var/task/chalice/app.py"


def test_documentation_texts_of_services_are_emptied() -> None:
    model = {"documentation": "<p>", "shapes": {"A": {"members": {"documentation": {"x": 1}}}}}
    emptied = package.without_documentation(gzip.compress(json.dumps(model).encode()))
    assert json.loads(emptied) == model | {"documentation": ""}


def test_package_is_below_its_size_limit(built: package.Package) -> None:
    assert built.zip.stat().st_size <= package.MAX_BYTES == 19_000_000


def test_largest_parts_are_listed_largest_first(built: package.Package) -> None:
    parts = package.largest_parts(built.zip)
    assert len(parts) == 10
    assert [size for _, size in parts] == sorted((size for _, size in parts), reverse=True)
    assert {"cryptography", "PIL", "botocore"} <= {name for name, _ in parts}


def test_same_commit_gives_the_same_bytes_for_every_stage(
    built: package.Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PACKAGE_CACHE")
    rebuilt = package.build(Stage("prod"), tmp_path)
    assert rebuilt.key == built.key


def test_shared_build_is_reused_until_a_file_changes(tmp_path: Path) -> None:
    def build(content: str) -> bytes:
        source, target = tmp_path / "source.zip", tmp_path / "target.zip"
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("chalicelib/settings.py", content)
        package._build_once(source, target, shared)
        return target.read_bytes()

    shared = tmp_path / "shared"
    shared.mkdir()
    first = build("1")
    [entry] = shared.iterdir()
    entry.write_bytes(b"reused")
    assert build("1") == b"reused"
    assert build("2") not in (b"reused", first)
