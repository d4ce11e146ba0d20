"""Formats and thumbnails."""

import io
import math
import struct
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat
from PIL.ExifTags import Base

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import decoding
from chalicelib.images.decoding import read_image
from tests.support import images
from tests.support.images import encoded, gradient, photo_like

ROOT = Path(__file__).parents[2]
BOX = (300, 200)


def thumbnail_of(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(read_image(data, BOX).thumbnail))


def profile(name: Literal["LAB", "XYZ", "sRGB"]) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [
        ("JPEG", "image/jpeg", "jpg"),
        ("PNG", "image/png", "png"),
        ("GIF", "image/gif", "gif"),
        ("WEBP", "image/webp", "webp"),
        ("BMP", "image/bmp", "bmp"),
        ("TIFF", "image/tiff", "tiff"),
        ("AVIF", "image/avif", "avif"),
        ("HEIF", "image/heic", "heic"),
    ],
)
def test_each_format_is_known_by_its_bytes(kind: str, content_type: str, extension: str) -> None:
    picture = read_image(encoded(gradient(), kind), BOX)
    assert (picture.content_type, picture.extension) == (content_type, extension)
    assert (picture.width, picture.height) == (640, 480)


def test_a_jpeg_with_more_pictures_behind_it_is_a_jpeg() -> None:
    data = encoded(gradient(), "MPO", save_all=True, append_images=[gradient(100, 100)])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    picture = read_image(data, BOX)
    assert (picture.content_type, picture.extension) == ("image/jpeg", "jpg")
    assert (picture.width, picture.height) == (640, 480)


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
def test_a_thumbnail_fits_the_box_and_is_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert thumbnail_of(images.jpeg(*size)).size == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_come_out_upright(orientation: int, kind: str) -> None:
    upright = Image.new("RGB", (600, 400))
    upright.paste("red", (0, 0, 300, 200))
    upright.paste("lime", (300, 0, 600, 200))
    upright.paste("blue", (0, 200, 300, 400))
    # The inverse of what a viewer does with each orientation.
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    tags = images.exif({Base.Orientation: orientation})
    # pillow-heif turns what EXIF says into the turn that HEIF has for it.
    picture = read_image(encoded(stored, kind, exif=tags.tobytes()), BOX)
    thumbnail = Image.open(io.BytesIO(picture.thumbnail))
    assert (picture.width, picture.height) == (600, 400)
    assert thumbnail.size == (300, 200)
    corners = [thumbnail.getpixel(place) for place in ((20, 20), (280, 20), (20, 180))]
    for corner, colour in zip(corners, [(255, 0, 0), (0, 255, 0), (0, 0, 255)], strict=True):
        assert corner == pytest.approx(colour, abs=12)


def test_a_thumbnail_is_an_rgb_jpeg_without_metadata() -> None:
    data = encoded(
        gradient(),
        "JPEG",
        exif=images.full_exif(),
        icc_profile=profile("sRGB"),
        comment=b"mine",
    )
    thumbnail = thumbnail_of(data)
    assert (thumbnail.format, thumbnail.mode) == ("JPEG", "RGB")
    assert not thumbnail.getexif()
    assert {"exif", "icc_profile", "comment", "xmp"}.isdisjoint(thumbnail.info)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    image = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    if mode == "P":
        picture = encoded(Image.new("P", (400, 400), 0), "PNG", transparency=0)
    else:
        picture = encoded(image.convert(mode), "PNG")
    assert thumbnail_of(picture).getpixel((50, 50)) == pytest.approx((255, 255, 255), abs=2)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16"])
def test_other_colour_models_keep_their_brightness(mode: str) -> None:
    if mode == "I;16":
        grey = gradient(mode="L").convert("I").point(lambda value: value * 257)
        data = encoded(grey.convert("I;16"), "PNG")
    else:
        kind = "JPEG" if mode == "CMYK" else "PNG"
        data = encoded(gradient(mode=mode), kind)
    thumbnail = thumbnail_of(data).convert("L")
    left, right = (thumbnail.crop(part) for part in ((0, 0, 40, 200), (226, 0, 266, 200)))
    assert sum(left.histogram()[:90]) > 0.8 * 40 * 200
    assert sum(right.histogram()[165:]) > 0.8 * 40 * 200


def test_the_colours_are_those_of_the_pictures_own_profile() -> None:
    # An ICC profile whose red primary is sRGB's green one, and the other way round.
    swapped = profile("sRGB").replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ")
    red = Image.new("RGB", (300, 200), "red")
    data = encoded(red, "PNG", icc_profile=swapped.replace(b"....", b"gXYZ"))
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((0, 255, 0), abs=12)


def test_a_profile_that_does_not_fit_is_ignored() -> None:
    red = Image.new("RGB", (300, 200), "red")
    for unusable in (profile("LAB"), b"garbage"):
        data = encoded(red, "JPEG", icc_profile=unusable)
        assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((255, 0, 0), abs=12)


@pytest.mark.parametrize("data", [b"", b"GIF", b"<svg/>", b"%PDF-1.7", b"\0" * 1000, b"text" * 99])
def test_what_is_no_picture_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage):
        read_image(data, BOX)


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF"])
def test_a_picture_that_is_cut_off_is_undecodable(kind: str, share: float) -> None:
    whole = encoded(gradient(), kind)
    with pytest.raises(UndecodableImage):
        read_image(whole[: int(len(whole) * share)], BOX)


@pytest.mark.parametrize("size", [(30_000, 30_000), (2_000_000_000, 2)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableImage, match="too many pixels"):
        read_image(images.png_claiming(*size), BOX)


def test_a_webp_is_judged_by_the_copies_its_decoder_keeps() -> None:
    data = bytearray(encoded(gradient(64, 64), "WEBP", lossless=True))
    # The header of lossless WebP: a signature byte, then 14 bits each of width and height less one.
    start = data.index(b"VP8L") + 9
    data[start : start + 4] = (15_999 | 15_999 << 14).to_bytes(4, "little")
    with pytest.raises(UndecodableImage, match="too many pixels"):
        read_image(bytes(data), BOX)


def test_a_process_that_has_much_memory_decodes_as_well() -> None:
    script = """
from chalicelib.images.decoding import read_image
from tests.support.images import encoded, gradient, photo_like
held = b"x" * 800_000_000
print(read_image(encoded(gradient(), "AVIF"), (300, 200)).width)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "640\n"


@pytest.mark.parametrize("mode", ["P", "1", "I;16", "RGBA", "L", "RGB", "LA"])
def test_a_large_picture_is_shrunk_without_a_converted_copy_of_the_whole(mode: str) -> None:
    # In a process of its own, whose peak is this picture's alone.
    script = f"""
import resource
from chalicelib.images.decoding import read_image
from tests.support.images import encoded
from PIL import Image
data = encoded(Image.new("{mode}", (6000, 6000)), "PNG")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read_image(data, (300, 200))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 100_000_000  # the picture itself has 36 to 144 MB, counted before


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "L"])
def test_a_picture_shrunk_in_strips_looks_the_same(mode: str) -> None:
    large = gradient(5003, 3001, mode)
    whole = large.convert("RGB").resize((300, 180), Image.Resampling.LANCZOS)
    thumbnail = thumbnail_of(encoded(large, "PNG"))
    assert thumbnail.size == whole.size
    difference = ImageChops.difference(thumbnail, whole).convert("L")
    assert ImageStat.Stat(difference).rms[0] < 3


def difference_in_decibels(image: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio (ITU-T J.340) of two images."""
    squares = sum(ImageStat.Stat(ImageChops.difference(image, other)).sum2)
    return 10 * math.log10(255**2 * image.width * image.height * 3 / squares)


@pytest.mark.parametrize("size", [(2048, 1371), (1500, 2000), (4000, 3000)])
def test_a_jpeg_decoded_at_a_reduced_scale_looks_as_good_as_one_decoded_in_full(
    size: tuple[int, int],
) -> None:
    data = photo_like(*size, seed=7)
    with Image.open(io.BytesIO(data)) as whole:
        small = thumbnail_of(data)
        ideal = whole.resize(small.size, Image.Resampling.LANCZOS)
    plain = encoded(ideal, "JPEG", quality=decoding._THUMBNAIL_QUALITY)
    best = difference_in_decibels(Image.open(io.BytesIO(plain)), ideal)
    assert difference_in_decibels(small, ideal) > best - 0.15


def test_a_jpeg_of_108_megapixels_takes_less_than_100_megabytes(tmp_path: Path) -> None:
    # Made and read in processes of their own, whose peaks are theirs alone.
    path = tmp_path / "large.jpg"
    make = f"""
from PIL import Image
Image.linear_gradient("L").resize((12000, 9000)).convert("RGB").save({str(path)!r}, quality=90)
"""
    read = f"""
import re
from pathlib import Path
from chalicelib.images.decoding import read_image
data = Path({str(path)!r}).read_bytes()
kilobytes = lambda name: int(re.search(name + r":\\s+(\\d+) kB", status.read_text())[1])
status = Path("/proc/self/status")  # unlike getrusage, it knows nothing of the parent's peak
before = kilobytes("VmRSS")
assert read_image(data, (300, 200)).width == 12000
print((kilobytes("VmHWM") - before) * 1024)
"""
    for script in (make, read):
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
    assert int(run.stdout) < 100_000_000


def test_a_progressive_jpeg_is_refused_by_what_it_keeps_in_memory() -> None:
    # Its header alone: 13,300 pixels square, 4:4:4, which libjpeg would keep in a gigabyte.
    small = encoded(gradient(), "JPEG", progressive=True, subsampling=0)
    start = small.index(b"\xff\xc2") + 5
    huge = small[:start] + struct.pack(">HH", 13_300, 13_300) + small[start + 4 :]
    with pytest.raises(UndecodableImage, match="too many pixels"):
        read_image(huge, BOX)


def test_a_heic_file_shows_its_primary_picture() -> None:
    red, lime = Image.new("RGB", (900, 600), "red"), Image.new("RGB", (600, 900), "lime")
    data = encoded(red, "HEIF", save_all=True, append_images=[lime], primary_index=1)
    picture = read_image(data, BOX)
    assert (picture.width, picture.height) == (600, 900)
    assert thumbnail_of(data).getpixel((66, 100)) == pytest.approx((0, 255, 0), abs=12)


def test_the_turns_of_a_heic_file_count_and_those_of_its_exif_do_not() -> None:
    tags = images.exif({Base.Orientation: 6}).tobytes()
    data = encoded(gradient(400, 300), "HEIF", exif=tags)
    unturned = data.replace(b"irot", b"skip")
    assert unturned != data
    assert read_image(data, BOX).height == 400
    assert read_image(unturned, BOX).height == 300


def test_what_a_camera_wrote_into_a_heic_file_is_read() -> None:
    found = read_image(encoded(gradient(), "HEIF", exif=images.full_exif().tobytes()), BOX).exif
    assert (found.model, found.latitude, found.longitude) == ("DSLR-A300", -33.8583333, -70.5)
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-06T07:08:09+09:00"


@pytest.mark.parametrize("brand", [b"mif1", b"heix"])
def test_heic_under_another_brand_is_the_same(brand: bytes) -> None:
    data = encoded(gradient(), "HEIF").replace(b"heic", brand, 1)
    assert read_image(data, BOX).content_type == "image/heic"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO", "AVIF"])
def test_of_several_pictures_in_a_file_the_first_counts(kind: str) -> None:
    red, lime = (Image.new("RGB", (300, 200), name) for name in ("red", "lime"))
    data = encoded(red, kind, save_all=True, append_images=[lime, lime])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) > 1
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((255, 0, 0), abs=12)


@pytest.mark.parametrize(
    "data",
    [
        images.deep_tiff("<H", 65535),
        images.deep_tiff(">H", 65535),
        images.deep_tiff("<H", 65535, photometric=0),
        images.deep_tiff("<L", 255),
        images.deep_tiff("<L", 65535),
        images.deep_tiff(">l", 2_000_000_000),
        images.deep_tiff("<f", 1),
        images.deep_tiff("<f", 1, photometric=0),
        images.deep_tiff("<f", 255),
        images.deep_tiff(">f", 3e9),
        images.deep_png(16, 0),
        images.deep_png(16, 2),
        images.deep_png(16, 4),
        images.deep_png(16, 6),
    ],
)
def test_deep_colours_are_scaled_and_not_clipped(data: bytes) -> None:
    thumbnail = thumbnail_of(data).convert("L")
    for column in (3, 100, 200, 296):
        assert thumbnail.getpixel((column, 100)) == pytest.approx(255 * column / 299, abs=4)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_a_tiff_looks_the_same_however_it_is_compressed(mode: str, compression: str) -> None:
    data = encoded(gradient(mode=mode), "TIFF", compression=compression)
    thumbnail = thumbnail_of(data).convert("L")
    whole = gradient(266, 200, "L")
    assert ImageStat.Stat(ImageChops.difference(thumbnail, whole)).rms[0] < 12


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_half_transparent_black_is_grey_on_white(mode: str, kind: str) -> None:
    data = encoded(Image.new("LA", (300, 200), (0, 128)).convert(mode), kind)
    assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((127, 127, 127), abs=3)


def test_the_lightness_of_a_lab_tiff_is_kept() -> None:
    bright = Image.new("LAB", (300, 200), (200, 128, 128))
    grey = thumbnail_of(encoded(bright, "TIFF")).getpixel((150, 100))
    assert grey == pytest.approx((195, 195, 195), abs=6)


def test_every_known_format_is_named_to_who_sends_another() -> None:
    with pytest.raises(UnsupportedImage) as refusal:
        read_image(b"%PDF-1.7", BOX)
    assert str(refusal.value).endswith("JPEG, PNG, GIF, WebP, BMP, TIFF, AVIF or HEIC.")


def program(folder: Path, script: str) -> str:
    """Return an executable that stands in for the Python that decodes HEIC."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def test_heic_that_crashes_its_decoder_is_undecodable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, "kill -SEGV $$"))
    with pytest.raises(UndecodableImage, match="broken"):
        read_image(encoded(gradient(), "HEIF"), BOX)


def test_heic_that_takes_too_long_is_undecodable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(decoding, "_SECONDS_APART", 0.1)
    with pytest.raises(UndecodableImage, match="too long"):
        read_image(encoded(gradient(), "HEIF"), BOX)


def test_a_decoder_of_heic_that_does_not_start_is_no_fault_of_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, "exit 1"))
    with pytest.raises(subprocess.CalledProcessError):
        read_image(encoded(gradient(), "HEIF"), BOX)


def test_the_decoder_of_heic_has_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    seen = tmp_path / "environment"
    monkeypatch.setattr(sys, "executable", program(tmp_path, f"env > {seen}; exit 1"))
    with pytest.raises(subprocess.CalledProcessError):
        read_image(encoded(gradient(), "HEIF"), BOX)
    assert "PYTHONPATH" in seen.read_text()
    assert "secret" not in seen.read_text()


def test_the_decoder_of_heic_is_found_from_any_folder(tmp_path: Path) -> None:
    heic = tmp_path / "picture"
    heic.write_bytes(encoded(gradient(), "HEIF"))
    script = f"""
import sys
sys.path.append({str(ROOT)!r})
from chalicelib.images.decoding import read_image
print(read_image(open("picture", "rb").read(), (300, 200)).width)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "640\n"
