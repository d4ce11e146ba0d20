"""The order in which a website is published, its media types, and what becomes of old files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import site
from infra.errors import OperatorError


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="web")
        yield client


def publish(s3: Any, *names: str) -> None:
    site.upload(s3, "web", {name: name.encode() for name in names}, lambda name: f"max-age={name}")


def tags(s3: Any, name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = s3.get_object_tagging(Bucket="web", Key=name)["TagSet"]
    return found


def test_page_comes_after_all_that_it_loads_and_before_the_service_worker(s3: Any) -> None:
    order: list[str] = []
    s3.meta.events.register(
        "before-call.s3.PutObject",
        lambda params, **_: order.append(params["url_path"].removeprefix("/")),
    )
    publish(s3, "index.html", "sw.js", "theme.js", "assets/a-1.js", "icon.svg", "assets/z-1.css")
    assert order[-2:] == ["index.html", "sw.js"]
    assert len(order) == 6


def test_file_that_a_build_lacks_is_kept_for_open_tabs_and_tagged_for_removal(s3: Any) -> None:
    publish(s3, "index.html", "assets/old-1.js")
    publish(s3, "index.html", "assets/new-1.js")
    old = s3.get_object(Bucket="web", Key="assets/old-1.js")
    assert old["Body"].read() == b"assets/old-1.js"
    assert old["ContentType"] == "text/javascript; charset=utf-8"
    assert old["CacheControl"] == "max-age=assets/old-1.js"
    assert tags(s3, "assets/old-1.js") == [{"Key": "superseded", "Value": "true"}]
    assert tags(s3, "assets/new-1.js") == tags(s3, "index.html") == []


def test_removal_is_not_put_off_by_later_builds_but_ends_if_one_has_the_file_again(
    s3: Any,
) -> None:
    publish(s3, "index.html", "assets/old-1.js")
    publish(s3, "index.html")
    copies: list[str] = []
    s3.meta.events.register("before-call.s3.CopyObject", lambda **_: copies.append("copied"))
    publish(s3, "index.html")
    assert copies == []
    publish(s3, "index.html", "assets/old-1.js")
    assert tags(s3, "assets/old-1.js") == []


def test_folder_without_a_page_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text("1")
    with pytest.raises(OperatorError, match=r"has no index\.html"):
        site.files_of(tmp_path)
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "app.js").write_text("1")
    (tmp_path / "index.html").write_text("page")
    assert set(site.files_of(tmp_path)) == {"app.js", "index.html", "js/app.js"}


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index.html", "text/html"),
        ("a.js", "text/javascript"),
        ("a.css", "text/css"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.webmanifest", "application/manifest+json"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_content_type_follows_from_the_name(name: str, media_type: str) -> None:
    assert site.content_type(name) == media_type
