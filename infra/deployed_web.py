"""The web app in AWS: its files in the bucket of the app's stack, and the page /config.json."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib.settings import Settings
from infra import cloudfront, site
from infra.errors import OperatorError
from infra.frontend import Frontend
from infra.web import FOLDER_VARIABLE, cache_control, config

_API = "/api"  # the path of the API behind CloudFront, and the name of its stage
_CONFIG = "config.json"

Retry = Callable[[Callable[[], bool]], bool]


def built_files() -> dict[str, bytes]:
    """Return the files of the web app, built if necessary. Raises OperatorError."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return site.files_of(Path(folder) if folder else Frontend().build())


def publish(s3: Any, outputs: dict[str, str], settings: Settings, files: dict[str, bytes]) -> None:
    """Store the web app and its configuration in the bucket of the app's stack."""
    files = files | {_CONFIG: _config(settings)}
    site.upload(s3, outputs["WebBucketName"], files, cache_control)


def update_config(s3: Any, outputs: dict[str, str], settings: Settings) -> None:
    """Store the configuration again, after a change of the settings."""
    if bucket := outputs.get("WebBucketName"):  # A stack of an earlier version has none.
        site.put_file(s3, bucket, _CONFIG, _config(settings), cache_control)


def smoke_test(host: str, files: dict[str, bytes], package_id: str, retry: Retry) -> None:
    """Check that CloudFront serves this web app, and the API next to it. Raises OperatorError."""

    def serves_page() -> bool:
        return cloudfront.get(host, "/") == (200, files["index.html"])

    def serves_api() -> bool:
        status, body = cloudfront.get(host, f"{_API}/health")
        return status == 200 and f'"{package_id}"'.encode() in body

    for works, what in ((serves_page, "the web app"), (serves_api, "the API")):
        if not retry(works):
            raise OperatorError(
                f"{cloudfront.web_url(host)} does not serve {what} yet. Wait some minutes, and "
                "deploy again if it still does not."
            )


def _config(settings: Settings) -> bytes:
    return json.dumps(config(_API, settings)).encode()
