"""Big files straight to S3, and the same upload sent again, over HTTP."""

import hashlib
import io
import os
from typing import Any
from unittest import mock

import pytest
import requests
from PIL import Image

from chalicelib.photos.signed_urls import UrlSigner
from chalicelib.photos.storage import PhotoStorage, upload_key
from infra.background import RunningStack
from tests.support import images
from tests.support.people import Person, Response, at_once, post_to_s3


@pytest.fixture(scope="session")
def noise() -> bytes:
    """Return a JPEG of 12 megapixels and about 10 MB."""
    image = Image.frombytes("RGB", (4000, 3000), os.urandom(4000 * 3000 * 3))
    encoded: bytes = images.encoded(image, "JPEG", quality=88)
    assert 9_000_000 < len(encoded) < 12_000_000
    return encoded


def upload_to_s3(person: Person, image: bytes, **fields: Any) -> Response:
    """Request an upload, and send the image."""
    started = person.begin_upload(len(image), **fields)
    assert post_to_s3(started.json()["upload"], image).ok
    return started


def test_large_photo_is_sent_directly_to_s3(mario: Person, noise: bytes) -> None:
    started = mario.begin_upload(len(noise), filename_orig="Größe 1.jpg", tags="big")
    assert mario.complete(started).status_code == 404
    assert post_to_s3(started.json()["upload"], noise).ok
    assert mario.photos() == []
    response = mario.complete(started)
    assert response.status_code == 200, response.text
    photo = response.json()["photo"]
    assert photo["sha256"] == hashlib.sha256(noise).hexdigest()
    assert (photo["width"], photo["height"], photo["tags"]) == (4000, 3000, "big")
    assert mario.complete(started).json()["photo"]["sha256"] == photo["sha256"]
    assert mario.counters() == (1, len(noise))
    [listed] = mario.photos()
    original = requests.get(listed["originalSrc"], timeout=60)
    assert original.content == noise
    assert original.headers["Content-Type"] == "image/jpeg"
    assert original.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    disposition = original.headers["Content-Disposition"]
    assert disposition.endswith("filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.jpg")
    thumbnail = requests.get(listed["thumbSrc"], timeout=60)
    assert Image.open(io.BytesIO(thumbnail.content)).size == (533, 400)
    assert "immutable" in thumbnail.headers["Cache-Control"]


def test_eight_simultaneous_completions_create_one_photo(mario: Person) -> None:
    image = images.jpeg()
    started = upload_to_s3(mario, image)
    responses = at_once(*[lambda: mario.complete(started)] * 8)
    assert {response.status_code for response in responses} == {200}
    [photo_id] = {response.json()["photo"]["id"] for response in responses}
    assert photo_id == started.json()["photo_id"]
    assert mario.counters() == (1, len(image))
    [photo] = mario.photos()
    assert requests.get(photo["originalSrc"], timeout=30).content == image


def test_upload_form_accepts_only_its_own_key_size_and_policy(mario: Person, luigi: Person) -> None:
    image = images.jpeg()
    form = mario.begin_upload(len(image)).json()["upload"]
    theirs = luigi.begin_upload(len(image)).json()["upload"]
    for key in (theirs["fields"]["key"], form["fields"]["key"] + "x", "photos/x", "index.html"):
        assert post_to_s3(form, image, key=key).status_code == 403
    assert post_to_s3(form, image + b"x").status_code == 400
    assert post_to_s3(form, image[:-1]).status_code == 400
    assert post_to_s3(form, image, acl="public-read").status_code == 403
    assert post_to_s3(form, image, policy=theirs["fields"]["policy"]).status_code == 403
    assert post_to_s3(form, image).ok


def test_expired_upload_form_is_rejected(stack: RunningStack) -> None:
    bucket = stack.make_client("s3").list_buckets()["Buckets"][0]["Name"]
    storage = PhotoStorage(stack.make_client("s3"), bucket, mock.Mock(spec=UrlSigner))
    key, image = upload_key("nobody", "nothing"), images.jpeg()
    assert post_to_s3(storage.presigned_post(key, len(image), -1), image).status_code == 403
    assert post_to_s3(storage.presigned_post(key, len(image), 60), image).ok


def test_completing_an_unknown_or_another_users_upload_is_404(mario: Person, luigi: Person) -> None:
    started = upload_to_s3(mario, images.jpeg())
    own_id = started.json()["photo_id"]
    for photo_id in (own_id, "01890a5d-ac96-774b-bcce-b302099a8057", "x", "%2e%2e"):
        assert luigi.post(f"/photos/uploads/{photo_id}/complete").status_code == 404
    assert mario.complete(started).status_code == 200
    assert luigi.complete(started).status_code == 404


def test_upload_that_is_not_an_image_is_rejected_and_never_listed(mario: Person) -> None:
    started = upload_to_s3(mario, b"<svg/>")
    assert mario.complete(started).status_code == 415
    assert mario.photos() == []


def test_twenty_simultaneous_requests_with_one_key_create_one_photo(mario: Person) -> None:
    image = images.jpeg()
    responses = at_once(*[lambda: mario.upload(image, "one")] * 20)
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["photo_id"] for response in responses}) == 1
    assert mario.counters() == (1, len(image))
    [photo] = mario.photos()
    assert requests.get(photo["originalSrc"], timeout=30).content == image
    responses = at_once(*[lambda: mario.begin_upload(9, "two")] * 20)
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["photo_id"] for response in responses}) == 1
    assert mario.counters() == (1, len(image))  # A pending upload is not a photo.


def test_simultaneous_uploads_are_counted_when_they_begin_and_when_they_are_completed(
    stack: RunningStack, mario: Person
) -> None:
    image = images.jpeg()
    started = [upload_to_s3(mario, image) for _ in range(8)]
    sub = mario.profile()["user_id"]
    at_once(*[lambda one=one: mario.complete(one) for one in started[:6]])
    item = stack.make_client("dynamodb").get_item(TableName="User", Key={"sub": {"S": sub}})["Item"]
    counters = ("photo_count", "storage_bytes", "pending_count", "pending_bytes")
    expected = (8, 8 * len(image), 2, 2 * len(image))
    assert tuple(int(item[name]["N"]) for name in counters) == expected
    assert mario.counters() == (6, 6 * len(image))
