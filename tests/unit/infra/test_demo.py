"""The photos of the demo, and how they come into an album without being there twice."""

import io
import json
from collections import Counter
from datetime import datetime
from typing import Any
from unittest import mock

import pytest
import requests
from PIL import Image

from infra.demo import __main__ as demo
from infra.demo.trips import paint, shots
from infra.errors import OperatorError


def test_demo_has_about_300_photos_of_many_places_over_several_years() -> None:
    found = shots()
    assert 290 <= len(found) <= 310
    assert len({shot.name for shot in found}) == len(found)
    dates = [datetime.fromisoformat(shot.metadata["taken_date"]) for shot in found]
    assert len({date.year for date in dates}) >= 6
    assert max(Counter(date.date() for date in dates).values()) >= 2
    assert all(date.utcoffset() is not None for date in dates)
    cities = {shot.metadata["city"] for shot in found if "city" in shot.metadata}
    assert len(cities) > 40
    assert {"Rio de Janeiro", "Dubai", "Queenstown"} <= cities
    for shot in found:
        assert "{" not in shot.metadata["desc"]
        if "city" in shot.metadata:
            assert shot.metadata["nation"]
            assert -90 < float(shot.metadata["geotag_lat"]) < 90
    assert 15 < sum(shot.favorite for shot in found) < 40
    assert 2 < sum(shot.trashed for shot in found) < 10


def test_every_scene_is_painted_the_same_each_time_in_the_size_of_its_photo() -> None:
    by_scene = {shot.scene: shot for shot in shots()}
    assert len(by_scene) >= 12
    for shot in by_scene.values():
        image = Image.open(io.BytesIO(paint(shot)))
        assert image.size == shot.size
        colors = image.resize((64, 64)).getcolors(64 * 64)
        assert len(colors or []) > 60  # not empty
    assert paint(shot) == paint(shot)
    assert len({shot.size for shot in shots()}) >= 5


class FakeAlbum(demo.Album):
    """An API in memory, of which some responses say that it is busy."""

    def __init__(self) -> None:
        super().__init__("http://album")
        self.photos: dict[str, dict[str, Any]] = {}
        self.busy = 0
        self._session.request = self._respond

    def _respond(self, method: str, url: str, **options: Any) -> requests.Response:
        response, path = requests.Response(), url.removeprefix("http://album")
        self.busy += 1
        response.status_code = 200
        body: dict[str, Any] = {"accessToken": "token"}
        if self.busy % 7 == 0:
            response.status_code, body = 503, {"Message": "Busy."}
            response.headers["Retry-After"] = "0"
        elif path == "/photos/file":
            photo = {"id": str(len(self.photos)), **options["data"]}
            self.photos[photo["id"]] = photo
            body = {"photo_id": photo["id"]}
        elif path == "/photos":
            trashed = "trashed" in options["params"]
            listed = [one for one in self.photos.values() if ("trash" in one) == trashed]
            body = {"photos": listed, "nextCursor": None}
        elif path.startswith("/photos/"):
            change = options.get("json") or {"trash": True}
            self.photos[path.split("/")[2]] |= change
        response._content = json.dumps(body).encode()
        return response


@pytest.fixture
def album(monkeypatch: pytest.MonkeyPatch) -> FakeAlbum:
    first = [shot for shot in shots() if shot.number in (4, 17, 40)]
    monkeypatch.setattr(demo, "shots", lambda: first)
    return FakeAlbum()


def test_demo_that_runs_again_adds_only_what_is_missing(album: FakeAlbum) -> None:
    album.sign_in()
    assert demo.fill(album) == 3
    assert sorted(one["filename_orig"] for one in album.photos.values()) == [
        "demo-005.jpg",
        "demo-018.jpg",
        "demo-041.jpg",
    ]
    assert sum("favorite" in one for one in album.photos.values()) == 2
    assert [one["filename_orig"] for one in album.photos.values() if "trash" in one] == [
        "demo-041.jpg"
    ]
    assert demo.fill(album) == 0
    assert len(album.photos) == 3
    album.photos.pop("0")
    assert demo.fill(album) == 1


def test_demo_without_an_album_says_how_to_start_one(album: FakeAlbum) -> None:
    album._session.request = mock.Mock(side_effect=requests.ConnectionError)
    with pytest.raises(OperatorError, match="Start it with `make run`"):
        album.sign_in()
