"""The pictures of the demo: landscapes, skies and shapes, each in one of several palettes."""

import math
from collections.abc import Callable

from PIL import ImageDraw

from infra.demo import objects
from infra.demo.canvas import Canvas, Palette, hex_color, mix
from infra.demo.objects import BLACK, WHITE

Scene = Callable[[Canvas, Palette], None]


def _palettes(*lines: str) -> list[Palette]:
    return [[hex_color(text) for text in line.split()] for line in lines]


# Sky from top to horizon (three colors), the sun or moon, the farthest and the nearest land.
DAWN = _palettes(
    "#33406f #c77d8f #fbc9a0 #fff1d6 #c795a0 #2c2742",
    "#51678f #e0a69a #ffe0b5 #fff6e0 #b9a0ab #39344f",
    "#27355c #8e6f9c #f4a98c #ffe3c2 #a88199 #1f2038",
    "#6f88ab #f0c3b0 #fff0d2 #fffaf0 #b8b5bd #46566b",
)
DAY = _palettes(
    "#3f86c4 #8fc1e3 #e8f3f5 #fffbe8 #9dbfcd #2f5d46",
    "#2f78ad #7fb7da #d9ecf2 #fffdf0 #8fb2ae #3f6a3a",
    "#5b96c9 #b5d6ea #f4f1e4 #fffdf0 #b3c3b4 #54713b",
)
DUSK = _palettes(
    "#1d2b53 #7d4f7f #f28f6b #ffd9a0 #8a5f7d #191730",
    "#16294d #b4576a #ffb26b #ffe2a8 #9c5a68 #1d1b33",
    "#243b6b #d0708a #ffd08a #fff0c9 #a7687c #2a2140",
    "#0f2a47 #2f6f86 #f5b971 #ffe9bd #4d7a86 #10222f",
)
NIGHT = _palettes(
    "#070b1f #14224a #2f4a7d #f5f1de #243a66 #05070f",
    "#0a0f26 #1e2350 #4a4a86 #fbf6e6 #33386b #070815",
    "#04121f #0d3045 #2a6073 #eef4ee #1b4757 #030a10",
)
SAND = _palettes(
    "#7fb0cf #f3d9b0 #fbe8c8 #fffaf0 #e9b872 #a85f32",
    "#e58f65 #f7bd84 #ffe3b3 #fff3d8 #d98a52 #7a3f2b",
)


def hills(canvas: Canvas, palette: Palette) -> None:
    """Paint hills that fade into the distance."""
    x, y = objects.sky(canvas, palette), canvas.rng.uniform(0.36, 0.46)
    objects.sun(canvas, palette, x, y)
    layers = canvas.rng.randint(4, 6)
    for layer in range(layers):
        depth = layer / (layers - 1)
        line = canvas.hills(0.52 + 0.4 * depth, 0.13 + 0.05 * depth, 3.6 - 1.8 * depth)
        canvas.below(line, mix(palette[4], palette[5], depth**0.8))
        if layer < layers - 1:
            canvas.cloud(palette[2], 0.5, 0.35, 4, (0.44 + 0.32 * depth, 0.74 + 0.26 * depth))


def lake(canvas: Canvas, palette: Palette) -> None:
    """Paint mountains that are reflected in a lake."""
    x = objects.sky(canvas, palette)
    objects.sun(canvas, palette, x, 0.3)
    horizon = canvas.rng.uniform(0.56, 0.64)
    objects.ridges(canvas, palette, horizon + 0.02, 0.36)
    shore = canvas.hills(horizon - 0.012, 0.03, 6)
    canvas.polygon([*shore, (1, horizon), (0, horizon)], mix(palette[4], palette[5], 0.85))
    canvas.mirror(horizon, mix(palette[0], palette[5], 0.35), 0.3)
    canvas.strokes(130, horizon, mix(palette[2], WHITE, 0.3), opacity=0.3)


def mountains(canvas: Canvas, palette: Palette) -> None:
    """Paint mountains with snow behind a forest."""
    objects.sky(canvas, palette)
    canvas.cloud(WHITE, 0.42, 0.75, 3, (0, 0.5))
    objects.ridges(canvas, palette, 0.82, 0.52)
    canvas.cloud(palette[2], 0.55, 0.7, 5, (0.55, 0.95))
    for depth in (0.7, 1):
        color = mix(palette[4], palette[5], depth)
        objects.firs(canvas, canvas.hills(0.78 + 0.12 * depth, 0.06, 2), color, 7 + 5 * depth)


def forest(canvas: Canvas, palette: Palette) -> None:
    """Paint a forest in the mist."""
    canvas.gradient([mix(palette[1], palette[2], 0.6), palette[2], mix(palette[2], WHITE, 0.4)])
    canvas.glow(canvas.rng.uniform(0.3, 0.7), 0.25, 70, palette[3], 0.7)
    for layer in range(5):
        depth = layer / 4
        color = mix(mix(palette[2], palette[4], 0.45), palette[5], depth**1.1)
        line = canvas.hills(0.48 + 0.42 * depth, 0.12, 1.8)
        objects.firs(canvas, line, color, 9 + 15 * depth)
        if layer < 4:
            canvas.cloud(mix(palette[2], WHITE, 0.3), 0.62, 0.75, 5, (0.36 + 0.3 * depth, 0.98))


def sea(canvas: Canvas, palette: Palette) -> None:
    """Paint the sun above the sea."""
    x = objects.sky(canvas, palette)
    horizon = canvas.rng.uniform(0.52, 0.62)
    canvas.cloud(mix(palette[1], WHITE, 0.25), 0.46, 0.6, 6, (0.05, horizon))
    objects.sun(canvas, palette, x, horizon - canvas.rng.uniform(-0.02, 0.12))
    deep = mix(palette[0], palette[5], 0.5)
    canvas.gradient([mix(palette[2], deep, 0.35), mix(palette[1], deep, 0.6), deep], horizon)
    canvas.strokes(420, horizon, mix(palette[2], palette[1], 0.4), opacity=0.35)
    canvas.strokes(300, horizon, mix(palette[2], WHITE, 0.5), around=x, opacity=0.9)
    if canvas.rng.random() < 0.5:
        objects.boat(canvas, canvas.rng.choice((0.24, 0.76)), horizon, mix(deep, BLACK, 0.5))


def moon(canvas: Canvas, palette: Palette) -> None:
    """Paint the moon and stars above hills."""
    canvas.gradient(palette[:3])
    objects.stars(canvas, 260)
    x, y = canvas.rng.uniform(0.25, 0.75), canvas.rng.uniform(0.22, 0.38)
    radius = canvas.rng.uniform(8, 13)
    canvas.glow(x, y, radius * 5, palette[3], 0.4)
    canvas.disc(x, y, radius, palette[3])
    for _ in range(9):
        turn, away = canvas.rng.uniform(0, math.tau), radius * canvas.rng.uniform(0, 0.66)
        reach = radius * canvas.rng.uniform(0.07, 0.22)
        shift = (away * math.cos(turn) * canvas.unit, away * math.sin(turn) * canvas.unit)
        spot = (x + shift[0] / canvas.width, y + shift[1] / canvas.height)
        canvas.disc(*spot, reach, mix(palette[3], palette[2], canvas.rng.uniform(0.1, 0.22)))
    for depth in (0.3, 0.65, 1):
        color = mix(palette[4], palette[5], depth)
        line = canvas.hills(0.68 + 0.2 * depth, 0.1, 2.4)
        canvas.below(line, color)
        if depth == 1:
            objects.firs(canvas, line, color, 14)


def aurora(canvas: Canvas, palette: Palette) -> None:
    """Paint northern lights above snow."""
    canvas.gradient(palette[:3])
    objects.stars(canvas, 200)
    lights = ("#3fe0a0", "#52f2b8", "#7b8cff", "#b36bff")
    for color in canvas.rng.sample(lights, 3):
        objects.curtain(canvas, hex_color(color))
    objects.ridges(canvas, palette, 0.92, 0.3)
    snow = canvas.hills(0.88, 0.05, 1.5)
    canvas.below(snow, mix(palette[2], WHITE, 0.35))
    objects.firs(canvas, canvas.hills(0.97, 0.04, 2), palette[5], 11)


def dunes(canvas: Canvas, palette: Palette) -> None:
    """Paint dunes with a lit and a shaded side."""
    x = objects.sky(canvas, palette)
    objects.sun(canvas, palette, x, 0.26)
    for layer in range(4):
        depth = layer / 3
        line = canvas.hills(0.5 + 0.34 * depth, 0.12 + 0.1 * depth, 1.8 - 0.5 * depth)
        lit = mix(mix(palette[4], palette[2], 0.5), palette[4], depth)
        canvas.below(line, lit)
        shade = mix(lit, palette[5], 0.55 + 0.3 * depth)
        crest = min(range(20, 140), key=lambda n: line[n][1])
        foot = (line[crest][0] + canvas.rng.uniform(-0.25, 0), 1.01)
        edge = objects.curve(line[crest], foot, 0.1)
        canvas.polygon([*edge, (1, 1.01), *reversed(line[crest:])], shade)


def city(canvas: Canvas, palette: Palette) -> None:
    """Paint a skyline whose lights are on, above water."""
    x = objects.sky(canvas, palette)
    canvas.cloud(mix(palette[1], WHITE, 0.2), 0.4, 0.45, 6, (0, 0.6))
    objects.sun(canvas, palette, x, 0.6, light_only=True)
    horizon = 0.76
    for depth in (0.25, 0.6, 1):
        color = mix(palette[4], palette[5], depth)
        left = -0.02
        while left < 1:
            wide = canvas.rng.uniform(3, 8) * canvas.unit / canvas.width
            tall = canvas.rng.uniform(0.1, 0.44 - 0.12 * depth) * canvas.rng.choice((0.6, 1, 1))
            objects.building(canvas, (left, horizon - tall, left + wide, horizon), color, depth)
            left += wide * canvas.rng.uniform(0.85, 1.35)
    canvas.mirror(horizon, mix(palette[0], palette[5], 0.5), 0.35)
    canvas.strokes(90, horizon, mix(palette[2], WHITE, 0.3), opacity=0.35)


def clouds(canvas: Canvas, palette: Palette) -> None:
    """Paint clouds, seen from a plane."""
    canvas.gradient(palette[:3])
    canvas.glow(canvas.rng.uniform(0.2, 0.8), 0.45, 75, palette[3], 0.7)
    for depth in (0, 0.3, 0.6, 1):
        shade = mix(
            mix(palette[2], palette[1], 0.5), mix(palette[3], WHITE, 0.4), 0.3 + 0.6 * depth
        )
        canvas.cloud(shade, 0.62, 0.85, 4.5 - 2.5 * depth, (0.34 + 0.2 * depth, 0.74 + 0.6 * depth))


def flowers(canvas: Canvas, palette: Palette) -> None:
    """Paint flowers in front of a blurred meadow."""
    greens = [hex_color(text) for text in ("#7fa35a", "#4f7a3d", "#2f5530")]
    canvas.gradient([mix(palette[1], greens[0], 0.5), *greens])
    bright = [hex_color(text) for text in ("#f7d9e3", "#f3b6c8", "#fbe3a2", "#e9f0c9", "#c9a7e0")]
    for _ in range(46):
        color = mix(canvas.rng.choice(bright), greens[1], canvas.rng.uniform(0.1, 0.7))
        spot = (canvas.rng.random(), canvas.rng.random())
        canvas.disc(*spot, canvas.rng.uniform(1.5, 8), color)
    canvas.blur(2.2)
    petals = canvas.rng.choice(bright)
    for x, y, size in ((0.34, 0.42, 17), (0.72, 0.62, 12), (0.56, 0.2, 7)):
        spot = (x + canvas.rng.uniform(-0.07, 0.07), y + canvas.rng.uniform(-0.06, 0.06))
        foot = (spot[0] + canvas.rng.uniform(-0.1, 0.1), 1.02)
        stem = objects.curve(spot, foot, canvas.rng.uniform(-0.03, 0.03))
        wide = 0.9 * canvas.unit / canvas.width
        canvas.polygon([*stem, *((a + wide, b) for a, b in reversed(stem))], greens[2])
        objects.flower(canvas, spot, size, petals)


def paper(canvas: Canvas, palette: Palette) -> None:
    """Paint layers of cut paper."""
    colors = [*palette[:3], *palette[4:]]
    canvas.image.paste(mix(palette[2], WHITE, 0.35), (0, 0, *canvas.size))
    canvas.disc(canvas.rng.uniform(0.25, 0.75), canvas.rng.uniform(0.2, 0.36), 16, palette[3])
    for layer in range(7):
        share = layer / 6
        line = canvas.hills(0.34 + 0.62 * share, 0.16, 2.4)
        at = share * (len(colors) - 1)
        low = min(int(at), len(colors) - 2)
        color = mix(colors[low], colors[low + 1], at - low)
        shadow = [(x, y - 0.012) for x, y in line]
        canvas.below(shadow, mix(color, BLACK, 0.22))
        canvas.below(line, color)


def circles(canvas: Canvas, palette: Palette) -> None:
    """Paint rings and half circles in a grid."""
    colors = [
        palette[0],
        palette[1],
        palette[2],
        palette[4],
        palette[5],
        mix(palette[2], WHITE, 0.5),
    ]
    draw = ImageDraw.Draw(canvas.image)
    side = min(canvas.size) / canvas.rng.randint(3, 4)
    columns, rows = math.ceil(canvas.width / side), math.ceil(canvas.height / side)
    for cell in range(columns * rows):
        left, top = cell % columns * side, cell // columns * side
        ground, shape, inner = canvas.rng.sample(colors, 3)
        draw.rectangle((left, top, left + side, top + side), fill=ground)
        box = (left, top, left + side, top + side)
        if canvas.rng.random() < 0.5:
            turn = canvas.rng.choice((0, 90, 180, 270))
            draw.pieslice(box, turn, turn + 180, fill=shape)
        else:
            draw.ellipse(box, fill=shape)
            inset = side * canvas.rng.uniform(0.2, 0.32)
            box = (left + inset, top + inset, left + side - inset, top + side - inset)
            draw.ellipse(box, fill=inner)
