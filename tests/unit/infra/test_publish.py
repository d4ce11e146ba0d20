"""The headers with which the files of a client are published."""

import pytest

from infra import publish


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("index.html", "no-cache"),
        ("sw.js", "no-cache"),
        ("js/app.3f2a1b9c.js", "public, max-age=31536000, immutable"),
        ("js/app.3f2a1b9c.js.map", "public, max-age=31536000, immutable"),
        ("img/logo.82b9c7a5f1e04d2c8b6a.png", "public, max-age=31536000, immutable"),
        ("assets/index-BxYAbcde.js", "public, max-age=31536000, immutable"),
        ("favicon.ico", "public, max-age=3600"),
        ("android-chrome-512x512.png", "public, max-age=3600"),
        ("img/favicon-1024x1024.png", "public, max-age=3600"),
        ("my-Document.pdf", "public, max-age=3600"),
    ],
)
def test_only_files_with_a_hash_in_their_names_are_cached_permanently(
    name: str, expected: str
) -> None:
    assert publish.cache_control(name) == expected
