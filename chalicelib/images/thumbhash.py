"""ThumbHash: a blurred placeholder of an image in about 25 bytes.

The format is Evan Wallace's (https://github.com/evanw/thumbhash): a discrete cosine transform of
luminance and of two color differences, of which only the lowest frequencies are kept.
"""

import base64
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import add, mul, sub
from typing import NamedTuple

from PIL import Image

# More pixels would hardly change what so few frequencies say, and plain Python is slow.
_MAX_SIDE = 32
_LUMINANCE_TERMS = 7  # on the longer side
_COLOR_TERMS = 3


class _Channel(NamedTuple):
    """A transformed channel: its mean, the largest other term, and the terms relative to that."""

    mean: float
    scale: float
    terms: list[float]  # from 0 to 1


def thumbhash(image: Image.Image) -> str:
    """Return the hash of an opaque RGB image in base64."""
    small = image.resize(_fitted(image.size), Image.Resampling.BOX, reducing_gap=2.0)
    return base64.b64encode(encode(*small.size, small.tobytes())).decode()


def encode(width: int, height: int, rgb: bytes) -> bytes:
    """Return the hash of `rgb`, the pixels row by row, three bytes each."""
    longest = max(width, height)
    terms_x = max(1, _rounded(_LUMINANCE_TERMS * width / longest))
    terms_y = max(1, _rounded(_LUMINANCE_TERMS * height / longest))
    reds, greens, blues = rgb[0::3], rgb[1::3], rgb[2::3]
    warm = list(map(add, reds, greens))
    size = width, height
    light = _transformed(
        list(map(add, warm, blues)), size, max(3, terms_x), max(3, terms_y), 3 * 255
    )
    twice_blue = map(add, blues, blues)
    yellow = _transformed(
        list(map(sub, warm, twice_blue)), size, _COLOR_TERMS, _COLOR_TERMS, 2 * 255
    )
    red = _transformed(list(map(sub, reds, greens)), size, _COLOR_TERMS, _COLOR_TERMS, 255)
    is_landscape = width > height
    first = (
        _rounded(63 * light.mean)
        | _rounded(31.5 + 31.5 * yellow.mean) << 6
        | _rounded(31.5 + 31.5 * red.mean) << 12
        | _rounded(31 * light.scale) << 18
    )
    second = (
        (terms_y if is_landscape else terms_x)
        | _rounded(63 * yellow.scale) << 3
        | _rounded(63 * red.scale) << 9
        | is_landscape << 15
    )
    nibbles = [_rounded(15 * term) for term in (*light.terms, *yellow.terms, *red.terms)]
    if len(nibbles) % 2:
        nibbles.append(0)
    pairs = (low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return first.to_bytes(3, "little") + second.to_bytes(2, "little") + bytes(pairs)


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    longest = max(*size, _MAX_SIDE)
    width, height = (max(1, _rounded(side * _MAX_SIDE / longest)) for side in size)
    return width, height


def _transformed(
    values: Sequence[int], size: tuple[int, int], terms_x: int, terms_y: int, highest: int
) -> _Channel:
    """Return the lowest frequencies of a channel, row by row, whose values divide by `highest`."""
    width, height = size
    cosines_x, cosines_y = _cosines(width, terms_x), _cosines(height, terms_y)
    rows = [values[start : start + width] for start in range(0, width * height, width)]
    columns = [[sum(map(mul, row, cosine)) for row in rows] for cosine in cosines_x]
    whole = width * height * highest
    found = [
        sum(map(mul, columns[x], cosines_y[y])) / whole for x, y in _frequencies(terms_x, terms_y)
    ]
    scale = max(map(abs, found[1:]))
    terms = [0.5 + 0.5 / scale * term for term in found[1:]] if scale else [0.0] * len(found[1:])
    return _Channel(found[0], scale, terms)


def _frequencies(terms_x: int, terms_y: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of frequencies that are kept: those in the triangle of the lowest ones."""
    for y in range(terms_y):
        for x in range(terms_x):
            if x * terms_y < terms_x * (terms_y - y):
                yield x, y


@lru_cache(maxsize=256)
def _cosines(length: int, terms: int) -> list[list[float]]:
    return [
        [math.cos(math.pi / length * term * (place + 0.5)) for place in range(length)]
        for term in range(terms)
    ]


def _rounded(value: float) -> int:
    """Return the nearest integer, as JavaScript's `Math.round`: halves are rounded up."""
    return math.floor(value + 0.5)
