"""Pictures made for the tests: nothing here comes from anybody's camera."""

import io
import random
import struct
import zlib
from typing import Any

import pillow_heif  # type: ignore[import-untyped]
from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base

pillow_heif.register_heif_opener()


def gradient(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Return a picture that is brightest at its right, so that every turn of it can be told."""
    return Image.linear_gradient("L").rotate(90).resize((width, height)).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the picture as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(width: int = 640, height: int = 480, exif: Image.Exif | bytes = b"") -> bytes:
    """Return a JPEG."""
    return encoded(gradient(width, height), "JPEG", exif=exif)


def photo_like(width: int, height: int, seed: int = 1, quality: int = 85) -> bytes:
    """Return a JPEG with about the edges, the noise and the bytes of a camera's.

    Discs of all sizes that hide each other, the dead leaves of Lee, Mumford and Huang (2001), have
    the statistics of natural images.
    """
    chance = random.Random(seed)
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    least, most = 0.001 * width, 0.3 * width
    for _ in range(12_000):
        share = chance.random()  # the number of discs falls with the cube of their radius
        radius = (most**-2 + share * (least**-2 - most**-2)) ** -0.5
        x, y = chance.uniform(0, width), chance.uniform(0, height)
        colour = tuple(chance.randrange(256) for _ in range(3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
    noise = Image.effect_noise((width, height), 16).convert("RGB")
    return encoded(Image.blend(image, noise, 0.2), "JPEG", quality=quality)


def exif(
    root: dict[int, Any] | None = None,
    camera: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
) -> Image.Exif:
    """Return EXIF with the tags of each of its directories."""
    tags = Image.Exif()
    tags.update(root or {})
    tags.get_ifd(IFD.Exif).update(camera or {})
    tags.get_ifd(IFD.GPSInfo).update(gps or {})
    return tags


def full_exif() -> Image.Exif:
    """Return what a well-behaved camera writes."""
    return exif(
        {Base.Make: "SONY", Base.Model: "DSLR-A300", Base.Orientation: 1},
        {Base.DateTimeOriginal: "2019:05:06 07:08:09", Base.OffsetTimeOriginal: "+09:00"},
        {
            GPS.GPSLatitudeRef: "S",
            GPS.GPSLatitude: (33.0, 51.0, 30.0),
            GPS.GPSLongitudeRef: "W",
            GPS.GPSLongitude: (70.0, 30.0, 0.0),
        },
    )


def png_claiming(width: int, height: int) -> bytes:
    """Return a PNG whose header promises a size that its few bytes do not hold."""
    picture = bytearray(encoded(Image.new("RGB", (1, 1)), "PNG"))
    picture[16:24] = struct.pack(">II", width, height)
    picture[29:33] = struct.pack(">I", zlib.crc32(bytes(picture[12:29])))
    return bytes(picture)


def deep_tiff(kind: str, white: float, photometric: int = 1) -> bytes:
    """Return a grey TIFF, brightest at its right, of samples of the struct type `kind`."""
    width, height = 300, 200
    order, sample = kind[0], kind[1]
    columns = [white * column / (width - 1) for column in range(width)]
    if photometric == 0:
        columns.reverse()
    row = struct.pack(
        f"{order}{width}{sample}", *(x if sample == "f" else round(x) for x in columns)
    )
    tags = [
        (256, width),
        (257, height),
        (258, struct.calcsize(kind) * 8),
        (259, 1),
        (262, photometric),
        (273, 8),
        (277, 1),
        (278, height),
        (279, len(row) * height),
        (339, {"f": 3, "l": 2}.get(sample, 1)),
    ]
    pixels = row * height
    directory = b"".join(struct.pack(f"{order}HHLL", tag, 4, 1, value) for tag, value in tags)
    start = struct.pack(f"{order}HL", 42, 8 + len(pixels))
    count = struct.pack(f"{order}H", len(tags))
    return (b"II" if order == "<" else b"MM") + start + pixels + count + directory + bytes(4)


def deep_png(depth: int, colour: int) -> bytes:
    """Return a PNG, brightest at its right, of a depth and colour type that Pillow cannot write."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    width, height = 300, 200
    line = bytearray(b"\0")
    for column in range(width):
        value = struct.pack(">H", column * 65535 // (width - 1))[: depth // 8]
        opaque = b"\xff" * (depth // 8)
        line += value * channels if colour in (0, 2) else value * (channels - 1) + opaque
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(line) * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, data) for name, data in parts)


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
