"""Counters and members of lists: what the timeline, the tags and favorites cost as albums grow."""

import functools
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from bench.sample_album import COUNTED_SIZES, SampleAlbum, owner
from bench.table import Row, milliseconds
from chalicelib.photos.photo import URLS, PhotoQuery

_PAGE = PhotoQuery(limit=50)
_FAVORITES = PhotoQuery(favorite=True, limit=50)
_UNIT = 4_096  # bytes that one read unit reads


def rows(album: SampleAlbum) -> Iterator[Row]:
    """Measure the bytes of fewer URLs, a page of favorites, the timeline and the tags."""
    yield _urls(album)
    yield _favorites(album)
    yield _counted(album, "timeline", album.counts.months)
    yield _counted(album, "tags", album.counts.tags)


def _urls(album: SampleAlbum) -> Row:
    size = {names: _bytes(album, names) for names in ((*URLS,), ("thumb",))}
    share = size["thumb",] / size[(*URLS,)]
    return Row(
        "bytes of a list of 1,000 photos with `urls=thumb`",
        f"{size['thumb',] / 1e6:.2f} MB, {share:.0%}",
        f"with all {len(URLS)} URLs: {size[(*URLS,)] / 1e6:.2f} MB",
        "",
        "at most 45% of all three",
        share <= 0.45 if len(URLS) == 3 else None,
    )


def _bytes(album: SampleAlbum, names: tuple[str, ...]) -> int:
    return sum(map(len, album.pages(1_000, PhotoQuery(urls=names))))


def _favorites(album: SampleAlbum) -> Row:
    ways = {
        "ours": lambda: album.page(10_000, _FAVORITES),
        "list": lambda: album.page(10_000, _PAGE),
    }
    times = milliseconds(ways, 9)
    calls = _calls(album, ways["ours"])
    if len(json.loads(album.page(10_000, _FAVORITES))["photos"]) != _FAVORITES.limit:
        raise RuntimeError("The album has no favorites.")
    return Row(
        "page of 50 of 10,000 favorites",
        f"{times['ours']:.3g} ms, {calls} calls",
        f"page of 50 of 10,000 photos: {times['list']:.3g} ms",
        "",
        "at most 2 calls",
        calls <= 2,
    )


def _counted(album: SampleAlbum, name: str, count: Callable[[str], Any]) -> Row:
    """Compare albums of several sizes that have photos in the same months, and the same tags."""
    ways = {str(size): functools.partial(count, owner(size)) for size in COUNTED_SIZES}
    times = milliseconds(ways, 25)
    smallest, *others = (f"{size:,}" for size in COUNTED_SIZES)
    found = {size: (_calls(album, way), _units(album, way)) for size, way in ways.items()}
    shown = [
        f"{times[size]:.3g} ms, {found[size][0]} call, {found[size][1]} units" for size in ways
    ]
    slowest = max(times.values()) / times[str(COUNTED_SIZES[0])]
    return Row(
        f"{name} of {others[-1]} photos",
        shown[-1],
        f"{smallest} photos: {shown[0]}; {others[0]} photos: {shown[1]}",
        "",
        "the same calls and units, and at most 1.2x the CPU time",
        len(set(found.values())) == 1 and slowest <= 1.2,
    )


def _calls(album: SampleAlbum, way: Callable[[], object]) -> int:
    album.calls = 0
    way()
    return album.calls


def _units(album: SampleAlbum, way: Callable[[], object]) -> int:
    """Return the read units of consistent queries, as DynamoDB counts the items that they read."""
    units = 0

    def count(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal units
        items = json.loads(parsed["Body"])["Items"]
        units += math.ceil(sum(map(_item_bytes, items)) / _UNIT)

    events = album.dynamodb.meta.events
    events.register("after-call.dynamodb.Query", count)
    way()
    events.unregister("after-call.dynamodb.Query", count)
    return units


def _item_bytes(item: dict[str, dict[str, str]]) -> int:
    """Return the bytes of an item's names and texts, counting a byte for each digit."""
    return sum(len(name.encode()) + len(*value.values()) for name, value in item.items())
