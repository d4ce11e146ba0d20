"""Write the table of routes into the README, from the API's own document."""

from pathlib import Path

import app
from chalicelib.api import openapi

README = Path(__file__).parents[1] / "README.md"
_BEGIN, _END = "<!-- routes: written by `make routes` -->\n", "<!-- end of routes -->"


def with_routes(text: str) -> str:
    """Return the README's text with the table of today's routes."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{_table()}\n{_END}{after}"


def _table() -> str:
    lines = ["| route | what it does |", "|---|---|"]
    for path, methods in openapi.document(app.app)["paths"].items():
        for method, operation in methods.items():
            lock = " 🔒" if "security" in operation else ""
            lines.append(f"| `{method.upper()} {path}`{lock} | {operation['summary']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Bring the README up to date."""
    README.write_text(with_routes(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
