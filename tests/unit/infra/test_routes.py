"""The table of routes in docs/api.md."""

import pytest

from infra.routes import DOCUMENT, with_routes


def test_documented_routes_are_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert with_routes(text) == text, "run `make routes`"
    assert "| `POST /photos/file` 🔒 | Upload a photo |" in text


@pytest.mark.parametrize("text", ["", "<!-- routes: written by `make routes` -->\n"])
def test_writing_routes_without_markers_fails(text: str) -> None:
    with pytest.raises(ValueError, match="markers"):
        with_routes(text)
