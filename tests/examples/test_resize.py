"""The lab's event function, on moto and in the local AWS: it creates a small copy of a picture."""

import io
import json
import os
import re
import shutil
import subprocess
import sysconfig
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from chalice.test import Client
from moto import mock_aws
from PIL import Image
from PIL.ExifTags import Base

from infra.background import RunningStack
from tests.examples.conftest import BUCKET, MYAPP, RESIZE
from tests.support import images


@pytest.fixture
def s3(resize: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return S3 with an empty bucket, after the app was loaded."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def send_event(resize: ModuleType, key: str) -> None:
    """Send the event of a new object to the function, its key encoded as S3 does."""
    client = Client(resize.app, project_dir=str(RESIZE))
    event = client.events.generate_s3_event(BUCKET, urllib.parse.quote_plus(key, safe="/"))
    client.lambda_.invoke("resize", event)


def keys(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def copy_of(resize: ModuleType, s3: Any, picture: bytes) -> Image.Image:
    """Return the copy that the function creates of a picture."""
    s3.put_object(Bucket=BUCKET, Key="upload/picture", Body=picture)
    send_event(resize, "upload/picture")
    stored = s3.get_object(Bucket=BUCKET, Key="resized/picture")
    image = Image.open(io.BytesIO(stored["Body"].read()))
    assert stored["ContentType"] == Image.MIME[str(image.format)]
    return image


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1200, 800), (300, 200)),
        ((1200, 400), (300, 100)),
        ((400, 800), (100, 200)),
        ((30, 20), (30, 20)),  # never enlarged
    ],
)
def test_copy_fits_300_by_200_pixels(
    resize: ModuleType, s3: Any, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert copy_of(resize, s3, images.jpeg(*size)).size == expected


def test_copy_is_upright(resize: ModuleType, s3: Any) -> None:
    # The right side is the brightest; rotated clockwise, it is the bottom.
    picture = images.jpeg(1200, 600, exif=images.exif({Base.Orientation: 6}))
    copy = copy_of(resize, s3, picture)
    assert copy.size == (100, 200)
    assert Base.Orientation not in copy.getexif()
    top, bottom = copy.convert("L").resize((1, 2)).tobytes()
    assert bottom > top + 100


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_in_any_color_mode_is_copied(resize: ModuleType, s3: Any, mode: str) -> None:
    picture = images.encoded(images.gradient(mode=mode), "JPEG")
    assert copy_of(resize, s3, picture).format == "JPEG"


@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA", "I;16"])
def test_png_stays_a_png(resize: ModuleType, s3: Any, mode: str) -> None:
    picture = images.encoded(images.gradient(mode="L").convert(mode), "PNG")
    copy = copy_of(resize, s3, picture)
    assert (copy.format, copy.size) == ("PNG", (267, 200))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_copy_has_the_format_of_the_picture(resize: ModuleType, s3: Any, kind: str) -> None:
    assert copy_of(resize, s3, images.encoded(images.gradient(), kind)).format == kind


def test_jpeg_with_several_pictures_becomes_a_plain_one(resize: ModuleType, s3: Any) -> None:
    more = [images.gradient(64, 48)]
    picture = images.encoded(images.gradient(), "MPO", save_all=True, append_images=more)
    assert copy_of(resize, s3, picture).format == "JPEG"


@pytest.mark.parametrize("name", ["a b+c.jpg", "Zürich 100%.jpg", "2026/05/upload/x.jpg"])
def test_copy_has_the_name_of_the_picture(resize: ModuleType, s3: Any, name: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"upload/{name}", Body=images.jpeg())
    send_event(resize, f"upload/{name}")
    assert keys(s3) == [f"resized/{name}", f"upload/{name}"]


def test_repeated_event_creates_one_copy(resize: ModuleType, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="upload/x.jpg", Body=images.jpeg())
    tags = []
    for _ in range(2):
        send_event(resize, "upload/x.jpg")
        tags.append(s3.head_object(Bucket=BUCKET, Key="resized/x.jpg")["ETag"])
    assert keys(s3) == ["resized/x.jpg", "upload/x.jpg"]
    assert tags[0] == tags[1]


@pytest.mark.parametrize(
    "content", [b"", b"no picture", images.jpeg()[:900], images.png_claiming(60_000, 60_000)]
)
def test_file_that_is_not_a_picture_is_skipped_and_logged(
    resize: ModuleType, s3: Any, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    resize.app.log.addHandler(caplog.handler)
    s3.put_object(Bucket=BUCKET, Key="upload/x.jpg", Body=content)
    send_event(resize, "upload/x.jpg")
    assert keys(s3) == ["upload/x.jpg"]
    assert caplog.messages == ["Skipped upload/x.jpg: it is not a picture that can be resized."]


def test_missing_object_raises_so_that_aws_retries(resize: ModuleType, s3: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        send_event(resize, "upload/gone.jpg")


def test_function_subscribes_only_to_new_uploads(resize: ModuleType) -> None:
    [source] = resize.app.event_sources
    assert (source.bucket, source.events) == (BUCKET, ["s3:ObjectCreated:*"])
    assert source.prefix == "upload/"


def test_client_is_created_once_at_the_first_event(resize: ModuleType, s3: Any) -> None:
    assert resize.s3.cache_info().currsize == 0
    for _ in range(2):
        copy_of(resize, s3, images.jpeg())
    assert resize.s3.cache_info().misses == 1


def test_policy_allows_only_two_calls_on_the_configured_bucket() -> None:
    config = json.loads((RESIZE / ".chalice" / "config.json").read_text())
    bucket = config["environment_variables"]["PICTURE_BUCKET"]
    policy = json.loads((RESIZE / ".chalice" / "policy-dev.json").read_text())
    permissions = {
        action: resource
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
        if not action.startswith("logs:")
    }
    assert permissions == {
        "s3:GetObject": f"arn:aws:s3:::{bucket}/upload/*",
        "s3:PutObject": f"arn:aws:s3:::{bucket}/resized/*",
    }


@pytest.mark.parametrize("folder", [MYAPP, RESIZE])
def test_each_app_has_its_own_policy_file(folder: Path) -> None:
    config = json.loads((folder / ".chalice" / "config.json").read_text())
    assert config["autogen_policy"] is False
    assert (folder / ".chalice" / config["stages"]["dev"]["iam_policy_file"]).is_file()


def test_documented_commands_deploy_call_and_delete_the_function(
    stack: RunningStack, tmp_path: Path
) -> None:
    readme = (MYAPP / "README.md").read_text()
    section = readme.split("## Deploy the event function\n")[1]
    commands = "".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
    [printed] = re.findall(r"```\n\n```\n(.*?)```", section, re.DOTALL)
    for documented, actual in {
        "/tmp": str(tmp_path),
        "../../../.venv/bin": sysconfig.get_path("scripts"),
        "../../../.local": str(stack.state),
    }.items():
        assert documented in commands
        commands = commands.replace(documented, actual)
    # A copy, so that the records of manual deployments are left alone.
    manual_deployments = shutil.ignore_patterns("deployed", "deployments")
    shutil.copytree(RESIZE, tmp_path / "resize", ignore=manual_deployments)
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    buckets = stack.make_client("s3").list_buckets
    functions = stack.make_client("lambda").list_functions
    before = [one["Name"] for one in buckets()["Buckets"]]
    album = [one["FunctionName"] for one in functions()["Functions"]]
    done = subprocess.run(
        ["sh", "-ec", commands], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Creating lambda function: myapp-resize-dev-resize" in done.stdout
    assert printed in done.stdout
    assert "Deleting function: " in done.stdout
    assert [one["FunctionName"] for one in functions()["Functions"]] == album
    assert [one["Name"] for one in buckets()["Buckets"]] == before
