"""What the scenes of the demo consist of: a sky, the sun, ridges, trees, buildings, flowers."""

import math

from PIL import Image, ImageDraw

from infra.demo.canvas import Canvas, Color, Palette, Point, hex_color, mix

WHITE, BLACK = (255, 255, 255), (12, 14, 24)


def sky(canvas: Canvas, palette: Palette) -> float:
    """Paint the sky, and return where the sun is, from the left."""
    canvas.gradient(palette[:3], 0, 0.7)
    canvas.gradient([palette[2], palette[2]], 0.69)
    return canvas.rng.uniform(0.22, 0.78)


def sun(canvas: Canvas, palette: Palette, x: float, y: float, *, light_only: bool = False) -> None:
    """Paint the sun and its light."""
    canvas.glow(x, y, 60, mix(palette[3], palette[2], 0.4), 0.75)
    canvas.glow(x, y, 22, palette[3], 0.9)
    if not light_only:
        canvas.disc(x, y, canvas.rng.uniform(3.6, 6.5), palette[3])


def stars(canvas: Canvas, count: int) -> None:
    """Paint stars."""
    for _ in range(count):
        spot = (canvas.rng.random(), canvas.rng.random() * 0.75)
        shade = mix(hex_color("#6f7fae"), WHITE, canvas.rng.random())
        canvas.disc(*spot, canvas.rng.uniform(0.06, 0.2), shade)


def ridges(canvas: Canvas, palette: Palette, base: float, height: float) -> None:
    """Paint two ridges of mountains, the farther one with snow."""
    for depth in (0, 0.5):
        rock = mix(palette[4], palette[5], 0.15 + depth * 0.8)
        line = canvas.peaks(base, height * (1 - 0.35 * depth))
        canvas.below(line, rock)
        if depth == 0:
            snow(canvas, line, base - height * 0.52, mix(palette[3], palette[4], 0.12))


def snow(canvas: Canvas, line: list[Point], level: float, color: Color) -> None:
    """Paint snow on everything of a ridge that is above a level."""
    edge = []
    for x, y in line:
        if y < level:
            deep = (level - y) * 0.75
            edge.append((x, y + max(0.0, deep * (0.45 + 0.55 * canvas.rng.random()))))
        else:
            edge.append((x, y))
    canvas.polygon([*line, *reversed(edge)], color)
    shaded = [(x, y) for x, y in line if y < level]
    if shaded:
        top = min(shaded, key=lambda point: point[1])
        side = [(x, y) for x, y in line if x >= top[0]]
        low = [(x, y) for x, y in edge if x >= top[0]]
        # The shade begins at a ridge that comes down from the top, not at a straight line.
        steps = [(low[0][1] - top[1]) * step / 6 for step in range(7)]
        reach = 0.8 * canvas.unit / canvas.width
        ridge = [(top[0] + canvas.rng.uniform(-2, 3) * reach, top[1] + down) for down in steps[1:]]
        low = [*ridge, *low[1:]]
        canvas.polygon([*side, *reversed(low)], mix(color, hex_color("#5f6f93"), 0.35))


def firs(canvas: Canvas, line: list[Point], color: Color, size: float) -> None:
    """Paint firs along a line, and everything below it."""
    x = -0.02
    while x < 1.02:
        base = line[min(160, max(0, round(x * 160)))][1] + 0.01
        tall = size * canvas.unit / canvas.height * canvas.rng.uniform(0.55, 1.15)
        wide = size * canvas.unit / canvas.width * canvas.rng.uniform(0.13, 0.2)
        for part in range(4):
            top, bottom = base - tall * (1 - part * 0.2), base - tall * (0.62 - part * 0.21)
            half = wide * (0.45 + part * 0.22)
            canvas.polygon([(x, top), (x + half, bottom), (x - half, bottom)], color)
        x += wide * canvas.rng.uniform(0.8, 2.4)
    canvas.below(line, color)


def curtain(canvas: Canvas, color: Color) -> None:
    """Paint one band of northern lights, whose rays fade upwards."""
    small = (150, max(50, round(150 * canvas.height / canvas.width)))
    mask = Image.new("L", small)
    draw = ImageDraw.Draw(mask)
    path = canvas.hills(canvas.rng.uniform(0.42, 0.6), 0.24, canvas.rng.uniform(1.2, 2.2))
    strength = 0.5
    for x in range(small[0]):
        strength = min(1.0, max(0.2, strength + canvas.rng.uniform(-0.13, 0.13)))
        foot = path[round(x / small[0] * 160)][1] * small[1]
        length = small[1] * (0.22 + 0.3 * strength)
        for y in range(max(0, int(foot - length)), int(foot)):
            share = max(0.0, 1 - (foot - y) / length)
            draw.point((x, y), fill=round(215 * strength * share**1.6))
    wide = mask.resize(canvas.size, Image.Resampling.BILINEAR)
    canvas.image.paste(color, (0, 0, *canvas.size), wide)


def building(
    canvas: Canvas, box: tuple[float, float, float, float], color: Color, depth: float
) -> None:
    """Paint a building; near ones have lit windows."""
    left, top, right, bottom = box
    canvas.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], color)
    if canvas.rng.random() < 0.2:
        middle, thin = (left + right) / 2, 0.2 * canvas.unit / canvas.width
        tip = top - canvas.rng.uniform(0.02, 0.06)
        canvas.polygon([(middle - thin, top), (middle, tip), (middle + thin, top)], color)
    if depth < 0.5:
        return
    step, light = 1.5 * canvas.unit, hex_color("#ffd98a")
    for column in range(int((right - left) * canvas.width / step) - 1):
        for row in range(int((bottom - top) * canvas.height / step) - 1):
            if canvas.rng.random() < 0.32:
                x = left + (column + 0.8) * step / canvas.width
                y = top + (row + 0.8) * step / canvas.height
                wide, tall = 0.6 * canvas.unit / canvas.width, 0.75 * canvas.unit / canvas.height
                shade = mix(color, light, canvas.rng.uniform(0.35, 1))
                canvas.polygon([(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall)], shade)


def boat(canvas: Canvas, x: float, horizon: float, color: Color) -> None:
    """Paint a sailing boat."""
    wide, tall = 5 * canvas.unit / canvas.width, 5 * canvas.unit / canvas.height
    y = horizon + 0.045
    deck, keel = (x - wide, x + wide), (x + wide * 0.7, x - wide * 0.7)
    canvas.polygon([(one, y) for one in deck] + [(one, y + tall * 0.3) for one in keel], color)
    for mast, reach, top in ((x, 0.85, 1.9), (x - wide * 0.1, -0.6, 1.5)):
        foot = y - tall * 0.1
        canvas.polygon([(mast, y - tall * top), (mast + wide * reach, foot), (mast, foot)], color)


def flower(canvas: Canvas, spot: Point, size: float, color: Color) -> None:
    """Paint a flower."""
    turn, petals = canvas.rng.uniform(0, 1), canvas.rng.randint(6, 9)
    for ring, shade in ((1, mix(color, hex_color("#7a4a78"), 0.18)), (0.94, color)):
        for petal in range(petals):
            angle = (petal + turn + (0.5 if ring < 1 else 0)) * math.tau / petals
            points = []
            for step in range(25):
                at = step / 24 * math.tau
                along, across = (
                    size * ring * (0.52 - 0.48 * math.cos(at)),
                    size * 0.24 * math.sin(at),
                )
                across *= 0.7 + 0.3 * along / size
                dx = (along * math.cos(angle) - across * math.sin(angle)) * canvas.unit
                dy = (along * math.sin(angle) + across * math.cos(angle)) * canvas.unit
                points.append((spot[0] + dx / canvas.width, spot[1] + dy / canvas.height))
            canvas.polygon(points, shade if petal % 2 else mix(shade, WHITE, 0.12))
    canvas.disc(*spot, size * 0.24, hex_color("#e0a83c"))
    canvas.disc(*spot, size * 0.15, hex_color("#b97a22"))


def curve(start: Point, end: Point, bend: float) -> list[Point]:
    """Return a bent line between two points."""
    found = []
    for step in range(31):
        share = step / 30
        x = start[0] + (end[0] - start[0]) * share + bend * math.sin(share * math.pi)
        found.append((x, start[1] + (end[1] - start[1]) * share))
    return found
