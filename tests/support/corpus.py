"""Generate broken images, the same ones in every run, and try to read them.

`python -W ignore -m tests.support.corpus KIND` tries all variants of a kind, such as "PNG P";
`python -W ignore -m tests.support.corpus KIND NUMBER` tries a single one.
"""

import faulthandler
import functools
import io
import random
import re
import struct
import sys
from collections.abc import Callable
from typing import Any

from PIL import Image

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images.decoding import DecodedImage, read_image
from chalicelib.images.sizes import Sizes
from tests.support.images import encoded, full_exif, gradient, png_chunk
from tests.support.thumbnails import read_here

SIZES = Sizes(30, 20, 60)
VARIANTS = 400
HEIF_VARIANTS = 16  # Each is decoded in a process of its own.
PROCESS_VARIANTS = 8  # One for each way to break an image of the other formats.
MAX_SECONDS = 20


@functools.cache
def whole(kind: str) -> bytes:
    """Return a small valid file, with EXIF and several images where the kind has them."""
    format_, _, mode = kind.partition(" ")
    image = gradient(96, 64, "CMYK" if mode == "CMYK" else "RGBA" if mode == "RGBA" else "RGB")
    several = {"save_all": True, "append_images": [image.rotate(180)]}
    by_kind: dict[str, dict[str, Any]] = {
        "JPEG progressive": {"progressive": True},
        "PNG P": {"bits": 4},
        "TIFF lzw": {"compression": "tiff_lzw"},
        "TIFF jpeg": {"compression": "jpeg"},
        "TIFF g4": {"compression": "group4"},
        "PNG APNG": several,
        "GIF": several,
        "WEBP": several,
        "MPO": several,
        "TIFF": several,
        "AVIF": {"speed": 10},
        "HEIF several": several,
    }
    options = by_kind.get(kind, {})
    if mode == "P":
        image = image.quantize(16)
    if mode == "g4":
        image = image.convert("1")
    if format_ not in ("BMP", "GIF") and "compression" not in options:
        options = options | {"exif": full_exif().tobytes()}
    return encoded(image, format_, **options)


KINDS = [
    *("JPEG", "JPEG progressive", "JPEG CMYK", "MPO", "PNG RGBA", "PNG P", "PNG APNG", "GIF"),
    *("WEBP", "WEBP RGBA", "BMP", "BMP P", "TIFF", "TIFF lzw", "TIFF jpeg", "TIFF g4", "TIFF CMYK"),
    *("AVIF", "HEIF", "HEIF several"),
]


def truncate(data: bytes, chance: random.Random) -> bytes:
    """Return only the beginning."""
    return data[: chance.randrange(len(data))]


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    """Flip 1 to 64 bits."""
    broken = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        broken[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def change_numbers(data: bytes, chance: random.Random) -> bytes:
    """Write extreme numbers where a header has its sizes, counts and offsets."""
    broken = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(min(len(data) - 4, 400))
        number = chance.choice((0, 1, 3, 255, 4000, 20_000, 32_767, 65_535))
        short = struct.pack(chance.choice("<>") + "H", number)
        long = struct.pack(
            chance.choice("<>") + "L", chance.choice((number, 2**31 - 1, 2**32 - 1, 2**20))
        )
        value = chance.choice((short, long))
        broken[place : place + len(value)] = value
    return bytes(broken)


def repeat_part(data: bytes, chance: random.Random) -> bytes:
    """Repeat a part many times, or remove it."""
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:start] + data[start:end] * chance.choice((0, 2, 50)) + data[end:]


def mix_chunks(data: bytes, chance: random.Random) -> bytes:
    """Remove, repeat and exchange parts that look like chunks or segments."""
    parts = re.split(rb"(?=....[A-Za-z]{4})|(?=\xff[\xc0-\xfe])", data, flags=re.DOTALL)
    for _ in range(chance.choice((1, 2, 3))):
        one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        parts[one : one + 1] = [parts[other]] * chance.choice((0, 1, 2))
        parts = parts or [b""]
    return b"".join(parts)


def splice(data: bytes, chance: random.Random) -> bytes:
    """Append the end of a file of another format to the beginning."""
    other = whole(chance.choice(("JPEG", "PNG RGBA", "GIF", "TIFF lzw", "WEBP")))
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def corrupt_exif(data: bytes, chance: random.Random) -> bytes:
    """Write random bytes into the EXIF or the first tags."""
    start = max(data.find(b"MM\0*"), data.find(b"II*\0"), 0)
    broken = bytearray(data)
    for _ in range(chance.choice((1, 4, 40))):
        broken[min(len(data) - 1, start + chance.randrange(300))] = chance.randrange(256)
    return bytes(broken)


BREAKS: list[Callable[[bytes, random.Random], bytes]] = [
    *(truncate, flip_bits, change_numbers, change_numbers, repeat_part, mix_chunks, splice),
    corrupt_exif,
]


def with_valid_checksums(png: bytes) -> bytes:
    """Return a PNG whose chunks have valid checksums, since readers ignore those without."""
    valid, place = png[:8], 8
    while place + 12 <= len(png):
        size = int.from_bytes(png[place : place + 4], "big")
        valid += png_chunk(png[place + 4 : place + 8], png[place + 8 : place + 8 + size])
        place += 12 + size
    return valid


def variant(kind: str, number: int) -> bytes:
    """Return one broken image."""
    chance = random.Random(f"{kind} {number}")
    broken = BREAKS[number % len(BREAKS)](whole(kind), chance)
    return with_valid_checksums(broken) if kind.startswith("PNG") and number % 3 else broken


def variants(kind: str) -> int:
    """Return how many variants of a kind are tried."""
    return HEIF_VARIANTS if kind.startswith("HEIF") else VARIANTS


def outcome(data: bytes, read: Callable[..., DecodedImage] = read_image) -> str:
    """Return the type of what `read` returns or raises. Any other error is a defect."""
    try:
        image = read(data, SIZES)
    except (UnsupportedImage, UndecodableImage) as error:
        return type(error).__name__
    boxes = {image.preview: (60, 60), image.thumbnail: (30, 20)}
    for jpeg, (width, height) in boxes.items():
        with Image.open(io.BytesIO(jpeg)) as rendition:
            rendition.load()
            assert rendition.format == "JPEG"
            assert 0 < rendition.width <= width
            assert 0 < rendition.height <= height
    assert image.width > 0
    assert image.height > 0
    return "DecodedImage"


def main(kind: str, first: int, last: int) -> None:
    """Try variants, printing the number of each before it is read and its outcome afterwards."""
    for number in range(first, last):
        print(f"{kind!r} {number}", end=" ", flush=True)
        faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
        # A process for each of thousands of images would take minutes.
        few = number < PROCESS_VARIANTS or kind.startswith("HEIF")
        print(outcome(variant(kind, number), read_image if few else read_here), flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    name, *only = sys.argv[1:]
    main(name, int(only[0]) if only else 0, int(only[0]) + 1 if only else variants(name))
