"""An album of one user that is too large for an emulator, behind clients that count their calls.

Objects and items exist only while they are listed, so that a test can measure memory.
"""

import base64
import bisect
import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chalicelib.photos.derived import hash_id
from chalicelib.photos.photo import PhotoState

SUB = "5d0bd6a8-2a1b-4b52-9b36-0d9f9a8a1f6e"
_SIZE = 3_000_000  # bytes
_HASH = hashlib.sha256(b"photo")
_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_START = 1_733_000_000_000  # milliseconds
_BETWEEN = 600_000  # a photo every ten minutes
# Items of hashes have about 165 bytes, and an eventually consistent unit has 8 kB.
_HASHES_PER_UNIT = 48
_PAGE_OF_HASHES = 6000
_PAGE = 1000  # of S3; DynamoDB's has 1 MB, which is about as many items of 1 kB


class HugeAlbum:
    """The clients of S3 and of DynamoDB, and how often they were called."""

    def __init__(self, photos: int) -> None:
        self.calls = Counter[str]()
        self.units = 0.0
        self._ids = [_id(number) for number in range(photos)]

    # S3

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str, Delimiter: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803 (S3's names)
        found: dict[str, tuple[str, ...]] = {
            "photos/": (f"photos/{SUB}/",),
            "uploads/": (),
            f"photos/{SUB}/": (f"photos/{SUB}/previews/", f"photos/{SUB}/thumbnails/"),
            f"photos/{SUB}/previews/": (),
            f"photos/{SUB}/thumbnails/": (),
            f"uploads/{SUB}/": (),
        }
        folders = [{"Prefix": prefix} for prefix in found[Prefix]]
        assert not folders or Delimiter, "this list would have the objects of subfolders, too"
        ids = self._ids if Prefix.startswith("photos/") and SUB in Prefix else []
        for start in range(0, max(len(ids), 1), _PAGE):
            self.calls["ListObjectsV2"] += 1
            contents = [
                {"Key": f"{Prefix}{one}.jpg", "Size": _SIZE, "LastModified": _NOON}
                for one in ids[start : start + _PAGE]
            ]
            is_last = start + _PAGE >= len(ids)
            yield {"Contents": contents, "CommonPrefixes": folders if is_last else []}

    def head_object(self, **_: Any) -> dict[str, Any]:
        self.calls["HeadObject"] += 1
        checksum = base64.b64encode(_HASH.digest()).decode()
        return {"ContentLength": _SIZE, "LastModified": _NOON, "ChecksumSHA256": checksum}

    # DynamoDB

    def query(self, **request: Any) -> dict[str, Any]:
        values = request["ExpressionAttributeValues"]
        if ":before" not in values:
            return self._hashes(request)
        first = bisect.bisect_left(self._ids, values[":first"]["S"])
        end = bisect.bisect_left(self._ids, values[":before"]["S"])
        return self._page("Query", request, first, end)

    def scan(self, **request: Any) -> dict[str, Any]:
        if request["TableName"] == "User":
            self.calls["Scan"] += 1
            return {"Items": [{"sub": {"S": SUB}}], "ConsumedCapacity": {"CapacityUnits": 0.5}}
        # All items of a user are in one segment; on average, a segment has an equal part.
        end = len(self._ids) // request["TotalSegments"]
        page = self._page("Scan", request, 0, end)
        # It also reads the items of hashes.
        self.units += page["ConsumedCapacity"]["CapacityUnits"] * 8 / _HASHES_PER_UNIT
        return page

    def _hashes(self, request: dict[str, Any]) -> dict[str, Any]:
        self.calls["Query"] += 1
        start = request.get("ExclusiveStartKey", {"start": 0})["start"]
        stop = min(start + _PAGE_OF_HASHES, len(self._ids))
        units = max(0.5, (stop - start) / _HASHES_PER_UNIT)
        self.units += units
        more = {"LastEvaluatedKey": {"start": stop}} if stop < len(self._ids) else {}
        items = [
            {"id": {"S": hash_id(_HASH.hexdigest())}, "photo_ids": {"SS": [one]}}
            for one in self._ids[start:stop]
        ]
        return {"Items": items, "ConsumedCapacity": {"CapacityUnits": units}, **more}

    def _page(
        self, operation: str, request: dict[str, Any], first: int, end: int
    ) -> dict[str, Any]:
        self.calls[operation] += 1
        start = request.get("ExclusiveStartKey", {"start": first})["start"]
        stop = min(start + request.get("Limit", _PAGE), end)
        units = max(0.5, (stop - start) / (4 if request.get("ConsistentRead") else 8))
        self.units += units
        more = {"LastEvaluatedKey": {"start": stop}} if stop < end else {}
        items = [_item(one) for one in self._ids[start:stop]]
        return {"Items": items, "ConsumedCapacity": {"CapacityUnits": units}, **more}


def _id(number: int) -> str:
    """Return the UUIDv7 of a photo that was uploaded after `number` others."""
    digits = f"{_START + number * _BETWEEN:012x}7{number % 4096:03x}8{number:015x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _item(photo_id: str) -> dict[str, Any]:
    texts = {
        "user_id": SUB,
        "id": photo_id,
        "state": PhotoState.READY,
        "filename": f"{photo_id}.jpg",
        "sha256": _HASH.hexdigest(),
        "thumbnail_sha256": _HASH.hexdigest(),
        "preview_sha256": _HASH.hexdigest(),
        "thumbhash": "3/cJPZqAh4eAiHh4iHh4iIBwCPh4",
    }
    item = {name: {"S": value} for name, value in texts.items()}
    return item | {"filesize": {"N": str(_SIZE)}}


def counters(photos: int) -> tuple[int, int]:
    """Return the number of photos and of their bytes."""
    return photos, photos * _SIZE
