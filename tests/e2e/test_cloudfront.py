"""What CloudFront serves: the web app and the API with one origin, and a published client."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Request, expect, sync_playwright

from infra import deployed_web, site, stacks
from infra.background import RunningStack
from infra.deploy import stage_settings
from infra.frontend import Frontend
from infra.stages import Stage
from infra.web import security_headers
from tests.support import browser, images
from tests.support.people import Person


@pytest.fixture
def web_app(stack: RunningStack, packaged_url: str) -> Iterator[Page]:
    """Return a browser's page at the deployed web app, which may request nothing from elsewhere."""
    stage, files = Stage("dev"), site.files_of(Frontend().build())
    outputs = stacks.outputs(stack.make_client("cloudformation"), stage.app_stack) or {}
    settings = stage_settings(stack.make_client("ssm"), stage.parameter_path)
    deployed_web.publish(stack.make_client("s3"), outputs, settings, files)
    host, bucket = outputs["WebHost"], stack.env["AWS_ENDPOINT_URL"]
    url = f"http://{host}"
    problems: list[str] = []

    def check(request: Request) -> None:
        elsewhere = not request.url.startswith((url, bucket, "blob:", "data:"))
        # With one origin, there is no preflight.
        if elsewhere or (request.method == "OPTIONS" and request.url.startswith(url)):
            problems.append(f"{request.method} {request.url}")

    flags = [
        f"--host-resolver-rules=MAP {host} {bucket.removeprefix('http://')}",
        f"--unsafely-treat-insecure-origin-as-secure={url}",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.path(), args=[*browser.FLAGS, *flags]
        )
        page = chromium.new_page(base_url=url)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", check)
        yield page
        chromium.close()
    assert problems == []


def test_deployed_web_app_signs_up_uploads_shows_and_opens_photos(
    web_app: Page, tmp_path: Path
) -> None:
    web_app.goto("/")
    web_app.get_by_role("link", name="Create an account").click()
    for name, value in (
        ("Name", "Mario"),
        ("Email", f"mario-{time.time_ns()}@example.com"),
        ("Password", "Secret-2026"),
    ):
        web_app.get_by_role("textbox", name=name).fill(value)
    web_app.get_by_role("button", name="Create account").click()
    expect(web_app.get_by_role("navigation", name="Main")).to_be_visible()
    expect(web_app).to_have_url(re.compile("#/photos$"))

    # One through the API, and one that is too large for it and goes directly to the bucket.
    files = {"sea.jpg": images.jpeg(), "hills.jpg": images.jpeg(640, 427) + bytes(5_000_000)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with web_app.expect_file_chooser() as chosen:
        web_app.get_by_role("banner").get_by_role("button", name="Upload").click()
    chosen.value.set_files([tmp_path / name for name in files])
    photos = web_app.get_by_role("main")
    for name in files:
        photo = photos.get_by_role("img", name=re.compile(re.escape(name)))
        expect(photo).to_be_visible(timeout=30_000)
        web_app.wait_for_function("image => image.naturalWidth > 0", arg=photo.element_handle())
    photos.get_by_role("link").filter(has=web_app.get_by_role("img")).first.click()
    expect(web_app.get_by_role("dialog", name="Photo")).to_be_visible()


def from_cloudfront(stack: RunningStack, url: str, **options: Any) -> requests.Response:
    """Send a request to the embedded AWS's CloudFront, without credentials."""
    host, _, path = url.removeprefix("http://").partition("/")
    headers = {"Host": host} | options.pop("headers", {})
    at = f"{stack.env['AWS_ENDPOINT_URL']}/{path}"
    return requests.request(
        options.pop("method", "GET"), at, headers=headers, timeout=30, **options
    )


def test_published_client_is_private_except_through_cloudfront_with_its_own_headers(
    stack: RunningStack, packaged_url: str, tmp_path: Path
) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Album</title>")
    (tmp_path / "js" / "app.3f2a1b9c.js").write_text("1")
    for _ in range(2):  # It is safe to repeat.
        done = stack.run("infra.publish", DIST=str(tmp_path))
        assert done.returncode == 0, done.stderr
    url = done.stdout.splitlines()[0].split()[-1]
    assert packaged_url in done.stdout
    page = from_cloudfront(stack, f"{url}/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    script = from_cloudfront(stack, f"{url}/js/app.3f2a1b9c.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in script.headers["Cache-Control"]
    [bucket] = [
        one["Name"]
        for one in stack.make_client("s3").list_buckets()["Buckets"]
        if "-dev-website-" in one["Name"]
    ]
    direct = requests.get(f"{stack.env['AWS_ENDPOINT_URL']}/{bucket}/index.html", timeout=30)
    assert direct.status_code == 403


def test_cloudfront_serves_the_web_app_and_the_api_with_one_origin(
    stack: RunningStack, packaged_url: str
) -> None:
    url = f"http://{stack.web_host('dev')}"
    page = from_cloudfront(stack, f"{url}/")
    assert page.status_code == 200
    bucket = stack.env["AWS_ENDPOINT_URL"]
    for name, value in security_headers(bucket).items():
        assert page.headers[name] == value
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert page.headers["Cache-Control"] == "no-cache"
    config = from_cloudfront(stack, f"{url}/config.json")
    assert config.json() == {"api": "/api", "signup": True, "confirmation": False}
    assert config.headers["Cache-Control"] == "no-cache"

    # The API's own status and body, not those of a page.
    missing = from_cloudfront(stack, f"{url}/api/photos/unknown")
    assert (missing.status_code, missing.json()["Code"]) == (401, "UnauthorizedError")
    mario = Person.registered(packaged_url, "mario-cloudfront@example.com")
    photo = mario.upload(images.jpeg()).json()["photo_id"]
    listed = from_cloudfront(stack, f"{url}/api/photos?limit=1&urls=thumb", headers=mario.headers)
    assert [one["id"] for one in listed.json()["photos"]] == [photo]
    assert listed.json()["photos"][0].keys() >= {"thumbSrc"}
    edited = from_cloudfront(
        stack,
        f"{url}/api/photos/{photo}",
        method="PATCH",
        headers=mario.headers,
        json={"desc": "At the sea"},
    )
    assert edited.json()["photo"]["desc"] == "At the sea"
    gone = from_cloudfront(stack, f"{url}/api/photos/unknown", headers=mario.headers)
    assert (gone.status_code, gone.json()["Code"]) == (404, "NotFoundError")
