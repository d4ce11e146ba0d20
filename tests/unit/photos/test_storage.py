"""Originals, previews and thumbnails in S3."""

import base64
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from chalicelib.clients import bucket_url, client_config
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.photos.signed_urls import UrlSigner
from chalicelib.photos.storage import (
    PhotoStorage,
    StoredObject,
    content_disposition,
    in_parallel,
    original_key,
    preview_key,
    thumbnail_key,
    upload_key,
)
from tests.support.stubs import stubbed

ABC = hashlib.sha256(b"abc").digest()
ABC_BASE64 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="  # FIPS 180-2, appendix B.1
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with stubbed("s3", config=client_config()) as stubber:
        yield stubber


@pytest.fixture
def storage(stub: Stubber) -> PhotoStorage:
    url = bucket_url("bucket", "eu-west-1", None)
    signer = UrlSigner(
        url, "eu-west-1", 900, lambda: ReadOnlyCredentials("testing", "testing", None)
    )
    return PhotoStorage(stub.client, "bucket", signer, originals_class="GLACIER_IR")


def test_keys_are_in_folders_of_their_user() -> None:
    assert original_key("sub-1", "id-1.png") == "photos/sub-1/id-1.png"
    assert thumbnail_key("sub-1", "id-1") == "photos/sub-1/thumbnails/id-1.jpg"
    assert preview_key("sub-1", "id-1") == "photos/sub-1/previews/id-1.jpg"
    assert upload_key("sub-1", "id-1") == "uploads/sub-1/id-1"


def test_object_is_stored_with_the_hash_that_s3_verifies_and_an_original_in_its_storage_class(
    stub: Stubber, storage: PhotoStorage
) -> None:
    thumbnail = {
        "Bucket": "bucket",
        "Key": "key",
        "Body": b"abc",
        "ContentType": "image/jpeg",
        "CacheControl": "private, max-age=31536000, immutable",
        "ChecksumAlgorithm": "SHA256",
        "ChecksumSHA256": ABC_BASE64,
    }
    original = {"ContentType": "image/png", "StorageClass": "GLACIER_IR"}
    tagged = thumbnail | {"Tagging": "kind=rendition"}
    stub.add_response("put_object", {}, tagged)
    storage.put_rendition("key", b"abc")
    stub.add_response("put_object", {}, thumbnail | original)
    storage.put_original("key", b"abc", "image/png", ABC, None)


def test_deletion_fails_if_s3_has_not_deleted_an_object(
    stub: Stubber, storage: PhotoStorage
) -> None:
    error = {"Key": "b", "Code": "InternalError", "Message": "We encountered an internal error."}
    stub.add_response(
        "delete_objects",
        {"Errors": [error]},
        {
            "Bucket": "bucket",
            "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True},
        },
    )
    with pytest.raises(Unavailable):
        storage.delete(["a", "b"])


def test_deletion_of_a_missing_object_succeeds(stub: Stubber, storage: PhotoStorage) -> None:
    stub.add_response("delete_objects", {}, {"Bucket": "bucket", "Delete": ANY})
    storage.delete(["a"])


def test_url_has_a_version_4_signature_and_the_lifetime_of_the_settings(
    storage: PhotoStorage,
) -> None:
    url = urlsplit(storage.url("photos/sub-1/id-1.png"))
    query = parse_qs(url.query)
    # The global host redirects, which would make the signature invalid.
    assert url.hostname == "bucket.s3.eu-west-1.amazonaws.com"
    assert url.path == "/photos/sub-1/id-1.png"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["900"]
    assert "/eu-west-1/s3/aws4_request" in query["X-Amz-Credential"][0]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b.jpg", "inline; filename=\"a b.jpg\"; filename*=UTF-8''a%20b.jpg"),
        ("é.jpg", "inline; filename=\"e.jpg\"; filename*=UTF-8''%C3%A9.jpg"),
        ("名.jpg", "inline; filename=\"_.jpg\"; filename*=UTF-8''%E5%90%8D.jpg"),
        ('a".jpg', "inline; filename=\"a_.jpg\"; filename*=UTF-8''a%22.jpg"),
        ("50%20.jpg", "inline; filename=\"50_20.jpg\"; filename*=UTF-8''50%2520.jpg"),
        ("it's;x=1", "inline; filename=\"it's;x=1\"; filename*=UTF-8''it%27s%3Bx%3D1"),
        ("a\r\nX: 1\0\x7f", "inline; filename=\"a__X: 1__\"; filename*=UTF-8''a__X%3A%201__"),
        ("../x\\y", "inline; filename=\".._x_y\"; filename*=UTF-8''.._x_y"),
        ("\u202egpj.exe", "inline; filename=\"_gpj.exe\"; filename*=UTF-8''_gpj.exe"),
        ("\ud800", "inline; filename=\"_\"; filename*=UTF-8''_"),
    ],
)
def test_content_disposition_has_the_name_without_unsafe_characters(name: str, header: str) -> None:
    assert content_disposition(name) == header


@pytest.mark.parametrize("name", ["𝕏" * 2000, "𝕏" * 2000 + ".jpg", "." + "𝕏" * 2000])
def test_long_name_is_shortened_to_what_s3_accepts_and_keeps_its_extension(name: str) -> None:
    header = content_disposition(name)
    assert len(header) < 4000
    assert header.endswith(".jpg") is name.endswith(".jpg")


def test_presigned_post_accepts_one_key_and_one_size(storage: PhotoStorage) -> None:
    form = storage.presigned_post("uploads/sub-1/id-1", 10, 3600)
    assert form["url"] == "https://bucket.s3.eu-west-1.amazonaws.com/"
    assert form["fields"]["key"] == "uploads/sub-1/id-1"
    assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    conditions = json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]
    assert ["content-length-range", 10, 10] in conditions
    assert {"key": "uploads/sub-1/id-1"} in conditions
    assert {"bucket": "bucket"} in conditions


def download(data: bytes, length: int) -> dict[str, Any]:
    """Return S3's response with the given data and Content-Length."""
    body = StreamingBody(io.BytesIO(data), length)
    return {"Body": body, "ContentLength": length, "ETag": '"e"'}


def test_upload_is_fetched_with_its_etag(stub: Stubber, storage: PhotoStorage) -> None:
    stub.add_response("get_object", download(b"abc", 3), {"Bucket": "bucket", "Key": "key"})
    assert storage.fetch("key", 3) == (b"abc", '"e"')


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("NoSuchKey", 404), ("404", 404)]
)
@pytest.mark.parametrize("operation", ["get_object", "copy_object"])
def test_missing_object_is_not_found_even_if_s3_responds_with_403(
    stub: Stubber, storage: PhotoStorage, operation: str, code: str, status: int
) -> None:
    stub.add_client_error(operation, code, "Access Denied", status)
    actions: dict[str, Callable[[], object]] = {
        "get_object": lambda: storage.fetch("key", 3),
        "copy_object": lambda: storage.copy("key", '"e"', "target", "image/png", ABC, None),
    }
    with pytest.raises(NotFound):
        actions[operation]()


def test_other_error_of_s3_is_raised_unchanged(stub: Stubber, storage: PhotoStorage) -> None:
    stub.add_client_error("get_object", "SlowDown", "Please reduce your request rate.", 503)
    with pytest.raises(stub.client.exceptions.ClientError, match="SlowDown"):
        storage.fetch("key", 3)


def test_upload_with_another_size_than_announced_is_a_conflict(
    stub: Stubber, storage: PhotoStorage
) -> None:
    stub.add_response("get_object", download(b"abcd", 4))
    with pytest.raises(Conflict, match="has 4 bytes, but 3 were announced"):
        storage.fetch("key", 3)


def test_interrupted_download_can_be_retried(stub: Stubber, storage: PhotoStorage) -> None:
    stub.add_response("get_object", download(b"ab", 3))
    with pytest.raises(Unavailable):
        storage.fetch("key", 3)


@pytest.mark.parametrize("checksum", [{}, {"ChecksumSHA256": ABC_BASE64}])
def test_copy_has_the_etag_that_was_read_and_the_headers_of_an_original(
    stub: Stubber, storage: PhotoStorage, checksum: dict[str, str]
) -> None:
    stub.add_response(
        "copy_object",
        {"CopyObjectResult": {"ETag": '"e"', **checksum}},
        {
            "Bucket": "bucket",
            "Key": "target",
            "CopySource": {"Bucket": "bucket", "Key": "source"},
            "CopySourceIfMatch": '"e"',
            "MetadataDirective": "REPLACE",
            "ChecksumAlgorithm": "SHA256",
            "ContentType": "image/png",
            "CacheControl": "private, max-age=31536000, immutable",
            "ContentDisposition": "inline; filename=\"a.png\"; filename*=UTF-8''a.png",
            "StorageClass": "GLACIER_IR",
        },
    )
    storage.copy("source", '"e"', "target", "image/png", ABC, "a.png")


def test_copy_with_another_hash_can_be_retried(stub: Stubber, storage: PhotoStorage) -> None:
    stub.add_response("copy_object", {"CopyObjectResult": {"ChecksumSHA256": "AAAA"}})
    with pytest.raises(Unavailable):
        storage.copy("source", '"e"', "target", "image/png", ABC, None)


def test_copy_of_an_object_that_has_changed_is_a_conflict(
    stub: Stubber, storage: PhotoStorage
) -> None:
    stub.add_client_error("copy_object", "PreconditionFailed", "did not hold", 412)
    with pytest.raises(Conflict):
        storage.copy("source", '"e"', "target", "image/png", ABC, None)


def test_parallel_actions_are_all_finished_before_an_error_is_raised() -> None:
    started, done = threading.Barrier(2, timeout=10), threading.Event()

    def fail() -> None:
        started.wait()
        raise Unavailable

    def take_longer() -> None:
        started.wait()  # Both are running.
        time.sleep(0.05)
        done.set()

    with pytest.raises(Unavailable):
        in_parallel(fail, take_longer)
    assert done.is_set()
    with pytest.raises(threading.BrokenBarrierError):
        in_parallel(take_longer, started.abort)


@pytest.mark.parametrize(
    ("checksum", "sha256"), [({}, None), ({"ChecksumSHA256": ABC_BASE64}, ABC.hex())]
)
def test_head_returns_size_time_and_hash_if_s3_has_one(
    stub: Stubber, storage: PhotoStorage, checksum: dict[str, str], sha256: str | None
) -> None:
    stub.add_response(
        "head_object",
        {"ContentLength": 3, "LastModified": NOON, **checksum},
        {"Bucket": "bucket", "Key": "key", "ChecksumMode": "ENABLED"},
    )
    assert storage.head("key") == StoredObject("key", 3, NOON, sha256)


def test_head_of_a_missing_object_is_none_but_a_missing_permission_is_an_error(
    stub: Stubber, storage: PhotoStorage
) -> None:
    stub.add_client_error("head_object", "404", "Not Found", 404)
    assert storage.head("key") is None
    stub.add_client_error("head_object", "403", "Forbidden", 403)
    with pytest.raises(stub.client.exceptions.ClientError, match="403"):
        storage.head("key")


def test_hash_of_an_object_is_computed_in_chunks(stub: Stubber, storage: PhotoStorage) -> None:
    data = bytes(range(256)) * 10_000  # more than two chunks
    stub.add_response("get_object", download(data, len(data)))
    assert storage.sha256("key") == hashlib.sha256(data).hexdigest()
    stub.add_client_error("get_object", "NoSuchKey", "", 404)
    with pytest.raises(NotFound):
        storage.sha256("key")


def test_folder_is_listed_page_by_page_with_objects_and_subfolders(
    stub: Stubber, storage: PhotoStorage
) -> None:
    pages: list[dict[str, Any]] = [
        {"Contents": [{"Key": "photos/a", "Size": 1, "LastModified": NOON}]},
        {"CommonPrefixes": [{"Prefix": "photos/sub-1/"}]},
    ]
    where = {"Bucket": "bucket", "Prefix": "photos/", "Delimiter": "/"}
    stub.add_response(
        "list_objects_v2", pages[0] | {"IsTruncated": True, "NextContinuationToken": "n"}, where
    )
    stub.add_response("list_objects_v2", pages[1], where | {"ContinuationToken": "n"})
    assert list(storage.list_folder("photos/")) == [StoredObject("photos/a", 1, NOON), "sub-1"]


def test_deletion_of_a_prefix_deletes_every_page(stub: Stubber, storage: PhotoStorage) -> None:
    where = {"Bucket": "bucket", "Prefix": "photos/sub-1/"}
    first: dict[str, Any] = {"Contents": [{"Key": "a"}, {"Key": "b"}], "IsTruncated": True}
    stub.add_response("list_objects_v2", first | {"NextContinuationToken": "n"}, where)
    objects = {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True}
    stub.add_response("delete_objects", {}, {"Bucket": "bucket", "Delete": objects})
    stub.add_response("list_objects_v2", {}, where | {"ContinuationToken": "n"})
    storage.delete_prefix("photos/sub-1/")
