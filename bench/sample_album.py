"""Albums of several sizes in the embedded AWS, and the services that list them."""

import hashlib
from collections import Counter as Counts
from dataclasses import replace
from typing import Any

import msgspec
from botocore.credentials import ReadOnlyCredentials

from chalicelib import dates
from chalicelib.clients import client_config, create_client
from chalicelib.photos.counts import PhotoCounts
from chalicelib.photos.cursors import Cursors
from chalicelib.photos.derived import derived
from chalicelib.photos.lists import Page, PhotoLists
from chalicelib.photos.models import DerivedItem, Photo
from chalicelib.photos.photo import PhotoQuery, PhotoState, new_id, sort_key
from chalicelib.photos.query import ItemReader
from chalicelib.photos.signed_urls import UrlSigner
from chalicelib.photos.storage import PhotoStorage

SIZES = (100, 1_000, 10_000)
COUNTED_SIZES = (100, 10_000, 100_000)  # of the largest, there are only counters
TABLE = "Photo"
BUCKET = "cloudalbum-bench-photos"
ROLE = ReadOnlyCredentials("ASIAEXAMPLEEXAMPLE12", "s" * 40, "IQoJb3JpZ2luX2VjEJ/+" * 46)
ALL_PHOTOS = PhotoQuery()


class SampleAlbum:
    """One user for each size, who has that many photos, all of them favorites."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.s3 = create_client("s3", region)
        # The embedded AWS takes long to query 20,000 items on a busy machine.
        self.dynamodb = create_client("dynamodb", region, client_config(read_seconds=30))
        self.calls = 0  # to DynamoDB
        self.dynamodb.meta.events.register("before-send", self._count)
        # As on AWS: a role signs, and the bucket is part of the host name.
        base = f"https://{BUCKET}.s3.{region}.amazonaws.com"
        self.signer = UrlSigner(base, region, 3600, lambda: ROLE)
        self.storage = PhotoStorage(self.s3, BUCKET, self.signer)
        items = ItemReader(self.dynamodb, TABLE)
        self.counts = PhotoCounts(items)
        self.lists = PhotoLists(items, self.storage.with_urls, Cursors(lambda: "secret"))
        for model in (Photo, DerivedItem):
            model.Meta.table_name, model.Meta.region = TABLE, region
        for size in SIZES:
            self._store_photos(owner(size), size)
        self._count_photos(owner(COUNTED_SIZES[-1]), COUNTED_SIZES[-1])

    def _count(self, **_: Any) -> None:
        self.calls += 1

    def page(self, size: int, query: PhotoQuery = ALL_PHOTOS) -> bytes:
        """Return a page of the album of `size` photos, as JSON."""
        return _encoded(self.lists.page(owner(size), query))

    def pages(self, size: int, query: PhotoQuery = ALL_PHOTOS) -> list[bytes]:
        """Return all pages, as JSON: with long URLs, 1,000 photos do not fit on one."""
        page = self.lists.page(owner(size), query)
        pages = [_encoded(page)]
        while page.next_cursor is not None:
            page = self.lists.page(owner(size), replace(query, cursor=page.next_cursor))
            pages.append(_encoded(page))
        return pages

    def _store_photos(self, user_id: str, size: int) -> None:
        """Store photos and what follows from them."""
        counters: Counts[tuple[str, str]] = Counts()
        with Photo.batch_write() as batch, DerivedItem.batch_write() as members:
            for number in range(size):
                photo = _photo(user_id, number, is_rare=number % (size // 10) == 7)
                batch.save(photo)
                follows = derived(photo)
                counters.update(follows.counters)
                for member in follows.members:
                    members.save(DerivedItem(user_id, member))
        self._store_counters(user_id, counters)

    def _count_photos(self, user_id: str, size: int) -> None:
        """Store the counters of photos, but not the photos, which the embedded AWS is slow with."""
        counters: Counts[tuple[str, str]] = Counts()
        for number in range(size):
            photo = _photo(user_id, number, is_rare=number % (size // 10) == 7)
            counters.update(derived(photo).counters)
        self._store_counters(user_id, counters)

    def _store_counters(self, user_id: str, counters: Counts[tuple[str, str]]) -> None:
        items: dict[str, dict[str, Any]] = {}
        for (item_id, name), number in counters.items():
            item = items.setdefault(item_id, {"user_id": {"S": user_id}, "id": {"S": item_id}})
            item[name] = {"N": str(number)}
        for item in items.values():
            self.dynamodb.put_item(TableName=TABLE, Item=item)


def _encoded(page: Page) -> bytes:
    return msgspec.json.encode({"ok": True, "photos": page.photos, "nextCursor": page.next_cursor})


def owner(size: int) -> str:
    """Return the ID of the user who has `size` photos."""
    return f"01890a5d-ac96-774b-bcce-{size:012}"


def _photo(user_id: str, number: int, is_rare: bool) -> Photo:
    """Return a ready photo of one of 36 months; only a rare one has the tag "lighthouse"."""
    photo_id = new_id()
    date = f"20{number % 36 // 12 + 20}-{number % 12 + 1:02}-{number // 36 % 28 + 1:02}"
    taken = dates.parse_date(f"{date}T12:00:00")
    tags = ["holiday", f"place {number % 50}", "lighthouse" if is_rare else "beach"]
    photo = Photo(
        user_id,
        photo_id,
        state=PhotoState.READY,
        taken_key=sort_key(taken, photo_id),
        filename=f"{photo_id}.jpg",
        filename_orig=f"DSC{number:05}.jpg",
        filesize=850_996 + number,
        content_type="image/jpeg",
        sha256=hashlib.sha256(photo_id.encode()).hexdigest(),
        width=2048,
        height=1371,
        tags=",".join(tags),
        tag_keys=tags,
        desc="An afternoon by the sea, with a little wind and a lot of sun",
        make="SONY",
        model="DSLR-A300",
        city="Valparaíso",
        nation="Chile",
        geotag_lat=-33.0458456,
        geotag_lng=-71.6196749,
        taken_date=taken.isoformat(),
        favorite=True,
        upload_date=dates.utc_now().isoformat(timespec="milliseconds"),
    )
    photo.search_text = f"{photo.tags}\n{photo.desc}\n{photo.city}".casefold()
    return photo
