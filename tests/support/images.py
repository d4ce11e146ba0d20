"""Images generated for the tests; none comes from a camera."""

import random
import struct
import zlib
from typing import Any

import pillow_heif  # type: ignore[import-untyped]
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from bench.images import encoded as encoded
from bench.images import photo_like as photo_like

pillow_heif.register_heif_opener()


def gradient(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Return an image whose right side is the brightest, so that every rotation is visible."""
    return Image.linear_gradient("L").rotate(90).resize((width, height)).convert(mode)


def jpeg(width: int = 640, height: int = 480, exif: Image.Exif | bytes = b"") -> bytes:
    """Return a JPEG."""
    return encoded(gradient(width, height), "JPEG", exif=exif)


def exif(
    root: dict[int, Any] | None = None,
    camera: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
) -> Image.Exif:
    """Return EXIF with the given tags in each of its directories."""
    tags = Image.Exif()
    tags.update(root or {})
    tags.get_ifd(IFD.Exif).update(camera or {})
    tags.get_ifd(IFD.GPSInfo).update(gps or {})
    return tags


def full_exif() -> Image.Exif:
    """Return EXIF as a camera that records everything writes it."""
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
    """Return a PNG whose header has another size than its data."""
    image = bytearray(encoded(Image.new("RGB", (1, 1)), "PNG"))
    image[16:24] = struct.pack(">II", width, height)
    image[29:33] = struct.pack(">I", zlib.crc32(bytes(image[12:29])))
    return bytes(image)


def deep_tiff(kind: str, white: float, photometric: int = 1) -> bytes:
    """Return a gray TIFF, brightest at the right, with samples of the struct type `kind`."""
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


def fax_tiff(compression: int, width: int, height: int, size: int) -> bytes:
    """Return a TIFF of one strip with `size` random bytes for a fax decoder (2, 3 or 4)."""
    tags = [
        (256, width),
        (257, height),
        (258, 1),
        (259, compression),
        (262, 0),
        (273, 8),
        (277, 1),
        (278, height),
        (279, size),
    ]
    directory = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    start = struct.pack("<2sHL", b"II", 42, 8 + size)
    return start + random.Random(1).randbytes(size) + struct.pack("<H", 9) + directory + bytes(4)


def deep_png(depth: int, color: int) -> bytes:
    """Return a PNG, brightest at the right, in a depth and color type that Pillow cannot write."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[color]
    width, height = 300, 200
    line = bytearray(b"\0")
    for column in range(width):
        value = struct.pack(">H", column * 65535 // (width - 1))[: depth // 8]
        opaque = b"\xff" * (depth // 8)
        line += value * channels if color in (0, 2) else value * (channels - 1) + opaque
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(line) * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, data) for name, data in parts)


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_app1(jpeg: bytes, exif: bytes, keep_jfif: bool = False) -> bytes:
    """Return a JPEG with EXIF in front, and without the density of its JFIF segment."""
    start = 2 if keep_jfif else 2 + 2 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:2] + segment(0xE1, b"Exif\0\0" + exif) + jpeg[start:]


def segment(marker: int, content: bytes) -> bytes:
    """Return one segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def big_tiff(offset: int, order: str = "<") -> bytes:
    """Return the header of a BigTIFF whose directory is at `offset`."""
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(f"{order}HHHQ", 43, 8, 0, offset)


def with_chunk(png: bytes, chunk: bytes, last: bool = False) -> bytes:
    """Return a PNG with one more chunk, before its pixels or at the end."""
    place = png.index(b"IEND" if last else b"IDAT") - 4
    return png[:place] + chunk + png[place:]


def png_of(
    rows: list[bytes], width: int, depth: int, color: int, *chunks: tuple[bytes, bytes]
) -> bytes:
    """Return a PNG of packed rows, for depths that Pillow cannot write."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, color, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = ((b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, content) for name, content in parts)


def bmp_of(depth: int, compression: int, pixels: bytes, header: int = 124, **masks: int) -> bytes:
    """Return a BMP of 8 by 8 pixels with a header of `header` bytes."""
    info = struct.pack("<LllHHLLllLL", header, 8, 8, 1, depth, compression, len(pixels), *[0] * 4)
    named = [masks.get(name, 0) for name in ("red", "green", "blue", "alpha")]
    info = (info + struct.pack("<4L", *named) + bytes(header))[: max(header, 4)]
    return (
        b"BM" + struct.pack("<LLL", 14 + len(info) + len(pixels), 0, 14 + len(info)) + info + pixels
    )


def gray_profile(gamma: float) -> bytes:
    """Return an ICC profile of gray values with a gamma (ICC.1:2001-04)."""
    contents = {
        b"desc": b"desc" + struct.pack(">LL", 0, 5) + b"gray\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + struct.pack(">Llll", 0, 63190, 65536, 54061),
        b"kTRC": b"curv" + struct.pack(">LLH", 0, 1, round(gamma * 256)),
    }
    table, body = struct.pack(">L", len(contents)), b""
    start = 128 + 4 + 12 * len(contents)
    for name, content in contents.items():
        table += struct.pack(">4sLL", name, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">L4sL4s4s4s12s4s",
        start + len(body),
        b"",
        0x02100000,
        b"mntr",
        b"GRAY",
        b"XYZ ",
        bytes(12),
        b"acsp",
    )
    head += bytes(28) + struct.pack(">lll", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body
