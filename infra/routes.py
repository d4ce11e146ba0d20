"""Write the table of routes in docs/api.md from the OpenAPI document; `make routes` runs this."""

from pathlib import Path

import app
from chalicelib.api import openapi

DOCUMENT = Path(__file__).parents[1] / "docs" / "api.md"
_BEGIN, _END = "<!-- routes: written by `make routes` -->\n", "<!-- end of routes -->"


def with_routes(text: str) -> str:
    """Return the text with the current table of routes. Raises ValueError without its markers."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError("The markers of the table are missing.")
    return f"{before}{_BEGIN}\n{_table()}\n{_END}{after}"


def _table() -> str:
    lines = ["| route | what it does |", "|---|---|"]
    for path, methods in openapi.document(app.app)["paths"].items():
        for method, operation in methods.items():
            lock = " 🔒" if "security" in operation else ""
            lines.append(f"| `{method.upper()} {path}`{lock} | {operation['summary']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table."""
    DOCUMENT.write_text(with_routes(DOCUMENT.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
