"""ThumbHash: equal to the reference implementation's, and read as its decoder reads it."""

import base64
import io
import math
import time

import pytest
from PIL import Image, ImageChops, ImageStat

from chalicelib.images.thumbhash import encode, thumbhash
from tests.support.images import photo_like
from tests.support.thumbnails import read_here

# What npm's `thumbhash` 0.1.1 returns for `pattern`, by its size.
PUBLISHED = {
    (100, 75): "3wcCDYCAOkmDYJcUkSY22B961sv3",
    (7, 100): "4AcKCQh3c3d2cIZqcXF/93g=",
    (100, 1): "HBg6MYh3eHiIiAiI/oiWiAg=",
    (1, 1): "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA",
    (48, 32): "HwgCDYSAY0QiJGY4VBeURAxXo9yv",
    (60, 100): "H/gBDACKWWGFZAFptIly9mb3fw==",
    (100, 100): "3/cBDwC0S2xTYGeGczcQSUfH9oGoZt8H",
    (32, 18): "XRgGJIgwdMhDdIdgiWZViP+eeg==",
}


def pattern(x: int, y: int) -> tuple[int, int, int]:
    """Return a color that has something in every frequency."""
    return (x * 37 + y * 11) % 256, (x * x + y * 5) % 256, (x * 3 + y * y * 7) % 256


@pytest.mark.parametrize(("size", "expected"), PUBLISHED.items())
def test_hash_is_that_of_the_reference_implementation(size: tuple[int, int], expected: str) -> None:
    width, height = size
    rgb = bytes(part for y in range(height) for x in range(width) for part in pattern(x, y))
    assert base64.b64encode(encode(width, height, rgb)).decode() == expected


def wave(length: int, place: int, frequency: int) -> float:
    return math.cos(math.pi / length * (place + 0.5) * frequency)


def decoded(text: str) -> Image.Image:
    """Return the placeholder of an opaque image's hash, as the reference decodes it."""
    data = base64.b64decode(text)
    first, second = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    assert not first >> 23  # no alpha
    is_landscape, terms = second >> 15, second & 7
    across, down = (7, terms) if is_landscape else (terms, 7)
    width, height = (
        (32, round(32 * down / across)) if is_landscape else (round(32 * across / 7), 32)
    )
    nibbles = iter([half for byte in data[5:] for half in (byte & 15, byte >> 4)])

    def channel(mean: float, scale: float, nx: int, ny: int) -> list[float]:
        terms = [
            (cx, cy, 2 * scale * (next(nibbles) / 7.5 - 1))
            for cy in range(ny)
            for cx in range(0 if cy else 1, nx)
            if cx * ny < nx * (ny - cy)
        ]
        return [
            mean + sum(value * wave(width, x, cx) * wave(height, y, cy) for cx, cy, value in terms)
            for y in range(height)
            for x in range(width)
        ]

    light = channel((first & 63) / 63, (first >> 18 & 31) / 31, max(3, across), max(3, down))
    yellow = channel((first >> 6 & 63) / 31.5 - 1, (second >> 3 & 63) / 63 * 1.25, 3, 3)
    red = channel((first >> 12 & 63) / 31.5 - 1, (second >> 9 & 63) / 63 * 1.25, 3, 3)
    pixels: list[int] = []
    for one, yellowness, redness in zip(light, yellow, red, strict=True):
        blue = one - 2 / 3 * yellowness
        parts = (3 * one - blue + redness) / 2, (3 * one - blue - redness) / 2, blue
        pixels.extend(round(255 * min(1.0, max(0.0, part))) for part in parts)
    return Image.frombytes("RGB", (width, height), bytes(pixels))


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (300, 300), (300, 40)])
def test_placeholder_looks_like_the_image(size: tuple[int, int]) -> None:
    image = Image.new("RGB", (2, 1), "navy")
    image.putpixel((0, 0), (255, 165, 0))
    image = image.resize(size, Image.Resampling.BICUBIC)
    shown = decoded(thumbhash(image))
    assert shown.width / shown.height == pytest.approx(size[0] / size[1], rel=0.15, abs=0.4)
    small = image.resize(shown.size, Image.Resampling.BOX)
    assert max(ImageStat.Stat(ImageChops.difference(shown, small)).mean) < 40
    left, right = shown.getpixel((3, 3)), shown.getpixel((shown.width - 4, 3))
    assert left == pytest.approx((255, 165, 0), abs=80)
    assert right == pytest.approx((0, 0, 128), abs=80)


@pytest.mark.parametrize("color", ["white", "black", "gray", "red", "teal"])
def test_placeholder_of_one_color_has_this_color(color: str) -> None:
    image = Image.new("RGB", (30, 20), color)
    shown = decoded(thumbhash(image))
    assert shown.getpixel((9, 9)) == pytest.approx(image.getpixel((9, 9)), abs=8)


def test_hash_of_a_photo_is_that_of_its_thumbnail() -> None:
    image = read_here(photo_like(1200, 800))
    with Image.open(io.BytesIO(image.thumbnail)) as thumbnail:
        ours = decoded(image.thumbhash)
        small = thumbnail.resize(ours.size, Image.Resampling.BOX)
    assert max(ImageStat.Stat(ImageChops.difference(ours, small)).mean) < 40


def test_hash_takes_at_most_3_milliseconds() -> None:
    image = Image.open(io.BytesIO(photo_like(600, 400)))
    image.load()
    times = []
    for _ in range(9):
        began = time.process_time()
        thumbhash(image)
        times.append(time.process_time() - began)
    assert min(times) < 0.003
