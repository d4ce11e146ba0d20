"""A Chromium: an installed one, or the one that the web app's own tests install."""

import os
import shutil
import subprocess

from infra.frontend import ROOT, Frontend

# Chromium would look for updates of its own parts, and report to its maker.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_FIND = (
    'import("./tests/support/browser.ts").then(async (it) => console.log(await it.browserPath()))'
)


def path() -> str:
    """Return the path of a Chromium, which is installed first if there is none."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    frontend = Frontend()
    frontend.install()
    node = frontend.node / "bin"
    done = subprocess.run(
        [node / "node", "--input-type=module", "-e", _FIND],
        cwd=ROOT / "frontend",
        env=os.environ | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
