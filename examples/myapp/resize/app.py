"""The tutorial's event example: create a small copy of each picture in a bucket."""

import functools
import io
import os
from typing import Any

import boto3
from chalice import Chalice
from chalice.app import S3Event
from PIL import Image, ImageOps

BUCKET = os.environ["PICTURE_BUCKET"]  # from .chalice/config.json
UPLOADED, RESIZED = "upload/", "resized/"
BOX = 300, 200  # width and height in pixels

app = Chalice(app_name="myapp-resize")


@functools.cache
def s3() -> Any:
    """Return the S3 client, created on first use."""
    return boto3.client("s3")


# Without the prefix, the copies, which are new objects too, would be resized again.
@app.on_s3_event(bucket=BUCKET, events=["s3:ObjectCreated:*"], prefix=UPLOADED)
def resize(event: S3Event) -> None:
    """Store a small copy of the picture; a repeated event stores the same copy."""
    picture = s3().get_object(Bucket=event.bucket, Key=event.key)["Body"].read()
    try:
        content_type, copy = resized(picture)
    except Exception:  # Pillow raises many errors, and a retry would not help.
        app.log.exception("Skipped %s: it is not a picture that can be resized.", event.key)
        return
    key = RESIZED + event.key.removeprefix(UPLOADED)
    s3().put_object(Bucket=event.bucket, Key=key, Body=copy, ContentType=content_type)


def resized(picture: bytes) -> tuple[str, bytes]:
    """Return the content type and the bytes of an upright copy that fits the box."""
    with Image.open(io.BytesIO(picture), formats=["GIF", "JPEG", "PNG", "WEBP"]) as image:
        # MPO, which many cameras write, is a JPEG with more pictures after the first.
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        small = ImageOps.exif_transpose(image)
        small.thumbnail(BOX)
        out = io.BytesIO()
        small.save(out, kind)
    return Image.MIME[kind], out.getvalue()
