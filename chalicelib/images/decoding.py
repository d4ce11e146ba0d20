"""Pictures: which format the bytes are, how large, and a small upright copy.

The format is decided by the bytes alone, never by a name or a content type that came with them.
"""

import io
import os
import pickle
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, UnidentifiedImageError

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import limits
from chalicelib.images.exif import Exif, read_exif, read_orientation

_SECONDS = 10
_SECONDS_APART = 18
_PROFILE_BYTES = 4 * 1024 * 1024
_STRIP_BYTES = 16 * 1024 * 1024
# One step over 85 makes up for what decoding at a reduced scale loses, up to half a decibel.
_THUMBNAIL_QUALITY = 86

# TIFF 6.0
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0

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
_OPENERS = [name for name in _FORMATS if name != "MPO"]  # Pillow opens those as JPEG

# The brands of ISO 23008-12. The last two may hold AVIF, which is decoded apart then, too.
_HEIF_BRANDS = ("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1")
_HEIF_STARTS = {f"ftyp{brand}".encode() for brand in _HEIF_BRANDS}

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
class DecodedImage:
    """What the bytes of one picture turned out to be."""

    content_type: str
    extension: str
    width: int  # pixels, upright
    height: int
    exif: Exif
    thumbnail: bytes  # an upright RGB JPEG without metadata


_UNREADABLE = "The picture is broken, or has too many pixels to be opened."


class _Source(io.BytesIO):
    """The bytes of a picture, to be read by Pillow only until its time is up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._deadline = time.monotonic() + _SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        # Every loop that a file can make endless, over chunks, segments or runs, passes here.
        if time.monotonic() > self._deadline:
            raise UndecodableImage(limits.TOO_LONG)
        return super().read(size)


def read_image(data: bytes, box: tuple[int, int]) -> DecodedImage:
    """Decode `data` and make a thumbnail that fits `box`, (width, height) in pixels.

    Raises UnsupportedImage or UndecodableImage, as `decode`.
    """
    return _decode_apart(data, box) if data[4:12] in _HEIF_STARTS else decode(data, box)


def _decode_apart(data: bytes, box: tuple[int, int]) -> DecodedImage:
    """Do as `decode` in a process that may crash, and that holds no credentials."""
    folder = str(Path(__file__).resolve().parents[2])
    environment = {"PYTHONPATH": os.pathsep.join([folder, *filter(None, sys.path)])}
    if "LD_LIBRARY_PATH" in os.environ:  # where Lambda has Python itself
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    try:
        run = subprocess.run(  # noqa: S603 (nothing of the command comes from a request)
            [sys.executable, "-P", "-S", "-m", "chalicelib.images.heif", *map(str, box)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libde265 tells everybody of every error
            env=environment,
            timeout=_SECONDS_APART,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise UndecodableImage(limits.TOO_LONG) from error
    except subprocess.CalledProcessError as error:
        if error.returncode > 0:
            raise  # a bug of ours; a signal is the file's doing
        raise UndecodableImage(limits.BROKEN) from error
    answer = pickle.loads(run.stdout)  # noqa: S301 (it comes from our own process)
    if isinstance(answer, DecodedImage):
        return answer
    raise answer


def decode(data: bytes, box: tuple[int, int]) -> DecodedImage:
    """Decode `data` in this process.

    Raises UnsupportedImage for bytes of no known format, UndecodableImage for a picture that is
    broken or would not fit in memory. Of several pictures in a file, the first one counts, or the
    one that the file calls its primary.
    """
    with limits.bounded_memory():
        if not limits.tags_are_modest(data):
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
                limits.refuse_too_much(image, data)
                if not limits.tags_are_modest(image.info.get("exif") or b""):
                    del image.info["exif"]
                exif = read_exif(image)
                width, height, thumbnail = _upright_thumbnail(image, box)
            except Exception as error:  # as above
                raise _undecodable(error, limits.BROKEN) from error
    return DecodedImage(content_type, extension, width, height, exif, thumbnail)


def _openers() -> list[str]:
    Image.init()
    return [name for name in _OPENERS if name in Image.OPEN]  # HEIF is not, but in its process


def _unsupported_or_broken(data: bytes) -> UnsupportedImage | UndecodableImage:
    """Return why Pillow could not open the bytes: another format, or one of ours cut very short."""
    start = data[:32]
    if any(accept and accept(start) for accept in (Image.OPEN[name][1] for name in _openers())):
        return UndecodableImage(limits.BROKEN)
    known = f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}"
    return UnsupportedImage(f"This is not a picture the album knows. Send {known}.")


def _undecodable(error: Exception, otherwise: str) -> UndecodableImage:
    if isinstance(error, UndecodableImage):
        return error
    return UndecodableImage(limits.TOO_BIG if isinstance(error, MemoryError) else otherwise)


def _upright_thumbnail(image: Image.Image, box: tuple[int, int]) -> tuple[int, int, bytes]:
    profile = image.info.get("icc_profile")
    if image.format not in limits.SCALED_DECODE:
        # Loading may turn the picture by itself (TIFF does), so ask for the orientation afterwards.
        image.load()
        # Of several pictures pi-heif keeps the file, and decodes it anew at every use.
        image._heif_file = None  # type: ignore[attr-defined]
    # The turns of HEIF are its own, and done: what its EXIF says is void (ISO 23008-12).
    orientation = 1 if image.format == "HEIF" else read_orientation(image)
    width, height = image.size
    if orientation in _SIDEWAYS:
        width, height = height, width
        box = box[1], box[0]
    if image.format not in limits.SCALED_DECODE:
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
        white = float(2 ** min(16, tags.get(limits.BITS_PER_SAMPLE, (16,))[0]) - 1)
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
