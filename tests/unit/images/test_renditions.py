"""Thumbnails: size, orientation, colors, quality and memory."""

import io
import struct
from typing import Any, Literal

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat
from PIL.ExifTags import Base

from bench.images import signal_to_noise
from chalicelib.images.decoding import read_image
from chalicelib.images.renditions import PREVIEW_QUALITY, THUMBNAIL_QUALITY
from chalicelib.images.sizes import Sizes
from tests.support.images import (
    bmp_of,
    deep_png,
    deep_tiff,
    encoded,
    exif,
    full_exif,
    gradient,
    gray_profile,
    jpeg,
    photo_like,
    png_of,
)
from tests.support.memory import peak_memory
from tests.support.thumbnails import BOX, SIZES, preview_of, read, thumbnail_of

RED = Image.new("RGB", BOX, "red")
REAL_SIZES = Sizes(600, 400, 1920)  # the defaults


def profile(name: Literal["LAB", "XYZ", "sRGB"]) -> bytes:
    """Return an ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2048, 1371), (299, 200)),
        ((4000, 300), (300, 23)),
        ((300, 4000), (15, 200)),
        ((120, 90), (120, 90)),
        ((1, 1), (1, 1)),
        ((20000, 2), (300, 1)),
    ],
)
def test_thumbnail_fits_the_box_and_is_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert thumbnail_of(jpeg(*size)).size == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_renditions_of_every_orientation_are_upright(orientation: int, kind: str) -> None:
    upright = Image.new("RGB", (600, 400))
    upright.paste("red", (0, 0, 300, 200))
    upright.paste("lime", (300, 0, 600, 200))
    upright.paste("blue", (0, 200, 300, 400))
    # The inverse of what a viewer does with each orientation.
    transpositions = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright
    if orientation in transpositions:
        stored = upright.transpose(transpositions[orientation])
    tags = exif({Base.Orientation: orientation})
    # pillow-heif writes HEIF's own rotation for the orientation of EXIF.
    image = read_image(encoded(stored, kind, exif=tags.tobytes()), SIZES)
    assert (image.width, image.height) == (600, 400)
    for data, scale in ((image.thumbnail, 1), (image.preview, 2)):
        rendition = Image.open(io.BytesIO(data))
        assert rendition.size == (300 * scale, 200 * scale)
        places = ((20, 20), (280, 20), (20, 180))
        corners = [rendition.getpixel((scale * x, scale * y)) for x, y in places]
        for corner, color in zip(corners, [(255, 0, 0), (0, 255, 0), (0, 0, 255)], strict=True):
            assert corner == pytest.approx(color, abs=12)


def test_renditions_are_rgb_jpegs_without_metadata() -> None:
    data = encoded(
        gradient(), "JPEG", exif=full_exif(), icc_profile=profile("sRGB"), comment=b"mine"
    )
    for rendition in (thumbnail_of(data), preview_of(data)):
        assert (rendition.format, rendition.mode) == ("JPEG", "RGB")
        assert not rendition.getexif()
        assert {"exif", "icc_profile", "comment", "xmp"}.isdisjoint(rendition.info)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2048, 1371), (640, 428)),
        ((1371, 2048), (428, 640)),
        ((4000, 300), (640, 48)),
        ((640, 480), (640, 480)),
        ((120, 90), (120, 90)),
        ((1, 1), (1, 1)),
        ((20000, 2), (640, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_longest_side_of_a_preview_is_limited_and_it_is_never_enlarged(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert preview_of(encoded(gradient(*size), kind)).size == expected


def test_thumbnail_is_not_larger_than_the_preview() -> None:
    image = read(jpeg(800, 600), Sizes(600, 400, 100))
    for jpeg_bytes in (image.preview, image.thumbnail):
        assert Image.open(io.BytesIO(jpeg_bytes)).size == (100, 75)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "AVIF", "HEIF", "PNG", "MPO"])
def test_preview_shows_the_first_frame(kind: str) -> None:
    red, blue = (Image.new("RGB", (64, 48), color) for color in ("red", "blue"))
    data = encoded(red, kind, save_all=True, append_images=[blue])
    assert preview_of(data).getpixel((30, 20)) == pytest.approx((255, 0, 0), abs=12)


@pytest.mark.parametrize(
    "size", [(2048, 1371), (3024, 4032), (1920, 1280)], ids=["camera", "phone", "preview"]
)
def test_preview_is_nearly_as_good_as_one_of_the_whole_image(size: tuple[int, int]) -> None:
    data = photo_like(*size, seed=7)
    with Image.open(io.BytesIO(data)) as whole:
        preview = preview_of(data, REAL_SIZES)
        ideal = whole.resize(preview.size, Image.Resampling.LANCZOS)
    plain = encoded(ideal, "JPEG", quality=PREVIEW_QUALITY)
    best = signal_to_noise(Image.open(io.BytesIO(plain)), ideal)
    assert signal_to_noise(preview, ideal) > best - 1


CLEAR_RED = Image.new("RGBA", BOX, (255, 0, 0, 0))
HALF_BLACK = Image.new("LA", BOX, (0, 128))


@pytest.mark.parametrize(
    ("image", "kind", "options", "gray"),
    [
        (CLEAR_RED, "PNG", {}, 255),
        (CLEAR_RED.convert("LA"), "PNG", {}, 255),
        (Image.new("P", BOX, 0), "PNG", {"transparency": 0}, 255),
        (Image.new("L", BOX, 0), "PNG", {"transparency": 0}, 255),
        (Image.new("1", BOX, 0), "PNG", {"transparency": 0}, 255),
        (Image.new("RGB", BOX, (9, 9, 9)), "PNG", {"transparency": (9, 9, 9)}, 255),
        (Image.new("L", BOX, 0), "PNG", {"transparency": 99}, 0),
        (HALF_BLACK, "PNG", {}, 127),
        (HALF_BLACK, "TIFF", {}, 127),
        (HALF_BLACK.convert("RGBA"), "PNG", {}, 127),
        (HALF_BLACK.convert("RGBA"), "TIFF", {}, 127),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_transparent_pixels_are_blended_with_white(
    image: Image.Image, kind: str, options: dict[str, Any], gray: int
) -> None:
    pixel = thumbnail_of(encoded(image, kind, **options)).getpixel((150, 100))
    assert pixel == pytest.approx((gray, gray, gray), abs=2)


def packed(values: list[int], depth: int) -> bytes:
    """Return a row of samples, each of `depth` bits."""
    bits = "".join(f"{value:0{depth}b}" for value in values)
    return int(bits, 2).to_bytes(len(bits) // 8)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_transparent_gray_of_a_png_is_white_and_others_are_not(depth: int) -> None:
    darkest, transparent, brightest = 0, 2 ** (depth - 1) - (depth == 1), 2**depth - 1
    row = packed([darkest] * 16 + [transparent] * 16 + [brightest] * 16, depth)
    shown = png_of([row] * 16, 48, depth, 0, (b"tRNS", struct.pack(">H", transparent)))
    plain = png_of([row] * 16, 48, depth, 0)
    black = 255 if darkest == transparent else 0
    for data, middle in ((shown, 255), (plain, transparent * 255 // brightest)):
        thumbnail = thumbnail_of(data).convert("L")
        first = black if data is shown else 0
        assert thumbnail.getpixel((4, 8)) == pytest.approx(first, abs=4)
        assert thumbnail.getpixel((24, 8)) == pytest.approx(middle, abs=4)
        assert thumbnail.getpixel((44, 8)) == pytest.approx(255, abs=4)


def test_gray_next_to_the_transparent_one_of_16_bits_is_shown() -> None:
    row = packed([1000] * 16 + [1001] * 16, 16)
    thumbnail = thumbnail_of(png_of([row] * 16, 32, 16, 0, (b"tRNS", struct.pack(">H", 1000))))
    assert thumbnail.convert("L").getpixel((4, 8)) == pytest.approx(255, abs=4)
    assert thumbnail.convert("L").getpixel((28, 8)) == pytest.approx(4, abs=4)


@pytest.mark.parametrize("depth", [8, 16])
def test_transparent_color_of_a_png_is_white_and_others_are_not(depth: int) -> None:
    high = 2**depth - 1
    row = packed([high, 0, 0] * 16 + [0, high, 0] * 16, depth)
    data = png_of([row] * 16, 32, depth, 2, (b"tRNS", struct.pack(">HHH", high, 0, 0)))
    thumbnail = thumbnail_of(data)
    assert thumbnail.getpixel((4, 8)) == pytest.approx((255, 255, 255), abs=6)
    assert thumbnail.getpixel((28, 8)) == pytest.approx((0, 255, 0), abs=6)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("alpha", [b"\0", b"\x80\xff"])
def test_transparent_palette_of_a_png_is_blended_with_white(depth: int, alpha: bytes) -> None:
    row = packed([0] * 16 + [1] * 16, depth)
    chunks = (b"PLTE", b"\0\0\0\xff\0\0"), (b"tRNS", alpha)
    thumbnail = thumbnail_of(png_of([row] * 16, 32, depth, 3, *chunks))
    gray = 255 - alpha[0]
    assert thumbnail.getpixel((4, 8)) == pytest.approx((gray, gray, gray), abs=4)
    assert thumbnail.getpixel((28, 8)) == pytest.approx((255, 0, 0), abs=6)


def test_large_png_with_a_transparent_gray_of_16_bits_is_reduced_in_strips() -> None:
    row = packed([100] * 1500 + [65535 // 2] * 1500, 16)
    thumbnail = thumbnail_of(png_of([row] * 2400, 3000, 16, 0, (b"tRNS", struct.pack(">H", 100))))
    assert thumbnail.getpixel((20, 100)) == (255, 255, 255)
    assert thumbnail.getpixel((230, 100)) == pytest.approx((127, 127, 127), abs=2)


MASKS = {"red": 0xFF0000, "green": 0xFF00, "blue": 0xFF, "alpha": 0xFF000000}


@pytest.mark.parametrize(
    ("pixels", "left", "right"),
    [
        (b"\0\0\xff\0" * 64, (255, 0, 0), (255, 0, 0)),
        (b"\0\0\xff\0" * 32 + b"\0\0\xff\xff" * 32, (255, 0, 0), (255, 255, 255)),
    ],
    ids=["all 0", "some 0"],
)
def test_bmp_whose_alpha_is_all_0_is_opaque(
    pixels: bytes, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    thumbnail = thumbnail_of(bmp_of(32, 3, pixels, **MASKS))
    assert thumbnail.getpixel((4, 1)) == pytest.approx(left, abs=12)
    assert thumbnail.getpixel((4, 6)) == pytest.approx(right, abs=12)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16"])
def test_other_color_models_keep_their_brightness(mode: str) -> None:
    if mode == "I;16":
        gray = gradient(mode="L").convert("I").point(lambda value: value * 257)
        data = encoded(gray.convert("I;16"), "PNG")
    else:
        kind = "JPEG" if mode == "CMYK" else "PNG"
        data = encoded(gradient(mode=mode), kind)
    thumbnail = thumbnail_of(data).convert("L")
    left, right = (thumbnail.crop(part) for part in ((0, 0, 40, 200), (226, 0, 266, 200)))
    assert sum(left.histogram()[:90]) > 0.8 * 40 * 200
    assert sum(right.histogram()[165:]) > 0.8 * 40 * 200


def test_lightness_of_lab_tiff_is_kept() -> None:
    bright = Image.new("LAB", BOX, (200, 128, 128))
    gray = thumbnail_of(encoded(bright, "TIFF")).getpixel((150, 100))
    assert gray == pytest.approx((195, 195, 195), abs=6)


def test_colors_of_embedded_profile_are_converted_to_srgb() -> None:
    data = encoded(RED, "PNG", icc_profile=swapped_profile())
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((0, 255, 0), abs=12)


def swapped_profile() -> bytes:
    """Return a profile that exchanges the red primary of sRGB and the green one."""
    swapped = profile("sRGB").replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ")
    return swapped.replace(b"....", b"gXYZ")


@pytest.mark.parametrize(
    ("size", "color"),
    [(4 * 1024 * 1024, (0, 255, 0)), (4 * 1024 * 1024 + 1, (255, 0, 0))],
    ids=["largest", "larger"],
)
def test_profile_of_more_than_4_megabytes_is_ignored(
    size: int, color: tuple[int, int, int]
) -> None:
    data = encoded(RED, "TIFF", icc_profile=swapped_profile().ljust(size, b"\0"))
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx(color, abs=12)


def cmyk_profile(lab: tuple[int, int, int]) -> bytes:
    """Return an ICC profile of inks that all have the color `lab`, in 8 bits, but for black.

    Source: ICC.1:2001-04, 6.5.8 (lut8Type): linear curves, and a grid with two points an ink.
    """
    line = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix
    # The black ink is the last one of the four, so its value varies fastest.
    table += line * 4 + (bytes(lab) + bytes((0, 128, 128))) * 2**3 + line * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags, directory, start = b"", struct.pack(">I", 2), 128 + 4 + 2 * 12
    for name, data in ((b"A2B0", table.ljust(-(-len(table) // 4) * 4, b"\0")), (b"wtpt", white)):
        directory += name + struct.pack(">II", start + len(tags), len(data))
        tags += data
    header = struct.pack(
        ">I4sI4s4s4s", start + len(tags), b"", 0x02400000, b"prtr", b"CMYK", b"Lab "
    )
    header = header.ljust(36, b"\0") + b"acsp"
    return header.ljust(128, b"\0") + directory + tags


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_profile_of_inks_is_applied(kind: str) -> None:
    cyan = Image.new("CMYK", BOX, (255, 0, 0, 0))
    pixel = thumbnail_of(encoded(cyan, kind)).getpixel((150, 100))
    assert pixel == pytest.approx((0, 255, 255), abs=12)
    # L* 51, a* 48 and b* 25 are a dull red.
    data = encoded(cyan, kind, icc_profile=cmyk_profile((130, 176, 153)))
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((200, 80, 80), abs=12)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_gray_of_an_embedded_profile_is_converted_to_srgb(mode: str) -> None:
    value = 64 * 257 if mode == "I;16" else (64, 255) if mode == "LA" else 64
    data = encoded(Image.new(mode, BOX, value), "PNG", icc_profile=gray_profile(1.0))
    # A quarter of the light of white is 137 in sRGB.
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((137, 137, 137), abs=3)


def test_rgb_profile_of_a_gray_image_is_ignored() -> None:
    data = encoded(Image.new("L", BOX, 64), "PNG", icc_profile=profile("sRGB"))
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((64, 64, 64), abs=2)


@pytest.mark.parametrize("unusable", [profile("LAB"), b"garbage"], ids=["LAB", "garbage"])
def test_unusable_profile_is_ignored(unusable: bytes) -> None:
    data = encoded(RED, "JPEG", icc_profile=unusable)
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((255, 0, 0), abs=12)


@pytest.mark.parametrize(
    "data",
    [
        deep_tiff("<H", 65535),
        deep_tiff(">H", 65535),
        deep_tiff("<H", 65535, photometric=0),
        deep_tiff("<L", 255),
        deep_tiff("<L", 65535),
        deep_tiff(">l", 2_000_000_000),
        deep_tiff("<f", 1),
        deep_tiff("<f", 1, photometric=0),
        deep_tiff("<f", 255),
        deep_tiff(">f", 3e9),
        deep_png(16, 0),
        deep_png(16, 2),
        deep_png(16, 4),
        deep_png(16, 6),
    ],
)
def test_colors_of_more_than_8_bits_are_scaled_and_not_clipped(data: bytes) -> None:
    thumbnail = thumbnail_of(data).convert("L")
    for column in (3, 100, 200, 296):
        assert thumbnail.getpixel((column, 100)) == pytest.approx(255 * column / 299, abs=4)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_thumbnail_of_tiff_does_not_depend_on_its_compression(mode: str, compression: str) -> None:
    data = encoded(gradient(mode=mode), "TIFF", compression=compression)
    thumbnail = thumbnail_of(data).convert("L")
    whole = gradient(266, 200, "L")
    assert ImageStat.Stat(ImageChops.difference(thumbnail, whole)).rms[0] < 12


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "L"])
def test_image_reduced_in_strips_has_the_thumbnail_of_the_whole(mode: str) -> None:
    large = gradient(5003, 3001, mode)
    whole = large.convert("RGB").resize((300, 180), Image.Resampling.LANCZOS)
    thumbnail = thumbnail_of(encoded(large, "PNG"))
    assert thumbnail.size == whole.size
    difference = ImageChops.difference(thumbnail, whole).convert("L")
    assert ImageStat.Stat(difference).rms[0] < 3


@pytest.mark.parametrize("size", [(2048, 1371), (1500, 2000), (4000, 3000)])
def test_jpeg_decoded_at_reduced_scale_is_as_good_as_one_decoded_in_full(
    size: tuple[int, int],
) -> None:
    data = photo_like(*size, seed=7)
    with Image.open(io.BytesIO(data)) as whole:
        small = thumbnail_of(data, REAL_SIZES)
        ideal = whole.resize(small.size, Image.Resampling.LANCZOS)
    plain = encoded(ideal, "JPEG", quality=THUMBNAIL_QUALITY)
    best = signal_to_noise(Image.open(io.BytesIO(plain)), ideal)
    assert signal_to_noise(small, ideal) > best - 0.4


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("size", [(3000, 2000), (4800, 810), (810, 4800)])
def test_image_is_not_reduced_too_much_before_it_is_resized(
    size: tuple[int, int], orientation: int
) -> None:
    photo = Image.open(io.BytesIO(photo_like(*size, seed=7))).convert("RGB")
    tags = exif({Base.Orientation: orientation})
    small = thumbnail_of(encoded(photo, "PNG", exif=tags), REAL_SIZES)
    upright = photo.transpose(Image.Transpose.ROTATE_270) if orientation == 6 else photo
    ideal = upright.resize(small.size, Image.Resampling.LANCZOS)
    plain = encoded(ideal, "JPEG", quality=THUMBNAIL_QUALITY)
    best = signal_to_noise(Image.open(io.BytesIO(plain)), ideal)
    assert signal_to_noise(small, ideal) > best - 0.4


READ = "image = read_image(data, Sizes(600, 400, 1920))"


@pytest.mark.parametrize(
    ("mode", "bytes_per_pixel"),
    [("P", 1), ("1", 1), ("L", 1), ("I;16", 2), ("RGB", 4), ("LA", 4), ("RGBA", 4)],
)
def test_large_image_is_reduced_without_a_converted_copy(mode: str, bytes_per_pixel: int) -> None:
    setup = f"""
from PIL import Image
from chalicelib.images.decoding import read_image
from chalicelib.images.sizes import Sizes
from tests.support.images import encoded
data = encoded(Image.new("{mode}", (6000, 6000)), "PNG")
"""
    decoded = 6000 * 6000 * bytes_per_pixel
    assert peak_memory(setup, READ) < decoded + 140_000_000


def test_jpeg_of_108_megapixels_takes_less_than_80_megabytes() -> None:
    setup = """
from PIL import Image
from chalicelib.images.decoding import read_image
from chalicelib.images.sizes import Sizes
from tests.support.images import encoded
data = encoded(Image.linear_gradient("L").resize((12000, 9000)).convert("RGB"), "JPEG", quality=90)
"""
    assert peak_memory(setup, f"{READ}\nassert image.width == 12000") < 80_000_000
