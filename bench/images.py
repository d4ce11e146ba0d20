"""Generated images for the benchmarks, and a measure of how much two images differ."""

import io
import math
import random
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageStat


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the image as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo_like(width: int, height: int, seed: int = 1, quality: int = 85) -> bytes:
    """Return a JPEG with about the edges, the noise and the file size of a camera's.

    It shows overlapping discs of all sizes, the dead leaves model of Lee, Mumford and Huang (2001),
    which has the statistics of natural images.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret; the same image every time)
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    smallest, largest = 0.001 * width, 0.3 * width
    for _ in range(12_000):
        share = chance.random()  # The number of discs falls with the cube of their radius.
        radius = (largest**-2 + share * (smallest**-2 - largest**-2)) ** -0.5
        x, y = chance.uniform(0, width), chance.uniform(0, height)
        color = tuple(chance.randrange(256) for _ in range(3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), color)
    noise = Image.effect_noise((width, height), 16).convert("RGB")
    return encoded(Image.blend(image, noise, 0.2), "JPEG", quality=quality)


def signal_to_noise(image: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio of two images, in dB (ITU-T J.340)."""
    squares = sum(ImageStat.Stat(ImageChops.difference(image, other)).sum2)
    return 10 * math.log10(255**2 * image.width * image.height * 3 / squares)
