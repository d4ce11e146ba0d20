"""Publish a built single-page client to a website bucket of its own."""

import mimetypes
import os
import re
import sys
from pathlib import Path
from typing import Any

from infra import account, stacks
from infra.deploy import api_url
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

_TEMPLATE = Path(__file__).with_name("website.yaml")

# File names with a hash of the content, as webpack (js/app.3f2a1b9c.js) and Vite
# (assets/index-BxY_12ab.js) write them.
_HASHED = re.compile(
    r".*[.-](?=[a-f]*\d)[0-9a-f]{8,}\.\w+(\.map)?"
    r"|(.*/)?assets/.*-[A-Za-z0-9_-]{8}\.\w+(\.map)?"
)
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_ONE_HOUR = "public, max-age=3600"

# These are missing in the standard library's table on some systems.
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


def publish(make_client: MakeClient, stage: Stage, dist: Path) -> str:
    """Upload the client in the folder `dist` and return its URL. Raises OperatorError."""
    files = sorted(path for path in dist.rglob("*") if path.is_file())
    if dist / "index.html" not in files:
        raise OperatorError(f"{dist} has no index.html. Build the client first.")
    cloudformation = make_client("cloudformation")
    template = {"TemplateBody": _TEMPLATE.read_text()}
    stacks.deploy(cloudformation, stage.website_stack, template, {"Stage": stage.name})
    outputs = stacks.outputs(cloudformation, stage.website_stack) or {}
    # The page comes last: until then, the old page finds all of its files.
    for path in sorted(files, key=lambda path: path.name == "index.html"):
        _upload(make_client("s3"), outputs["BucketName"], path, path.relative_to(dist).as_posix())
    return website_url(outputs)


def website_url(outputs: dict[str, str]) -> str:
    """Return the client's URL, from the outputs of its stack."""
    if account.emulated():  # MiniStack serves objects, but no websites.
        return f"{os.environ['AWS_ENDPOINT_URL']}/{outputs['BucketName']}/index.html"
    return outputs["WebsiteURL"]


def cache_control(name: str) -> str:
    """Return the Cache-Control header of a file, by its name."""
    if name.endswith(".html"):
        return _REVALIDATE
    return _IMMUTABLE if _HASHED.fullmatch(name) else _ONE_HOUR


def content_type(name: str) -> str:
    """Return the media type of a file, by its name."""
    known = _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0]
    return known or "application/octet-stream"


def _upload(s3: Any, bucket: str, path: Path, key: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=path.read_bytes(),
        ContentType=content_type(key),
        CacheControl=cache_control(key),
    )


def main() -> None:
    """Publish the client in the folder that DIST names for the stage that STAGE names."""
    dist = os.environ.get("DIST")
    if not dist:
        raise OperatorError(
            "DIST is missing. Run `make publish-frontend DIST=path` with the built client."
        )
    stage, make_client = account.stage(), account.session().client
    url = publish(make_client, stage, Path(dist))
    app = stacks.outputs(make_client("cloudformation"), stage.app_stack)
    print(f"Client   {url}")
    print(f"API      {api_url(app) if app else 'not deployed yet: run `make deploy`'}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
