"""Write the API's OpenAPI document to a file, for code generators: `make types` runs this."""

import json
import sys
from pathlib import Path

import app
from chalicelib.api import openapi


def main() -> None:
    """Write the document to the path that is the first argument."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(openapi.document(app.app)), "utf-8")


if __name__ == "__main__":
    main()
