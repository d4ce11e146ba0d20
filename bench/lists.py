"""Lists: from DynamoDB's answer to the JSON that leaves, with two presigned URLs a photo.

DynamoDB and S3 are those of an embedded AWS in a process of its own; what is measured is the CPU
time of this one.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import msgspec
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from bench.images import photo_like
from bench.table import Row, compared, milliseconds
from chalicelib import dates
from chalicelib.clients import client_config, create_client
from chalicelib.photos.lists import Cursors, PhotoLists
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import SHOWN, PhotoQuery, new_id, sort_key
from chalicelib.photos.query import BY_TAKEN, Item, ItemQuery, ItemReader, shown_fields
from chalicelib.photos.signed_urls import UrlSigner
from chalicelib.photos.storage import PhotoStorage, in_parallel, original_key, thumbnail_key

TABLE = "Photo"
_ALL = PhotoQuery()
_TRAVEL = 0.03  # seconds
SIZES = (100, 1_000, 10_000)
_ROLE = ReadOnlyCredentials("ASIAEXAMPLEEXAMPLE12", "s" * 40, "IQoJb3JpZ2luX2VjEJ/+" * 46)
_BUCKET = "cloudalbum-bench-photos"


class Album:
    """The embedded AWS with an album of each size, and the services that list them."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.s3 = create_client("s3", region)
        self.dynamodb = create_client("dynamodb", region)
        self.calls = 0
        self.dynamodb.meta.events.register("before-send", self._count)
        # As on AWS, where a role signs and the bucket is in the host's name.
        base = f"https://{_BUCKET}.s3.{region}.amazonaws.com"
        self.signer = UrlSigner(base, region, 3600, lambda: _ROLE)
        self.storage = PhotoStorage(self.s3, _BUCKET, self.signer)
        reader = ItemReader(self.dynamodb, TABLE)
        self.lists = PhotoLists(reader, self.storage.with_urls, Cursors(lambda: "secret"))
        Photo.Meta.table_name, Photo.Meta.region = TABLE, region
        for size in SIZES:
            _fill(_owner(size), size)

    def _count(self, **_: Any) -> None:
        self.calls += 1

    def page(self, size: int, query: PhotoQuery = _ALL) -> bytes:
        """Return the JSON of a page of an album."""
        page = self.lists.page(_owner(size), query)
        return msgspec.json.encode(
            {"ok": True, "photos": page.photos, "nextCursor": page.next_cursor}
        )


def _owner(size: int) -> str:
    return f"01890a5d-ac96-774b-bcce-{size:012}"


def _fill(user_id: str, size: int) -> None:
    with Photo.batch_write() as batch:
        for number in range(size):
            photo_id = new_id()
            date = f"20{number // 366 % 100:02}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
            taken = dates.parse_date(f"{date}T12:00:00")
            rare = "lighthouse" if number % (size // 10) == 7 else "beach"
            photo = Photo(
                user_id,
                photo_id,
                state="ready",
                taken_key=sort_key(taken, photo_id),
                filename=f"{photo_id}.jpg",
                filename_orig=f"DSC{number:05}.jpg",
                filesize=850_996 + number,
                content_type="image/jpeg",
                sha256=hashlib.sha256(photo_id.encode()).hexdigest(),
                width=2048,
                height=1371,
                tags=f"holiday,sea,{rare}",
                tag_keys=["holiday", "sea", rare],
                desc="An afternoon by the sea, with a little wind and a lot of sun",
                make="SONY",
                model="DSLR-A300",
                city="Valparaíso",
                nation="Chile",
                geotag_lat=-33.0458456,
                geotag_lng=-71.6196749,
                taken_date=taken.isoformat(),
                upload_date=dates.utc_now().isoformat(timespec="milliseconds"),
            )
            photo.search_text = f"{photo.tags}\n{photo.desc}\n{photo.city}".casefold()
            batch.save(photo)


def rows(album: Album) -> Iterator[Row]:
    """Measure signing, reading, encoding, all of it together, and an upload's two objects."""
    yield from _signing(album)
    yield from _listing(album)
    yield _storing(album)


def _signing(album: Album) -> Iterator[Row]:
    keys = [original_key(_owner(100), f"{new_id()}.jpg") for _ in range(500)]
    client = boto3.client(
        "s3",
        region_name=album.region,
        endpoint_url=f"https://s3.{album.region}.amazonaws.com",
        aws_access_key_id=_ROLE.access_key,
        aws_secret_access_key=_ROLE.secret_key,
        aws_session_token=_ROLE.token,
        config=client_config(),
    )

    def plain(key: str) -> str:
        url: str = client.generate_presigned_url(
            "get_object", Params={"Bucket": _BUCKET, "Key": key}, ExpiresIn=3600
        )
        return url

    acts = {
        "ours": lambda: [album.signer.url(key) for key in keys],
        "cached client": lambda: [plain(key) for key in keys],
        "SHA-256 and HMAC alone": lambda: [_hashed(album, key) for key in keys],
    }
    times = {name: one * 1000 / len(keys) for name, one in milliseconds(acts, 9).items()}
    yield compared(
        "one presigned URL of a role", times, "µs", "cached client", "SHA-256 and HMAC alone", 2
    )


def _hashed(album: Album, key: str) -> bytes:
    """Do what no signer can leave out: hash a request of this length, and sign the hash."""
    window: Any = album.signer._window
    digest = hashlib.sha256(f"GET\n/{key}\n{window.request}".encode()).digest()
    return hmac.digest(window.key, digest, "sha256")


class _Encoder(json.JSONEncoder):
    """What a tutorial would write for what JSON does not know."""

    def default(self, o: Any) -> Any:
        return str(o)


def _listing(album: Album) -> Iterator[Row]:
    user_id = _owner(1000)
    plain_client = boto3.client("s3", region_name=album.region, config=client_config())

    def plain_url(key: str) -> str:
        url: str = plain_client.generate_presigned_url(
            "get_object", Params={"Bucket": _BUCKET, "Key": key}, ExpiresIn=3600
        )
        return url

    def plain() -> str:
        photos = []
        for row in Photo.by_taken.query(user_id, scan_index_forward=False, consistent_read=True):
            photo = {name: getattr(row, name) for name in SHOWN}
            photo["thumbSrc"] = plain_url(thumbnail_key(user_id, row.id))
            photo["originalSrc"] = plain_url(original_key(user_id, row.filename))
            photos.append(photo)
        return json.dumps({"ok": True, "photos": photos, "nextCursor": None}, cls=_Encoder)

    read = _raw_reader(album, user_id)

    def limit() -> bytes:
        photos = [album.storage.with_urls(shown_fields(row)) for row in read()]
        return msgspec.json.encode({"ok": True, "photos": photos, "nextCursor": None})

    baseline, least = "Model.query, cached client, json", "urllib3, msgspec and our signer alone"
    acts: dict[str, Callable[[], object]] = {
        "ours": lambda: album.page(1000), baseline: plain, least: limit
    }  # fmt: skip
    yield compared(
        "1,000 photos with two URLs each, query to JSON",
        milliseconds(acts, 9),
        "ms of CPU",
        baseline,
        least,
        2.06,
        "each URL takes 5 µs, of which the hashes alone are 3.5",
    )
    reader = ItemReader(create_client("dynamodb", album.region), TABLE)
    query = "Model.query"
    acts = {
        "ours": lambda: _read_lean(reader, user_id),
        query: lambda: list(Photo.by_taken.query(user_id, consistent_read=True)),
        "urllib3 and msgspec": read,
    }
    times = milliseconds(acts, 9)
    yield compared("reading alone", times, "ms of CPU", query, "urllib3 and msgspec")
    photos = json.loads(album.page(1000))["photos"]
    acts = {
        "ours": lambda: msgspec.json.encode(photos),
        "json": lambda: json.dumps(photos, cls=_Encoder),
    }
    times = milliseconds(acts, 9)
    yield Row(
        "their JSON alone",
        f"{times['ours']:.3g} ms",
        f"json: {times['json']:.3g} ms, {times['json'] / times['ours']:.1f}x ours",
        "",
    )


def _read_lean(reader: ItemReader, user_id: str) -> object:
    query = ItemQuery(user_id, BY_TAKEN, ascending=False)
    return [row for page, _ in reader.pages(query, None, None) for row in page]


def _raw_reader(album: Album, user_id: str) -> Callable[[], list[Item]]:
    """Return what reads the rows with one signed request that is sent again and again."""

    class Answer(msgspec.Struct):
        Items: list[Item]

    decoder = msgspec.json.Decoder(Answer, strict=False)
    pool = urllib3.PoolManager()
    names = [f"a{number}" for number in range(len(SHOWN))]
    body = json.dumps(
        {
            "TableName": TABLE,
            "IndexName": "by_taken",
            "KeyConditionExpression": "user_id = :user",
            "ProjectionExpression": ",".join(f"#{name}" for name in names),
            "ExpressionAttributeNames": {f"#{a}": b for a, b in zip(names, SHOWN, strict=True)},
            "ExpressionAttributeValues": {":user": {"S": user_id}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
    )
    request = AWSRequest("POST", album.dynamodb.meta.endpoint_url + "/", data=body)
    request.headers["X-Amz-Target"] = "DynamoDB_20120810.Query"
    request.headers["Content-Type"] = "application/x-amz-json-1.0"
    credentials = boto3.Session().get_credentials().get_frozen_credentials()
    SigV4Auth(credentials, "dynamodb", album.region).add_auth(request)
    headers = dict(request.headers.items())

    def read() -> list[Item]:
        answer = pool.request("POST", request.url, body=body, headers=headers)
        return decoder.decode(answer.data).Items

    return read


def _storing(album: Album) -> Row:
    """Measure the two puts of an upload to an S3 that is some way off, as it is on AWS."""
    original, thumbnail = photo_like(2048, 1371), photo_like(300, 200)
    region = {"LocationConstraint": album.region}
    album.s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration=region)

    def travel(**_: Any) -> None:
        time.sleep(_TRAVEL)

    album.s3.meta.events.register("before-send.s3.PutObject", travel)

    def put(key: str, data: bytes) -> None:
        album.storage.put(key, data, "image/jpeg", hashlib.sha256(data).digest())

    def in_turn() -> None:
        put("original", original)
        put("thumbnail", thumbnail)

    acts = {
        "ours": lambda: in_parallel(
            lambda: put("original", original), lambda: put("thumbnail", thumbnail)
        ),
        "one after the other": in_turn,
        "the original alone": lambda: put("original", original),
    }
    return compared(
        f"an upload's two objects, S3 being {_TRAVEL * 1000:.0f} ms away (time, not CPU)",
        milliseconds(acts, 15, time.perf_counter),
        "ms",
        "one after the other",
        "the original alone",
    )


def growth(album: Album) -> tuple[str, Row]:
    """Measure albums of each size; return a table, and whether a page of 50 depends on it."""
    ways: dict[str, Callable[[int], object]] = {
        "list, up to 1,000": lambda size: album.page(size),
        "page of 50": lambda size: album.page(size, PhotoQuery(limit=50)),
        "search for 10 photos": lambda size: album.page(size, PhotoQuery(words=("lighthouse",))),
        "map, up to 1,000": lambda size: msgspec.json.encode(album.lists.map(_owner(size), _ALL)),
        "tags": lambda size: album.lists.tags(_owner(size)),
    }
    lines = [
        f"| | {' | '.join(f'{size:,} photos' for size in SIZES)} |",
        "|---|" + "---|" * len(SIZES),
    ]
    pages: dict[str, float] = {}
    for name, way in ways.items():
        times = milliseconds({str(size): _of_size(way, size) for size in SIZES}, 7)
        cells = []
        for size in SIZES:
            album.calls = 0
            way(size)
            calls = "1 call" if album.calls == 1 else f"{album.calls} calls"
            cells.append(f"{times[str(size)]:.3g} ms, {calls}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
        pages = times if name == "page of 50" else pages
    least, most = pages[str(SIZES[0])], pages[str(SIZES[-1])]
    return "\n".join(lines), Row(
        "a page of 50 of 10,000 photos",
        f"{most:.3g} ms of CPU",
        f"a page of 50 of 100 photos: {least:.3g} ms",
        "",
        "the same, within a fifth",
        most <= 1.2 * least,
    )


def _of_size(way: Callable[[int], object], size: int) -> Callable[[], object]:
    return lambda: way(size)
