"""Pictures: which format the bytes are, how large, and a small upright copy.

The format is decided by the bytes alone, never by a name or a content type that came with them.
"""

import contextlib
import io
import os
import pickle
import re
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.ExifTags import IFD

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.exif import Exif, read_exif, read_orientation

# Pillow's guard against decompression bombs knows one number of pixels for all formats; ours is
# `_refuse_too_big`, which counts what Pillow would really keep of each.
Image.MAX_IMAGE_PIXELS = None

_JPEG_PIXELS = 179_000_000
_DECODED_BYTES = 512 * 1024 * 1024
_DECODED_AND_FILE_BYTES = 560 * 1024 * 1024
_PROCESS_BYTES = 690_000_000
_SECONDS = 10
_SECONDS_APART = 18
_MOST_SEGMENTS = 20_000
_SCANNED_PIXELS = 6_000_000_000
_MOST_TAG_NUMBERS = 500_000  # Pillow makes an object of each; a byte is none
_PROFILE_BYTES = 4 * 1024 * 1024
_STRIP_BYTES = 16 * 1024 * 1024
_THUMBNAIL_QUALITY = 85

# content type, file extension and the name people know, by Pillow's name of the format
_FORMATS = {
    "JPEG": ("image/jpeg", "jpg", "JPEG"),
    "MPO": ("image/jpeg", "jpg", "JPEG"),  # with more pictures behind it, as many cameras write
    "PNG": ("image/png", "png", "PNG"),
    "GIF": ("image/gif", "gif", "GIF"),
    "WEBP": ("image/webp", "webp", "WebP"),
    "BMP": ("image/bmp", "bmp", "BMP"),
    "TIFF": ("image/tiff", "tiff", "TIFF"),
    "AVIF": ("image/avif", "avif", "AVIF"),  # before HEIF: both claim the brand mif1
    "HEIF": ("image/heic", "heic", "HEIC"),
}
_NAMES = list(dict.fromkeys(name for _, _, name in _FORMATS.values()))
_SCALED_DECODE = {"JPEG", "MPO"}
_OPENERS = [name for name in _FORMATS if name != "MPO"]  # Pillow opens those as JPEG

# The brands of ISO 23008-12. The last two may hold AVIF, which is decoded apart then, too.
_HEIF_BRANDS = ("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1")
_HEIF_STARTS = {f"ftyp{brand}".encode() for brand in _HEIF_BRANDS}

# What Pillow keeps for a pixel; every mode that is not here takes 4 bytes.
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}

# These decoders keep several copies of the whole picture; `make bench-memory` measures it.
_BYTES_PER_PIXEL_OF_DECODER = {"WEBP": 16, "AVIF": 14, "HEIF": 10}
_BYTES_PER_PIXEL_OF_DEEP_HEIF = 16  # more than 8 bits, and not 4:2:0
_BYTES_PER_PIXEL_OF_HEIF_ALPHA = 6
_BYTES_PER_PIXEL_OF_RLE = 8  # Pillow unpacks these BMPs in Python

# TIFF 6.0
_TIFF_WIDTH, _TIFF_HEIGHT, _BITS_PER_SAMPLE, _PHOTOMETRIC = 256, 257, 258, 262
_SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 322, 323
_WHITE_IS_ZERO = 0
_BYTES_OF_TAG_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_BYTES_OF_TAG_TYPE |= {13: 4, 16: 8}  # a directory, and BigTIFF's long
_BYTES_AS_THEY_ARE = {1, 2, 7}

# A marker of ITU-T T.81 that is neither data of a scan (FF00, FFD0 to FFD7) nor padding (FFFF).
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

_SOFT_LIMIT, _HARD_LIMIT = resource.getrlimit(resource.RLIMIT_DATA)

# What turns a picture upright, by its EXIF orientation (Exif 2.32, tag 274).
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}


@dataclass(frozen=True)
class Picture:
    """What the bytes of one picture turned out to be."""

    content_type: str
    extension: str
    width: int  # pixels, upright
    height: int
    exif: Exif
    thumbnail: bytes  # an upright RGB JPEG without metadata


_BROKEN = "The picture is broken or cut off."
_TOO_LONG = "The picture takes too long to decode."
_UNREADABLE = "The picture is broken, or has too many pixels to be opened."
_TOO_BIG = (
    "The picture has too many pixels: JPEG may have 179 million, and no picture may take more than "
    "512 MB when decoded."
)


class _Source(io.BytesIO):
    """The bytes of a picture, to be read by Pillow only until its time is up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._deadline = time.monotonic() + _SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        # Every loop that a file can make endless, over chunks, segments or runs, passes here.
        if time.monotonic() > self._deadline:
            raise UndecodableImage(_TOO_LONG)
        return super().read(size)


def read_picture(data: bytes, box: tuple[int, int]) -> Picture:
    """Decode `data` and make a thumbnail that fits `box`, (width, height) in pixels.

    Raises UnsupportedImage or UndecodableImage, as `decode`.
    """
    return _decode_apart(data, box) if data[4:12] in _HEIF_STARTS else decode(data, box)


def _decode_apart(data: bytes, box: tuple[int, int]) -> Picture:
    """Do as `decode` in a process that may crash, and that holds no credentials."""
    folder = str(Path(__file__).resolve().parents[1])
    environment = {"PYTHONPATH": os.pathsep.join([folder, *filter(None, sys.path)])}
    if "LD_LIBRARY_PATH" in os.environ:  # where Lambda has Python itself
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    try:
        run = subprocess.run(  # noqa: S603 (nothing of the command comes from a request)
            [sys.executable, "-P", "-S", "-m", "chalicelib.heif", *map(str, box)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libde265 tells everybody of every error
            env=environment,
            timeout=_SECONDS_APART,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise UndecodableImage(_TOO_LONG) from error
    except subprocess.CalledProcessError as error:
        if error.returncode > 0:
            raise  # a bug of ours; a signal is the file's doing
        raise UndecodableImage(_BROKEN) from error
    answer = pickle.loads(run.stdout)  # noqa: S301 (it comes from our own process)
    if isinstance(answer, Picture):
        return answer
    raise answer


def decode(data: bytes, box: tuple[int, int]) -> Picture:
    """Decode `data` in this process.

    Raises UnsupportedImage for bytes of no known format, UndecodableImage for a picture that is
    broken or would not fit in memory. Of several pictures in a file, the first one counts, or the
    one that the file calls its primary.
    """
    with _bounded_memory():
        if not _tags_are_modest(data):
            raise UndecodableImage("The picture is broken: its tags overlap or are too many.")
        try:
            image = Image.open(_Source(data), formats=_openers())
        except UnidentifiedImageError:
            raise _unsupported_or_broken(data) from None
        except Exception as error:  # Pillow raises whatever hostile bytes provoke
            raise _undecodable(error, _UNREADABLE) from error
        with image:
            content_type, extension, _ = _FORMATS[str(image.format)]
            try:
                _refuse_too_much(image, data)
                if not _tags_are_modest(image.info.get("exif") or b""):
                    del image.info["exif"]
                exif = read_exif(image)
                width, height, thumbnail = _upright_thumbnail(image, box)
            except Exception as error:  # as above
                raise _undecodable(error, _BROKEN) from error
    return Picture(content_type, extension, width, height, exif, thumbnail)


@contextlib.contextmanager
def _bounded_memory() -> Iterator[None]:
    """Let a header that lies about its picture run into a MemoryError, not the process out of it.

    Linux alone can do that, by the memory a process has asked for (RLIMIT_DATA).
    """
    try:
        pages = [int(count) for count in Path("/proc/self/statm").read_text().split()]
    except OSError:
        yield
        return
    resident, asked_for = (pages[field] * resource.getpagesize() for field in (1, 5))
    most = asked_for + max(0, _PROCESS_BYTES - resident)
    resource.setrlimit(resource.RLIMIT_DATA, (most, _HARD_LIMIT))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (_SOFT_LIMIT, _HARD_LIMIT))


def _openers() -> list[str]:
    Image.init()
    return [name for name in _OPENERS if name in Image.OPEN]  # HEIF is not, but in its process


def _unsupported_or_broken(data: bytes) -> UnsupportedImage | UndecodableImage:
    """Return why Pillow could not open the bytes: another format, or one of ours cut very short."""
    start = data[:32]
    if any(accept and accept(start) for accept in (Image.OPEN[name][1] for name in _openers())):
        return UndecodableImage(_BROKEN)
    known = f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}"
    return UnsupportedImage(f"This is not a picture the album knows. Send {known}.")


def _undecodable(error: Exception, otherwise: str) -> UndecodableImage:
    if isinstance(error, UndecodableImage):
        return error
    return UndecodableImage(_TOO_BIG if isinstance(error, MemoryError) else otherwise)


def _refuse_too_much(image: Image.Image, data: bytes) -> None:
    """Raise UndecodableImage, judging by the header, if decoding would take too much."""
    if image.format in _SCALED_DECODE:
        scans, kept = _jpeg_scans(data), 0.0
        if image.info.get("progressive") or scans.first_samples < len(_layers(image)):
            kept = _coefficient_bytes(image)
            if scans.count * image.width * image.height > _SCANNED_PIXELS:
                raise UndecodableImage(_TOO_LONG)
        too_big = image.width * image.height > _JPEG_PIXELS
    else:
        kept, too_big = _decoded_bytes(image), False
    too_big = too_big or kept > _DECODED_BYTES or kept + len(data) > _DECODED_AND_FILE_BYTES
    if too_big:
        raise UndecodableImage(_TOO_BIG)


def _decoded_bytes(image: Image.Image) -> float:
    """Return what the decoder and Pillow keep of a picture."""
    pixels = image.width * image.height
    kept = _BYTES_PER_PIXEL.get(image.mode, 4)
    if image.format == "TIFF":
        return _tiff_bytes(image, kept)
    if image.format == "HEIF":
        kept = _BYTES_PER_PIXEL_OF_DECODER["HEIF"]
        if image.info["bit_depth"] > 8 and image.info.get("chroma", 444) != 420:
            kept = _BYTES_PER_PIXEL_OF_DEEP_HEIF
        if image.mode in ("LA", "RGBA"):
            kept += _BYTES_PER_PIXEL_OF_HEIF_ALPHA
    elif image.format == "BMP" and image.info.get("compression") in (1, 2):
        # One escape of a run may leave out 255 rows at once, also below the last.
        pixels, kept = pixels + 255 * image.width, _BYTES_PER_PIXEL_OF_RLE
    else:
        kept = _BYTES_PER_PIXEL_OF_DECODER.get(str(image.format), kept)
    return pixels * kept


def _tiff_bytes(image: Image.Image, kept: int) -> float:
    """Return what a TIFF keeps: libtiff also needs room for a whole tile or strip of it."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    width, height = tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT]
    across, down = tags.get(_TILE_WIDTH), tags.get(_TILE_HEIGHT)
    if not across or not down:
        across, down = width, min(height, tags.get(_ROWS_PER_STRIP, height))
    if min(width, height, across, down) < 1:
        raise UndecodableImage(_BROKEN)
    # The tiles at the right and the bottom are decoded whole, however little of them is shown.
    padded = -(-width // across) * across * -(-height // down) * down
    samples = tags.get(_SAMPLES_PER_PIXEL, 1) * max(tags.get(_BITS_PER_SAMPLE, (8,))) / 8
    if read_orientation(image) != 1:
        kept *= 2  # Pillow turns it in a copy
    return float(padded * kept + across * down * max(4, samples))


def _tags_are_modest(tiff: bytes) -> bool:
    """Return whether the values of a TIFF's or of EXIF's tags are few, and no byte is in many.

    Pillow reads them all at once: some kilobytes that every tag points to would become gigabytes.
    """
    tiff = tiff.removeprefix(b"Exif\0\0")
    if tiff[:2] not in (b"II", b"MM"):
        return True
    order = "<" if tiff[:2] == b"II" else ">"
    big = 43 in tiff[2:4]  # BigTIFF has 64 bits where TIFF has 32
    word, half, first = ("Q", "Q", 8) if big else ("L", "H", 4)
    entry = struct.Struct(f"{order}HH{word}{word}")
    total = numbers = 0
    try:
        directories = list(struct.unpack_from(f"{order}{word}", tiff, first))
        for start in directories:
            (entries,) = struct.unpack_from(f"{order}{half}", tiff, start)
            if entries > 0xFFFF:
                return False  # more than there are tags
            start += struct.calcsize(f"{order}{half}")
            for place in range(start, start + entries * entry.size, entry.size):
                tag, kind, count, value = entry.unpack_from(tiff, place)
                size = count * _BYTES_OF_TAG_TYPE.get(kind, 0)
                if value + size > len(tiff):
                    continue  # cut off, or the value itself
                total += size
                numbers += 0 if kind in _BYTES_AS_THEY_ARE else count
                if total > 2 * len(tiff) or numbers > _MOST_TAG_NUMBERS:
                    return False
                if tag in (IFD.Exif, IFD.GPSInfo) and len(directories) < 3:
                    directories.append(value)
    except struct.error:
        pass  # It ends here, for Pillow, too.
    return True


def _layers(image: Image.Image) -> list[tuple[int, int, int, int]]:
    layers: list[tuple[int, int, int, int]] = image.layer  # type: ignore[attr-defined]
    return layers


@dataclass(frozen=True)
class _Scans:
    count: int  # how often the whole picture is gone over
    first_samples: int  # colour components in the first of them; libjpeg keeps all if not each


def _jpeg_scans(data: bytes) -> _Scans:
    """Count the scans of a JPEG, as libjpeg would meet them, up to a number no camera writes."""
    count = first_samples = position = 0
    for _ in range(_MOST_SEGMENTS):
        marker = _JPEG_MARKER.search(data, position)
        if not marker or marker[0] == b"\xff\xd9":
            break
        position = marker.end()
        if marker[0] in (b"\xff\xd8", b"\xff\x01"):
            continue  # these two have no length
        if marker[0] == b"\xff\xda":
            count += 1
            first_samples = first_samples or int.from_bytes(data[position + 2 : position + 3])
        position += max(2, int.from_bytes(data[position : position + 2]))
    else:
        raise UndecodableImage("The picture has more parts than can be decoded in time.")
    return _Scans(count, first_samples)


def _coefficient_bytes(image: Image.Image) -> float:
    """Return what a progressive JPEG keeps until its last scan: two bytes a sample, unscaled."""
    samplings = [(across, down) for _, across, down, _ in _layers(image)]
    most = max(across * down for across, down in samplings)
    samples = sum(across * down for across, down in samplings) / most
    return float(2 * samples * image.width * image.height)


def _upright_thumbnail(image: Image.Image, box: tuple[int, int]) -> tuple[int, int, bytes]:
    profile = image.info.get("icc_profile")
    if image.format not in _SCALED_DECODE:
        # Loading may turn the picture by itself (TIFF does), so ask for the orientation afterwards.
        image.load()
        # Of several pictures pillow-heif keeps the file, and decodes it anew at every use.
        image._heif_file = None  # type: ignore[attr-defined]
    # The turns of HEIF are its own, and done: what its EXIF says is void (ISO 23008-12).
    orientation = 1 if image.format == "HEIF" else read_orientation(image)
    width, height = image.size
    if orientation in _SIDEWAYS:
        width, height = height, width
        box = box[1], box[0]
    if image.format not in _SCALED_DECODE:
        image = _reduced(image, box)
    # JPEG is decoded at a reduced scale here, which is most of the speed: convert nothing before.
    image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=1.5)
    small = _srgb_on_white(image, profile)
    if orientation in _TURN:
        small = small.transpose(_TURN[orientation])
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_THUMBNAIL_QUALITY, optimize=True)
    return width, height, out.getvalue()


def _reduced(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return the picture in a mode that can be resized smoothly, still at least four times the box.

    It goes strip by strip, since a converted copy of the whole could take four times its memory.
    """
    factor = max(1, min(image.width // (4 * box[0]), image.height // (4 * box[1])))
    white = _white(image)
    if factor == 1 and image.width * image.height * 4 < _STRIP_BYTES:
        return _resizable(image, white)
    rows = max(1, _STRIP_BYTES // (image.width * 4 * factor)) * factor
    strips = []
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strips.append(_resizable(strip, white).reduce(factor))
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def _white(image: Image.Image) -> float:
    """Return the value of white in a grey picture of more than 8 bits; negative if it is black."""
    tags: dict[int, Any] = getattr(image, "tag_v2", {})
    if image.mode in ("I", "F"):
        # Nothing in the file says it, so it is the least of the usual ones that holds the picture.
        brightest = float(image.getextrema()[1])  # type: ignore[arg-type]
        usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        white = next((white for white in usual if brightest <= white), brightest)
    else:
        white = float(2 ** min(16, tags.get(_BITS_PER_SAMPLE, (16,))[0]) - 1)
    return -white if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else white


def _resizable(image: Image.Image, white: float) -> Image.Image:
    """Return the picture in a mode that can be resized smoothly."""
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return image.convert("RGBA")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        # Pillow would clip deep grey to 8 bits instead of scaling it.
        scale, least = 255 / white, 255.0 if white < 0 else 0.0
        deep = image if image.mode == "F" else image.convert("I").convert("F")
        return deep.point(lambda value: value * scale + least).convert("L")
    return image


def _srgb_on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture as sRGB: no profile will go with it, and browsers assume this one."""
    if image.mode in ("LA", "PA", "RGBA"):
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    if image.mode == "LAB":  # Pillow converts it by a profile only
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    if profile and len(profile) <= _PROFILE_BYTES and image.mode in ("RGB", "CMYK", "LAB"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            image = converted or image
        except (ImageCms.PyCMSError, OSError):
            pass  # A broken profile, or one of another colour model, costs the exact colours only.
    return image.convert("RGB")
