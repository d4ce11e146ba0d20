"""What the integrity check of a large album costs: calls to AWS, read units and memory."""

import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.accounts.models import User
from chalicelib.images.sizes import Sizes
from chalicelib.integrity.check import Capacity, IntegrityService
from chalicelib.integrity.lists import SHARES
from chalicelib.photos.storage import PhotoStorage
from tests.support.huge_album import HugeAlbum, counters


def integrity_of(album: HugeAlbum, photos: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the check of an album, whose user has the right counters."""
    count, size = counters(photos)
    monkeypatch.setattr(User, "find", lambda sub: User(sub, photo_count=count, storage_bytes=size))
    client: Any = album
    nothing: Any = None
    pool: Any = SimpleNamespace(find=lambda sub: {})
    storage = PhotoStorage(client, "bucket", nothing)
    capacity = Capacity(client, "Photo", "User", units=0)
    return IntegrityService(storage, nothing, nothing, pool, capacity, Sizes(300, 200, 640))


def test_daily_checks_of_a_month_read_three_objects_for_each_photo_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    album = HugeAlbum(600)
    service = integrity_of(album, 600, monkeypatch)
    runs = [service.check(print, share=share) for share in range(SHARES)]
    assert album.calls["HeadObject"] == 1800
    assert sum(run.verified for run in runs) == 600
    assert all(run.is_healthy and run.photos == 600 for run in runs)


@pytest.mark.full
@pytest.mark.parametrize(
    ("share", "calls", "units"),
    [
        (None, {"HeadObject": 300_000, "ListObjectsV2": 305, "Query": 117, "Scan": 101}, 29_167),
        (0, {"HeadObject": 10_011, "ListObjectsV2": 606, "Query": 2_026, "Scan": 6}, 16_024),
    ],
    ids=["complete", "daily"],
)
def test_check_of_100_000_photos_makes_as_many_calls_as_documented(
    monkeypatch: pytest.MonkeyPatch, share: int | None, calls: dict[str, int], units: float
) -> None:
    album = HugeAlbum(100_000)
    summary = integrity_of(album, 100_000, monkeypatch).check(print, share=share)
    assert (summary.photos, summary.is_healthy) == (100_000, True)
    assert (album.calls, round(album.units)) == (calls, units)


def test_memory_does_not_grow_with_the_album(monkeypatch: pytest.MonkeyPatch) -> None:
    def peak(photos: int) -> int:
        service = integrity_of(HugeAlbum(photos), photos, monkeypatch)
        tracemalloc.start()
        try:
            service.check(print, share=0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what is imported and cached by the first run
    assert peak(4000) < 1.1 * peak(2000) < 20_000_000
