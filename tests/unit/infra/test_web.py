"""The files of the web app, their headers, and /config.json."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.web import WebApp, cache_control, config, security_headers

BUCKET = "http://127.0.0.1:4566"
SCRIPT = b"const photos = [];\n" * 100


def settings(*allowed: str, by_email: bool = False) -> Any:
    return SimpleNamespace(signup_allowed=frozenset(allowed), confirms_by_email=by_email)


@pytest.fixture
def web(tmp_path: Path) -> WebApp:
    files = {"index.html": b"<!doctype html>", "icon.svg": b"<svg/>", "assets/a-1.js": SCRIPT}
    for name, body in files.items():
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (tmp_path / "secret").write_text("not a part of the web app")
    return WebApp(tmp_path / "web", lambda: settings("*"), lambda: BUCKET)


@pytest.mark.parametrize("path", ["/", "/index.html", "/?utm=1"])
def test_page_is_served_at_the_root(web: WebApp, path: str) -> None:
    file = web.find(path)
    assert file is not None
    assert file.body == b"<!doctype html>"
    assert file.headers["Content-Type"] == "text/html; charset=utf-8"
    assert file.headers["Cache-Control"] == "no-cache"


def test_assets_are_cached_forever_and_everything_else_is_revalidated() -> None:
    assert cache_control("assets/index-BxY.js") == "public, max-age=31536000, immutable"
    for name in ("index.html", "config.json", "theme.js", "sw.js", "icon.svg"):
        assert cache_control(name) == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/unknown.js", "/assets", "/../secret", "/assets/../../secret", "//secret", "/%2e%2e/secret"],
)
def test_only_files_of_the_web_app_are_served(web: WebApp, path: str) -> None:
    assert web.find(path) is None


def test_large_text_is_compressed_for_browsers_that_accept_it(web: WebApp) -> None:
    compressed, plain = web.find("/assets/a-1.js", "gzip, br"), web.find("/assets/a-1.js")
    assert compressed is not None
    assert plain is not None
    assert gzip.decompress(compressed.body) == plain.body == SCRIPT
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == compressed.headers["Vary"] == "Accept-Encoding"


def test_policy_allows_no_inline_code_and_no_host_but_the_album_and_its_bucket() -> None:
    policy = security_headers(BUCKET)["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; ")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == f"'self' {BUCKET}"
    assert rules["img-src"] == f"'self' blob: data: {BUCKET}"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "http" not in security_headers("")["Content-Security-Policy"]


def test_every_file_has_the_security_headers(web: WebApp) -> None:
    for path in ("/", "/config.json", "/assets/a-1.js"):
        file = web.find(path)
        assert file is not None
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Referrer-Policy"] == "no-referrer"
        assert BUCKET in file.headers["Content-Security-Policy"]


def test_config_says_where_the_api_is_and_how_people_sign_up(web: WebApp) -> None:
    file = web.find("/config.json")
    assert file is not None
    assert json.loads(file.body) == {"api": "", "signup": True, "confirmation": False}
    assert config("/api", settings("@example.com", by_email=True)) == {
        "api": "/api",
        "signup": True,
        "confirmation": True,
    }


def test_sign_up_is_closed_where_no_address_is_allowed() -> None:
    assert config("", settings())["signup"] is False
