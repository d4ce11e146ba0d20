"""Formats, and bytes that are no image or a broken one."""

import io
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import decoding, limits
from chalicelib.images.decoding import read_image
from tests.support.images import encoded, fax_tiff, gradient, png_chunk
from tests.support.thumbnails import SIZES, thumbnail_of

ROOT = Path(__file__).parents[3]
SEVERAL: dict[str, Any] = {"save_all": True, "append_images": [gradient(100, 100)]}


@pytest.mark.parametrize(
    ("kind", "options", "content_type", "extension"),
    [
        ("JPEG", {}, "image/jpeg", "jpg"),
        ("MPO", SEVERAL, "image/jpeg", "jpg"),
        ("PNG", {}, "image/png", "png"),
        ("GIF", {}, "image/gif", "gif"),
        ("WEBP", {}, "image/webp", "webp"),
        ("BMP", {}, "image/bmp", "bmp"),
        ("TIFF", {}, "image/tiff", "tiff"),
        ("AVIF", {}, "image/avif", "avif"),
        ("HEIF", {}, "image/heic", "heic"),
    ],
)
def test_format_is_detected_from_the_bytes(
    kind: str, options: dict[str, Any], content_type: str, extension: str
) -> None:
    data = encoded(gradient(), kind, **options)
    assert Image.open(io.BytesIO(data)).format == kind
    image = read_image(data, SIZES)
    assert (image.content_type, image.extension) == (content_type, extension)
    assert (image.width, image.height) == (640, 480)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO", "AVIF"])
def test_first_of_several_images_in_a_file_is_used(kind: str) -> None:
    red, lime = (Image.new("RGB", (300, 200), name) for name in ("red", "lime"))
    data = encoded(red, kind, save_all=True, append_images=[lime, lime])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) > 1
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((255, 0, 0), abs=12)


@pytest.mark.parametrize("data", [b"", b"GIF", b"<svg/>", b"%PDF-1.7", b"\0" * 1000, b"text" * 99])
def test_bytes_of_another_format_are_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage):
        read_image(data, SIZES)


def test_message_for_unsupported_format_names_the_supported_ones() -> None:
    with pytest.raises(UnsupportedImage) as refusal:
        read_image(b"%PDF-1.7", SIZES)
    supported = "JPEG, PNG, GIF, WebP, BMP, TIFF, AVIF or HEIC"
    assert str(refusal.value) == f"Unsupported image format. Use {supported}."


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF"])
def test_truncated_image_is_undecodable(kind: str, share: float) -> None:
    whole = encoded(gradient(), kind)
    with pytest.raises(UndecodableImage):
        read_image(whole[: int(len(whole) * share)], SIZES)


def test_image_that_takes_too_long_to_decode_is_undecodable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_SECONDS", -1)
    with pytest.raises(UndecodableImage, match="too complex"):
        read_image(encoded(gradient(), "PNG"), SIZES)


# The process of the API, and its log as on Lambda: a pipe, which no limit on files applies to.
READ = """
import sys
from chalicelib.images import decoding
from chalicelib.images.sizes import Sizes
from chalicelib.errors import UndecodableImage
sizes = 640 if sys.argv[1] == "decode" else Sizes(300, 200, 640)
try:
    getattr(decoding, sys.argv[1])(sys.stdin.buffer.read(), sizes)
except UndecodableImage:
    pass  # Some decoders accept it.
"""


def log_of(function: str, data: bytes) -> bytes:
    """Return what a process writes to its log while a function of `decoding` reads an image."""
    run = subprocess.run(
        [sys.executable, "-c", READ, function],
        cwd=ROOT,
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    return run.stdout


@pytest.mark.parametrize("compression", [2, 3, 4])
def test_decoder_of_fax_writes_nothing_to_the_log(compression: int) -> None:
    tiff = fax_tiff(compression, 1000, 1000, 100_000)
    assert b"Fax" in log_of("decode", tiff)  # without a process of its own
    assert log_of("read_image", tiff) == b""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF"])
def test_decoder_of_broken_image_writes_nothing_to_the_log(kind: str) -> None:
    data = bytearray(encoded(gradient(), kind))
    for place in range(len(data) // 3, len(data), 97):
        data[place] ^= 0x55
    assert log_of("read_image", bytes(data)) == b""


def test_warning_of_pillow_does_not_reach_the_log() -> None:
    png = encoded(gradient(), "PNG")
    invalid = png[:33] + png_chunk(b"acTL", bytes(8)) + png[33:]
    with pytest.warns(UserWarning, match="Invalid APNG"):
        Image.open(io.BytesIO(invalid)).close()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read_image(invalid, SIZES).width == 640
    assert not caught


@pytest.mark.parametrize("compression", [2, 3])
def test_deadline_ends_a_decoder_that_does_not_return(
    compression: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Alone, these 11 MB take from 12 seconds to more than a minute, in one call of libtiff.
    tiff = fax_tiff(compression, 8, 10_000_000, 11_000_000)
    monkeypatch.setattr(limits, "MAX_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(UndecodableImage, match="too complex"):
        read_image(tiff, SIZES)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "HEIF"])
def test_format_whose_decoder_cannot_be_interrupted_is_decoded_in_its_own_process(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("decoded in the process of the API")

    monkeypatch.setattr(decoding, "decode", fail)
    assert read_image(encoded(gradient(), kind), SIZES).width == 640
