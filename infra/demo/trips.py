"""Where and when the photos of the demo were taken, and what they show: 43 trips."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from infra.demo import scenes
from infra.demo.canvas import Canvas, Palette
from infra.demo.scenes import DAWN, DAY, DUSK, NIGHT, SAND, Scene

PHOTOS_PER_TRIP = 7
PHOTOS_OF_LAST_TRIP = 15  # They fill the screen that a visitor sees first.

# First day, hours from UTC, city, country, latitude, longitude, and what there is to see.
_TRIPS = """
2018-06-09 +2 Bergen        Norway         60.393    5.324 lake mountains clouds sea
2018-08-18 +2 Rome          Italy          41.893   12.483 hills flowers city
2018-10-13 +1 London        United Kingdom 51.507   -0.128 city forest circles
2018-12-28 +1 Vienna        Austria        48.208   16.372 city moon mountains
2019-02-16 +0 Reykjavik     Iceland        64.147  -21.943 aurora mountains moon
2019-04-06 +9 Kyoto         Japan          35.011  135.768 flowers hills forest
2019-06-22 +3 Athens        Greece         37.984   23.728 sea clouds hills
2019-08-10 -7 Vancouver     Canada         49.283 -123.121 lake forest mountains sea
2019-10-05 -4 Boston        United States  42.360  -71.058 forest city lake
2019-12-21 +4 Dubai         United Arab Emirates 25.205 55.271 dunes city moon
2020-01-18 +1 Innsbruck     Austria        47.269   11.404 mountains moon lake
2020-03-07 +1 Lisbon        Portugal       38.722   -9.139 sea city paper
2020-07-04 +2 Stockholm     Sweden         59.329   18.069 lake forest sea
2020-08-15 +2 Zermatt       Switzerland    46.021    7.749 mountains lake hills
2020-10-10 +2 Heidelberg    Germany        49.399    8.672 forest hills paper
2021-02-13 +2 Rovaniemi     Finland        66.503   25.729 aurora forest mountains
2021-05-22 +2 Amsterdam     Netherlands    52.368    4.904 flowers city circles
2021-07-17 +3 Istanbul      Turkey         41.008   28.978 city sea moon
2021-08-21 +2 Dubrovnik     Croatia        42.651   18.094 sea lake clouds
2021-11-06 +1 Marrakesh     Morocco        31.630   -7.981 dunes moon circles
2022-01-15 -3 Rio de Janeiro Brazil       -22.907  -43.173 sea hills city
2022-03-19 -6 Mexico City   Mexico         19.433  -99.133 city flowers circles
2022-05-14 +2 Barcelona     Spain          41.387    2.169 sea paper city
2022-07-09 -6 Calgary       Canada         51.045 -114.057 lake mountains forest
2022-09-10 +9 Seoul         South Korea    37.567  126.978 city hills forest
2022-10-15 -7 San Francisco United States  37.775 -122.419 sea city clouds
2023-01-07 +13 Queenstown   New Zealand   -45.031  168.663 lake mountains hills
2023-02-18 +7 Hanoi         Vietnam        21.028  105.834 hills forest flowers
2023-04-22 +2 Cape Town     South Africa  -33.925   18.424 sea mountains hills
2023-06-24 +1 Galway        Ireland        53.271   -9.057 sea hills clouds
2023-09-02 +8 Singapore     Singapore       1.352  103.820 city flowers clouds
2023-11-11 +4 Muscat        Oman           23.588   58.383 dunes sea moon
2024-01-20 +1 Tromso        Norway         69.649   18.956 aurora mountains sea
2024-03-16 -5 Cusco         Peru          -13.532  -71.967 mountains hills circles
2024-05-18 +2 Florence      Italy          43.770   11.256 hills flowers paper
2024-07-20 +2 Helsinki      Finland        60.170   24.938 sea lake forest
2024-09-14 -10 Honolulu     United States  21.307 -157.858 sea clouds hills
2024-11-09 +2 Cairo         Egypt          30.044   31.236 dunes moon paper
2025-02-08 +9 Sapporo       Japan          43.062  141.354 mountains forest moon
2025-04-12 +10 Sydney       Australia     -33.869  151.209 sea city flowers
2025-06-07 +1 Edinburgh     United Kingdom 55.953   -3.188 hills lake forest
2025-08-30 -3 Buenos Aires  Argentina     -34.604  -58.382 city circles sea
2025-10-18 +2 Ljubljana     Slovenia       46.057   14.506 lake forest city mountains flowers moon
"""

# What a photo shows, when, and in which colors. {} is the city.
_VIEWS: dict[str, tuple[Scene, list[tuple[list[Palette], int, str]], str]] = {
    "hills": (
        scenes.hills,
        [
            (DAWN, 6, "Dawn over the hills near {}"),
            (DAY, 11, "Green hills near {}"),
            (DUSK, 20, "The last light on the hills near {}"),
        ],
        "hills,landscape",
    ),
    "lake": (
        scenes.lake,
        [
            (DAWN, 6, "The lake before sunrise, near {}"),
            (DAY, 13, "A clear day at the lake near {}"),
            (DUSK, 20, "Evening at the lake near {}"),
        ],
        "lake,mountains,landscape",
    ),
    "mountains": (
        scenes.mountains,
        [
            (DAY, 12, "Snow on the peaks above {}"),
            (DAWN, 7, "First light on the mountains near {}"),
            (DUSK, 19, "The mountains above {} at dusk"),
        ],
        "mountains,snow,landscape",
    ),
    "forest": (
        scenes.forest,
        [
            (DAWN, 7, "Fog in the forest near {}"),
            (DAY, 9, "A walk through the woods near {}"),
            (DUSK, 18, "Evening fog between the trees near {}"),
        ],
        "forest,fog,landscape",
    ),
    "sea": (
        scenes.sea,
        [
            (DUSK, 20, "Sunset over the water in {}"),
            (DAWN, 6, "Sunrise by the water in {}"),
            (DAY, 15, "An afternoon by the water in {}"),
        ],
        "sea,sun",
    ),
    "moon": (
        scenes.moon,
        [(NIGHT, 22, "The moon over {}"), (NIGHT, 23, "Full moon in {}")],
        "night,moon",
    ),
    "aurora": (scenes.aurora, [(NIGHT, 23, "Northern lights near {}")], "night,aurora,snow"),
    "dunes": (
        scenes.dunes,
        [(SAND, 17, "Dunes outside {}"), (SAND, 7, "Morning in the dunes outside {}")],
        "desert,landscape",
    ),
    "city": (
        scenes.city,
        [
            (DUSK, 21, "The skyline of {} after sunset"),
            (NIGHT, 22, "{} at night"),
            (DAWN, 6, "{} wakes up"),
        ],
        "city,lights",
    ),
    "clouds": (
        scenes.clouds,
        [
            (DAY, 14, "Above the clouds, on the way to {}"),
            (DUSK, 19, "The sky on the flight home from {}"),
        ],
        "clouds,flight",
    ),
    "flowers": (
        scenes.flowers,
        [(DAY, 12, "Flowers in a garden in {}"), (DAWN, 8, "A meadow near {}")],
        "flowers,garden",
    ),
    "paper": (
        scenes.paper,
        [(DUSK, 16, "Paper cut, from a workshop in {}"), (DAY, 16, "Cut paper waves")],
        "art,paper",
    ),
    "circles": (
        scenes.circles,
        [(DUSK, 15, "A tiled wall in {}"), (DAY, 15, "Tiles in {}")],
        "art,pattern",
    ),
}

_SIZES = (
    *((1600, 1067),) * 6,
    *((1600, 1200),) * 4,
    *((1067, 1600),) * 3,
    *((1200, 1600),) * 2,
    (1600, 900),
    (1400, 1400),
    (1920, 800),
)
_QUALITY = 86  # of the JPEGs
_A_DAY = 2  # photos
_CAMERAS = (
    ("FUJIFILM", "X-T4"),
    ("Apple", "iPhone 15"),
    ("SONY", "ILCE-7M4"),
    ("Google", "Pixel 8"),
)


@dataclass(frozen=True)
class Shot:
    """One photo of the demo: how it is painted, and its metadata as the API takes it."""

    number: int
    scene: Scene
    palette: Palette
    size: tuple[int, int]
    metadata: dict[str, str]
    favorite: bool
    trashed: bool

    @property
    def name(self) -> str:
        """Return its file name, by which it is found again."""
        return self.metadata["filename_orig"]


def paint(shot: Shot) -> bytes:
    """Return a photo as a JPEG."""
    canvas = Canvas(*shot.size, seed=shot.number)
    shot.scene(canvas, shot.palette)
    file = io.BytesIO()
    canvas.finish().save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def shots() -> list[Shot]:
    """Return all photos of the demo, oldest first."""
    found: list[Shot] = []
    *earlier, last = _TRIPS.strip().splitlines()
    for line in earlier:
        found += _trip(line, len(found), PHOTOS_PER_TRIP)
    found += _trip(last, len(found), PHOTOS_OF_LAST_TRIP)
    return found


def _trip(line: str, first: int, count: int) -> Iterator[Shot]:
    words = line.split()
    middle = next(
        n for n, word in enumerate(words[2:], 2) if word.lstrip("-").replace(".", "").isdigit()
    )
    # Columns of names are separated by two spaces or a fixed width: split them at their place.
    city, nation = line[14:28].strip(), line[28 : line.index(words[middle])].strip()
    latitude, longitude = map(float, words[middle : middle + 2])
    views = words[middle + 2 :]
    zone = timezone(timedelta(hours=int(words[1])))
    start = datetime.fromisoformat(words[0]).replace(tzinfo=zone)
    rng = random.Random(first)  # noqa: S311 (a picture, not a secret)
    make, model = rng.choice(_CAMERAS)
    for index in range(count):
        number = first + index
        kind = views[index % len(views)]
        scene, moments, tags = _VIEWS[kind]
        palettes, hour, text = moments[(index // len(views) + first) % len(moments)]
        taken = start + timedelta(
            days=index // _A_DAY, hours=hour, minutes=rng.randrange(60), seconds=number % 60
        )
        metadata = {
            "filename_orig": f"demo-{number + 1:03}.jpg",
            "desc": text.format(city),
            "tags": f"{tags},{taken.year}",
            "taken_date": taken.isoformat(),
            "make": make,
            "model": model,
        }
        if kind not in ("paper", "circles"):
            metadata |= {
                "geotag_lat": f"{latitude + rng.uniform(-0.06, 0.06):.5f}",
                "geotag_lng": f"{longitude + rng.uniform(-0.06, 0.06):.5f}",
                "city": city,
                "nation": nation,
            }
        yield Shot(
            number,
            scene,
            rng.choice(palettes),
            rng.choice(_SIZES),
            metadata,
            favorite=number % 13 == 4,
            trashed=number % 61 == 40,
        )
