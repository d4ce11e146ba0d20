"""Which package runs: a deployment verifies that it is the one that was built."""

from pathlib import Path

PACKAGE_ID_FILE = "chalicelib/package_id.txt"  # in the package, which infra/package.py builds


def package_id() -> str | None:
    """Return the SHA-256 of the running package's files; None if the code was not packaged."""
    try:
        return Path(__file__).with_name(Path(PACKAGE_ID_FILE).name).read_text("ascii")
    except FileNotFoundError:
        return None
