"""Formats, and bytes that are no image or a broken one."""

import io
from typing import Any

import pytest
from PIL import Image

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import decoding
from chalicelib.images.decoding import read_image
from tests.support.images import encoded, gradient
from tests.support.thumbnails import BOX, thumbnail_of

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
    image = read_image(data, BOX)
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
        read_image(data, BOX)


def test_message_for_unsupported_format_names_the_supported_ones() -> None:
    with pytest.raises(UnsupportedImage) as refusal:
        read_image(b"%PDF-1.7", BOX)
    supported = "JPEG, PNG, GIF, WebP, BMP, TIFF, AVIF or HEIC"
    assert str(refusal.value) == f"Unsupported image format. Use {supported}."


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF"])
def test_truncated_image_is_undecodable(kind: str, share: float) -> None:
    whole = encoded(gradient(), kind)
    with pytest.raises(UndecodableImage):
        read_image(whole[: int(len(whole) * share)], BOX)


def test_image_that_takes_too_long_to_decode_is_undecodable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "_MAX_SECONDS", -1)
    with pytest.raises(UndecodableImage, match="too complex"):
        read_image(encoded(gradient(), "PNG"), BOX)
