"""Lists: from DynamoDB's response to the JSON of ours, with presigned URLs for each photo.

DynamoDB and S3 are emulated in another process, so the CPU time of this one is the album's.
"""

import functools
import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import msgspec
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse

from bench.images import photo_like
from bench.sample_album import ALL_PHOTOS, BUCKET, ROLE, SIZES, TABLE, SampleAlbum, owner
from bench.table import Row, compared, milliseconds
from chalicelib.clients import client_config, create_client
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import SHOWN, URLS, PhotoQuery, new_id
from chalicelib.photos.query import BY_TAKEN, Item, ItemQuery, ItemReader, shown_fields
from chalicelib.photos.storage import KEYS, in_parallel, original_key

Ways = dict[str, Callable[[], object]]

_LATENCY = 0.03  # seconds that each request to S3 takes on its way
_MODEL, _CLIENT = "PynamoDB's query", "botocore client, created once"
_PLAIN, _LIMIT = "PynamoDB, botocore client, json", "urllib3, msgspec and our signer alone"
_HASHES, _HTTP = "SHA-256 and HMAC alone", "urllib3 and msgspec"


def rows(album: SampleAlbum) -> Iterator[Row]:
    """Measure signing, a whole list, reading and encoding alone, and storing three objects."""
    yield _signing(album)
    read = _reader(album, owner(1000))
    yield _whole_list(album, owner(1000), read)
    yield _reading(album, owner(1000), read)
    yield _encoding(album)
    yield _storing(album)


def _signing(album: SampleAlbum) -> Row:
    keys = [original_key(owner(100), f"{new_id()}.jpg") for _ in range(500)]
    client = boto3.client(
        "s3",
        region_name=album.region,
        endpoint_url=f"https://s3.{album.region}.amazonaws.com",
        aws_access_key_id=ROLE.access_key,
        aws_secret_access_key=ROLE.secret_key,
        aws_session_token=ROLE.token,
        config=client_config(),
    )
    ways: Ways = {
        "ours": lambda: [album.signer.url(key) for key in keys],
        _CLIENT: lambda: [_presigned(client, key) for key in keys],
        _HASHES: lambda: [_hashed(album, key) for key in keys],
    }
    times = {name: one * 1000 / len(keys) for name, one in milliseconds(ways, 9).items()}
    return compared("one presigned URL, signed by a role", times, "µs", _CLIENT, _HASHES, 2)


def _presigned(client: Any, key: str) -> str:
    url: str = client.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=3600
    )
    return url


def _hashed(album: SampleAlbum, key: str) -> bytes:
    """Do what no signer can omit: hash a request of this length, and sign the hash."""
    window: Any = album.signer._window
    digest = hashlib.sha256(f"GET\n/{key}\n{window.request}".encode()).digest()
    return hmac.digest(window.key, digest, "sha256")


class _Encoder(json.JSONEncoder):
    """The usual tutorial's way to encode what JSON does not have."""

    def default(self, o: Any) -> Any:
        return str(o)


def _whole_list(album: SampleAlbum, user_id: str, read: Callable[[], list[Item]]) -> Row:
    client = boto3.client("s3", region_name=album.region, config=client_config())

    def plain() -> str:
        photos = []
        for item in Photo.by_taken.query(user_id, scan_index_forward=False, consistent_read=True):
            photo = {name: getattr(item, name) for name in SHOWN}
            for name, key_of in KEYS.items():
                photo[URLS[name]] = _presigned(client, key_of(photo))
            photos.append(photo)
        return json.dumps({"ok": True, "photos": photos, "nextCursor": None}, cls=_Encoder)

    def limit() -> bytes:
        photos = [album.storage.with_urls(shown_fields(item)) for item in read()]
        return msgspec.json.encode({"ok": True, "photos": photos, "nextCursor": None})

    ways: Ways = {"ours": lambda: album.pages(1000), _PLAIN: plain, _LIMIT: limit}
    return compared(
        f"list of 1,000 photos with {len(URLS)} URLs each, from query to JSON",
        milliseconds(ways, 9),
        "ms",
        _PLAIN,
        _LIMIT,
        1.3,
        "so many URLs need two responses, of at most 6 MB each with their escapes",
    )


def _reading(album: SampleAlbum, user_id: str, read: Callable[[], list[Item]]) -> Row:
    reader = ItemReader(create_client("dynamodb", album.region), TABLE)

    def ours() -> list[Item]:
        query = ItemQuery(user_id, BY_TAKEN, ascending=False)
        return [item for page, _ in reader.pages(query, None, None) for item in page]

    ways: Ways = {
        "ours": ours,
        _MODEL: lambda: list(Photo.by_taken.query(user_id, consistent_read=True)),
        _HTTP: read,
    }
    return compared("reading its items alone", milliseconds(ways, 9), "ms", _MODEL, _HTTP)


def _encoding(album: SampleAlbum) -> Row:
    photos = [one for page in album.pages(1000) for one in json.loads(page)["photos"]]
    ways: Ways = {
        "ours": lambda: msgspec.json.encode(photos),
        "json": lambda: json.dumps(photos, cls=_Encoder),
    }
    times = milliseconds(ways, 9)
    return Row(
        "encoding its JSON alone",
        f"{times['ours']:.3g} ms",
        f"json: {times['json']:.3g}, {times['json'] / times['ours']:.1f}x ours",
        "",
    )


def _reader(album: SampleAlbum, user_id: str) -> Callable[[], list[Item]]:
    """Return a function that reads the items by sending one signed request repeatedly."""

    class Response(msgspec.Struct):
        Items: list[Item]

    decoder = msgspec.json.Decoder(Response, strict=False)
    pool = urllib3.PoolManager()
    names = [f"a{number}" for number in range(len(SHOWN))]
    body = json.dumps(
        {
            "TableName": TABLE,
            "IndexName": BY_TAKEN,
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
        response = pool.request("POST", request.url, body=body, headers=headers)
        return decoder.decode(response.data).Items

    return read


class _NoBody(io.BytesIO):
    """The empty body of a response, as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _accepted(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Respond as S3 does after a while, whose CPU time is not ours."""
    time.sleep(_LATENCY)
    return AWSResponse(request.url, 200, {}, _NoBody())


def _storing(album: SampleAlbum) -> Row:
    """Measure the three PUTs of an upload to an S3 that has a latency, as it has on AWS."""
    original, preview, thumbnail = (
        photo_like(2048, 1371),
        photo_like(1920, 1285),
        photo_like(600, 400),
    )
    region = {"LocationConstraint": album.region}
    album.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    album.s3.meta.events.register("before-send.s3.PutObject", _accepted)

    def put_original() -> None:
        sha256 = hashlib.sha256(original).digest()
        album.storage.put_original("original", original, "image/jpeg", sha256, None)

    def put_preview() -> None:
        album.storage.put_rendition("preview", preview)

    def put_thumbnail() -> None:
        album.storage.put_rendition("thumbnail", thumbnail)

    def in_sequence() -> None:
        put_original()
        put_preview()
        put_thumbnail()

    ways: Ways = {
        "ours": lambda: in_parallel(put_original, put_preview, put_thumbnail),
        "one after the other": in_sequence,
        "the original alone": put_original,
    }
    return compared(
        f"storing an upload's three objects, S3 latency {_LATENCY * 1000:.0f} ms (elapsed time)",
        milliseconds(ways, 15, time.perf_counter),
        "ms",
        "one after the other",
        "the original alone",
        1.1,
    )


def growth(album: SampleAlbum) -> tuple[str, Row]:
    """Measure albums of each size; return a table, and whether a page of 50 depends on it."""
    ways: dict[str, Callable[[int], object]] = {
        "list, up to 1,000": album.page,
        "page of 50": lambda size: album.page(size, PhotoQuery(limit=50)),
        "search that finds 10 photos": lambda size: _search(album, size),
        "map, up to 1,000": lambda size: msgspec.json.encode(
            album.lists.map(owner(size), ALL_PHOTOS)
        ),
        "tags": lambda size: album.counts.tags(owner(size)),
    }
    lines = [
        f"| | {' | '.join(f'{size:,} photos' for size in SIZES)} |",
        "|---|" + "---|" * len(SIZES),
    ]
    times = {}
    for name, way in ways.items():
        by_size: Ways = {str(size): functools.partial(way, size) for size in SIZES}
        times[name] = milliseconds(by_size, 7)
        cells = [
            f"{times[name][str(size)]:.3g} ms, {_calls(album, by_size[str(size)])}"
            for size in SIZES
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    smallest, largest = (times["page of 50"][str(size)] for size in (SIZES[0], SIZES[-1]))
    return "\n".join(lines), Row(
        "page of 50 of 10,000 photos",
        f"{largest:.3g} ms",
        f"page of 50 of 100 photos: {smallest:.3g} ms",
        "",
        "at most 1.2x that of 100 photos",
        largest <= 1.2 * smallest,
    )


def _search(album: SampleAlbum, size: int) -> None:
    """Search all pages: a page ends early where the emulated DynamoDB is slow."""
    query, found = PhotoQuery(words=("lighthouse",)), 0
    while True:
        page = json.loads(album.page(size, query))
        found += len(page["photos"])
        if not page["nextCursor"]:
            break
        query = replace(query, cursor=page["nextCursor"])
    if found != 10:
        raise RuntimeError(f"The search in {size} photos found {found} instead of 10.")


def _calls(album: SampleAlbum, way: Callable[[], object]) -> str:
    """Return how many calls to DynamoDB a way makes, in words."""
    album.calls = 0
    way()
    return "1 call" if album.calls == 1 else f"{album.calls} calls"
