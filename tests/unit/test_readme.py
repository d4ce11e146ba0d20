"""The README."""

from infra.readme import README, with_routes


def test_the_table_of_routes_is_that_of_the_document() -> None:
    text = README.read_text("utf-8")
    assert with_routes(text) == text, "make routes"
    assert "| `POST /photos/file` 🔒 | Store one picture |" in text
