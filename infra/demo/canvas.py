"""What the pictures of the demo are painted with. The same seed gives the same picture."""

import itertools
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Color = tuple[int, int, int]
Palette = list[Color]
Point = tuple[float, float]

# Shapes are painted larger than the picture, so that their edges become smooth.
_OVERSAMPLING = 1.2
_FINE = 256  # colors of a gradient


def mix(one: Color, other: Color, share: float) -> Color:
    """Return a color between two: `share` of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def hex_color(text: str) -> Color:
    """Return the color that is written as #rrggbb."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


class Canvas:
    """A picture that is being painted, from the back to the front."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        self._final = (width, height)
        self.width, self.height = (round(side * _OVERSAMPLING) for side in self._final)
        self.size = (self.width, self.height)
        self.unit = min(self.size) / 100
        self.rng = random.Random(seed)  # noqa: S311 (a picture, not a secret)
        self.image = Image.new("RGB", self.size)

    def finish(self) -> Image.Image:
        """Return the picture, with the grain of a photo, which also hides steps in gradients."""
        image = self.image.resize(self._final, Image.Resampling.BOX)
        width, height = (side // 2 for side in self._final)
        grain = Image.frombytes("L", (width, height), self.rng.randbytes(width * height))
        grain = grain.resize(self._final, Image.Resampling.BILINEAR)
        return Image.blend(image, grain.convert("RGB"), 0.035)

    def gradient(self, colors: Sequence[Color], top: float = 0, bottom: float = 1) -> None:
        """Paint horizontal bands of colors that blend into each other."""
        y, end = round(top * self.height), round(bottom * self.height)
        self.image.paste(_widened(_column(colors), (self.width, end - y)), (0, y))

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float = 1) -> None:
        """Paint light that fades from a point; the radius is in hundredths of the shorter side."""
        side = round(radius * self.unit * 2)
        light = ImageChops.invert(Image.radial_gradient("L"))
        # Outside the circle in its square, the gradient is not black yet.
        light = light.point([round(_smooth((v - 84) / 171) * 255 * strength) for v in range(256)])
        mask = light.resize((side, side), Image.Resampling.BILINEAR)
        corner = (round(x * self.width - side / 2), round(y * self.height - side / 2))
        self.image.paste(color, (*corner, corner[0] + side, corner[1] + side), mask)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Paint a circle."""
        reach, middle = radius * self.unit, (x * self.width, y * self.height)
        ImageDraw.Draw(self.image).circle(middle, reach, fill=color)

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """Paint a polygon; points are in shares of width and height."""
        scaled = [(x * self.width, y * self.height) for x, y in points]
        ImageDraw.Draw(self.image).polygon(scaled, fill=color)

    def below(self, line: Sequence[Point], color: Color) -> None:
        """Paint everything below a line."""
        self.polygon([*line, (1, 1.01), (0, 1.01)], color)

    def strokes(
        self, count: int, top: float, color: Color, around: float | None = None, opacity: float = 1
    ) -> None:
        """Paint light on water: short lines that are smaller and closer towards the horizon."""
        start = round(top * self.height)
        mask = Image.new("L", (self.width, self.height - start))
        draw = ImageDraw.Draw(mask)
        for _ in range(count):
            depth = self.rng.random() ** 2
            spread = 0.03 + depth * 0.16
            x = self.rng.random() if around is None else self.rng.gauss(around, spread)
            length = self.unit * (0.6 + 7 * depth) * self.rng.uniform(0.4, 1.2)
            thick = max(1, round(self.unit * (0.12 + 0.5 * depth)))
            left, level = x * self.width - length / 2, depth * mask.height
            shade = round(255 * opacity * self.rng.uniform(0.3, 1))
            draw.line([(left, level), (left + length, level)], fill=shade, width=thick)
        self.image.paste(color, (0, start, *self.size), mask)

    def cloud(
        self,
        color: Color,
        cover: float,
        opacity: float,
        stretch: float = 3,
        area: tuple[float, float] = (0, 1),
    ) -> None:
        """Paint clouds, or mist, over an area from its top to its bottom."""
        top, bottom = (round(share * self.height) for share in area)
        field = self.noise(stretch)
        low, high = 255 * (1 - cover), 255 * (1 - cover) + 90
        curve = [
            round(255 * opacity * _smooth((value - low) / (high - low))) for value in range(256)
        ]
        mask = field.point(curve).resize((self.width, bottom - top), Image.Resampling.BILINEAR)
        fade = _column([(0, 0, 0), (255, 255, 255), (255, 255, 255), (0, 0, 0)]).convert("L")
        mask = ImageChops.multiply(mask, _widened(fade, mask.size))
        self.image.paste(color, (0, top, self.width, bottom), mask)

    def noise(self, stretch: float = 1) -> Image.Image:
        """Return soft random spots, in large and in small."""
        size = (360, round(360 * self.height / self.width))
        found = Image.new("L", size, 128)
        for octave, weight in ((3, 0.62), (6, 0.46), (12, 0.36), (24, 0.28), (48, 0.2)):
            columns, rows = max(2, round(octave * 2 / stretch)), max(2, octave)
            spots = Image.frombytes("L", (columns, rows), self.rng.randbytes(columns * rows))
            found = Image.blend(found, spots.resize(size, Image.Resampling.BICUBIC), weight)
        return ImageOps.autocontrast(found)

    def mirror(self, horizon: float, tint: Color, share: float) -> None:
        """Paint water below the horizon, in which everything above it is reflected."""
        y = round(horizon * self.height)
        above = self.image.crop((0, max(0, 2 * y - self.height), self.width, y))
        seen = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        small = seen.resize((self.width // 6, max(1, (self.height - y) // 3)))
        small = small.filter(ImageFilter.BoxBlur(1))
        water = small.resize((self.width, self.height - y), Image.Resampling.BILINEAR)
        flat = _widened(_column([mix(tint, (255, 255, 255), 0.12), tint]), water.size)
        self.image.paste(Image.blend(water, flat, share), (0, y))

    def blur(self, radius: float) -> None:
        """Blur everything that is painted so far."""
        small = self.image.resize((self.width // 4, self.height // 4), Image.Resampling.BOX)
        small = small.filter(ImageFilter.GaussianBlur(radius * self.unit / 4))
        self.image = small.resize(self.size, Image.Resampling.BILINEAR)

    def hills(self, base: float, height: float, waves: float = 2.5) -> list[Point]:
        """Return a smooth line of hills."""
        parts = [
            (self.rng.uniform(0.5, 1) / n, waves * n * self.rng.uniform(0.7, 1.3))
            for n in (1, 2, 3.7)
        ]
        phases = [self.rng.uniform(0, math.tau) for _ in parts]
        steps = [step / 160 for step in range(161)]
        return [
            (
                x,
                base
                - height
                * sum(
                    size * math.sin(x * speed * math.tau / 2 + phase)
                    for (size, speed), phase in zip(parts, phases, strict=True)
                )
                / 2,
            )
            for x in steps
        ]

    def peaks(self, base: float, height: float, rough: float = 0.5) -> list[Point]:
        """Return a jagged line of mountains."""
        line = [self.rng.uniform(0.1, 0.5), self.rng.uniform(0.7, 1), self.rng.uniform(0.1, 0.6)]
        if self.rng.random() < 0.5:
            line += [self.rng.uniform(0.5, 0.9), self.rng.uniform(0.1, 0.4)]
        swing = 0.24
        while len(line) < 250:
            between = [
                (a + b) / 2 + self.rng.uniform(-swing, swing) for a, b in itertools.pairwise(line)
            ]
            line = [one for pair in zip(line, between, strict=False) for one in pair] + [line[-1]]
            swing *= rough
        last = len(line) - 1
        return [(n / last, base - height * value) for n, value in enumerate(line)]


def _column(colors: Sequence[Color]) -> Image.Image:
    """Return a picture one pixel wide in which colors blend from top to bottom."""
    found, last = bytearray(), len(colors) - 1
    for y in range(_FINE):
        at = y / (_FINE - 1) * last
        index = min(int(at), last - 1)
        found += bytes(mix(colors[index], colors[index + 1], _smooth(at - index)))
    return Image.frombytes("RGB", (1, _FINE), bytes(found))


def _widened(column: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a column in another size, which is faster than to resize it at once."""
    return column.resize((1, size[1]), Image.Resampling.BILINEAR).resize(
        size, Image.Resampling.NEAREST
    )


def _smooth(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
