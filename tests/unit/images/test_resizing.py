"""Both ways to resize: by SIMD instructions, and by Pillow."""

import importlib
import io
import sys
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from chalicelib.images import resizing
from tests.support.images import photo_like


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "CMYK", "LAB"])
def test_resized_image_is_like_one_that_pillow_resizes(mode: str) -> None:
    photo = Image.open(io.BytesIO(photo_like(300, 200))).convert("RGB")
    image = Image.merge("LAB", photo.split()) if mode == "LAB" else photo.convert(mode)
    resized = resizing.resize(image, (120, 80))
    assert (resized.mode, resized.size) == (mode, (120, 80))
    ideal = image.resize((120, 80), Image.Resampling.LANCZOS)
    pair = [one if mode == "LAB" else one.convert("RGB") for one in (resized, ideal)]
    assert max(ImageStat.Stat(ImageChops.difference(*pair)).mean) < 3


def test_pillow_resizes_where_the_library_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    plain = importlib.reload(resizing)
    try:
        assert plain.simd is None
        assert plain.resize(Image.new("RGB", (30, 20), "red"), (3, 2)).getpixel((1, 1)) == (
            255,
            0,
            0,
        )
    finally:
        monkeypatch.undo()
        importlib.reload(resizing)


def test_transparent_pixels_have_no_influence_on_the_color_of_others() -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 255))
    image.paste((0, 255, 0, 0), (20, 0, 40, 40))
    pixel: Any = resizing.resize(image, (15, 15)).getpixel((7, 7))
    red, green, _, alpha = pixel
    assert 0 < alpha < 255
    assert (red, green) == pytest.approx((255, 0), abs=3)
