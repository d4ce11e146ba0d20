"""What listing photos needs to import: a cold start pays for all of it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
import dataclasses, json, sys
from botocore.awsrequest import AWSResponse
from chalicelib.container import Container
from chalicelib.photos.photo import PhotoQuery
from chalicelib.settings import Settings

class Body(bytes):
    def stream(self, *_, **__):
        yield bytes(self)

settings = dict.fromkeys((field.name for field in dataclasses.fields(Settings)), "x")
settings |= {"presigned_url_seconds": 60, "region": "eu-west-1"}
services = Container()
services.settings = Settings(**settings)
item = {"id": {"S": "1"}, "user_id": {"S": "sub-1"}, "filename": {"S": "1.jpg"}}
body = Body(json.dumps({"Items": [item]}).encode())
services.clients.get("dynamodb").meta.events.register(
    "before-send.dynamodb", lambda request, **_: AWSResponse(request.url, 200, {}, body)
)
page = services.lists.page("sub-1", PhotoQuery())
print(page.photos[0]["thumbSrc"])
print({"PIL", "pynamodb", "requests", "requests_toolbelt"} & set(sys.modules) or "nothing heavy")
"""


def test_listing_photos_needs_no_pynamodb_no_pillow_no_requests() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={
            "HOME": "/nonexistent",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "/photos/sub-1/thumbnails/1.jpg?X-Amz-" in run.stdout
    assert "nothing heavy" in run.stdout
