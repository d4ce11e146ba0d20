"""Big files straight to S3, and the same upload sent again, over HTTP."""

import hashlib
import io
import os
from typing import Any
from unittest import mock

from infra.background import RunningStack
from tests.support.people import Person, Response, at_once, post_to_s3
import pytest
import requests
from PIL import Image

from chalicelib.photos.signed_urls import UrlSigner
from chalicelib.photos.storage import PhotoStorage, upload_key
from tests.support import images

pytestmark = pytest.mark.xdist_group("local-stack")


@pytest.fixture(scope="session")
def noise() -> bytes:
    """Return a JPEG of 12 megapixels and about 10 MB."""
    image = Image.frombytes("RGB", (4000, 3000), os.urandom(4000 * 3000 * 3))
    picture = images.encoded(image, "JPEG", quality=88)
    assert 9_000_000 < len(picture) < 12_000_000
    return picture


def ask(person: Person, size: int, **fields: Any) -> dict[str, Any]:
    response = person.send("POST", "/photos/uploads", filesize=size, **fields)
    assert response.status_code == 200
    asked: dict[str, Any] = response.json()
    return asked


def post(form: dict[str, Any], data: bytes, **fields: str) -> Response:
    """Send a picture by a presigned POST, perhaps with other fields than it was signed for."""
    sent = form["fields"] | fields
    return requests.post(form["url"], data=sent, files={"file": data}, timeout=60)


def complete(person: Person, photo_id: str) -> Response:
    return person.request("POST", f"/photos/uploads/{photo_id}/complete")


def counters(person: Person) -> tuple[int, int]:
    user = person.get("/users/me").json()["user"]
    return user["photo_count"], user["storage_bytes"]


def test_a_big_picture_goes_straight_to_s3(mario: Person, noise: bytes) -> None:
    asked = mario.begin_upload(len(noise), filename_orig="Größe 1.jpg", tags="big")
    assert complete(mario, asked["photo_id"]).status_code == 404
    assert post_to_s3(asked["upload"], noise).ok
    assert mario.get("/photos").json()["photos"] == []
    response = complete(mario, asked["photo_id"])
    assert response.status_code == 200, response.text
    photo = response.json()["photo"]
    assert photo["sha256"] == hashlib.sha256(noise).hexdigest()
    assert (photo["width"], photo["height"], photo["tags"]) == (4000, 3000, "big")
    again = complete(mario, asked["photo_id"])
    assert again.json()["photo"]["sha256"] == photo["sha256"]
    assert mario.counters() == (1, len(noise))
    [listed] = mario.get("/photos").json()["photos"]
    original = requests.get(listed["originalSrc"], timeout=60)
    assert original.content == noise
    assert original.headers["Content-Type"] == "image/jpeg"
    assert original.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    disposition = original.headers["Content-Disposition"]
    assert disposition.endswith("filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.jpg")
    thumbnail = requests.get(listed["thumbSrc"], timeout=60)
    assert Image.open(io.BytesIO(thumbnail.content)).size == (267, 200)
    assert "immutable" in thumbnail.headers["Cache-Control"]


def test_eight_that_complete_at_once_make_one_photo(mario: Person) -> None:
    picture = images.jpeg()
    asked = mario.begin_upload(len(picture))
    assert post_to_s3(asked["upload"], picture).ok
    responses = at_once(*[lambda: complete(mario, asked["photo_id"])] * 8)
    assert {response.status_code for response in responses} == {200}
    assert {response.json()["photo"]["id"] for response in responses} == {asked["photo_id"]}
    assert mario.counters() == (1, len(picture))
    [photo] = mario.get("/photos").json()["photos"]
    assert requests.get(photo["originalSrc"], timeout=30).content == picture


def test_a_form_takes_nothing_but_what_it_was_made_for(mario: Person, luigi: Person) -> None:
    picture = images.jpeg()
    form = mario.begin_upload(len(picture))["upload"]
    theirs = luigi.begin_upload(len(picture))["upload"]
    for key in (theirs["fields"]["key"], form["fields"]["key"] + "x", "photos/x", "index.html"):
        assert post(form, picture, key=key).status_code == 403
    assert post(form, picture + b"x").status_code == 400
    assert post(form, picture[:-1]).status_code == 400
    assert post(form, picture, acl="public-read").status_code == 403
    assert post(form, picture, policy=theirs["fields"]["policy"]).status_code == 403
    assert post(form, picture).ok


def test_a_form_is_refused_after_its_time(stack: RunningStack) -> None:
    bucket = stack.make_client("s3").list_buckets()["Buckets"][0]["Name"]
    storage = PhotoStorage(stack.make_client("s3"), bucket, mock.Mock(spec=UrlSigner))
    key, picture = upload_key("nobody", "nothing"), images.jpeg()
    assert post(storage.presigned_post(key, len(picture), -1), picture).status_code == 403
    assert post(storage.presigned_post(key, len(picture), 60), picture).ok


def test_forged_and_foreign_ids_are_not_found(mario: Person, luigi: Person) -> None:
    picture = images.jpeg()
    asked = mario.begin_upload(len(picture))
    assert post_to_s3(asked["upload"], picture).ok
    for photo_id in (asked["photo_id"], "01890a5d-ac96-774b-bcce-b302099a8057", "x", "%2e%2e"):
        assert complete(luigi, photo_id).status_code == 404
    assert complete(mario, asked["photo_id"]).status_code == 200
    assert complete(luigi, asked["photo_id"]).status_code == 404


def test_what_is_no_picture_is_refused_and_never_listed(mario: Person) -> None:
    asked = mario.begin_upload(6)
    assert post_to_s3(asked["upload"], b"<svg/>").ok
    assert complete(mario, asked["photo_id"]).status_code == 415
    assert mario.get("/photos").json()["photos"] == []


def test_twenty_requests_at_once_with_one_key_make_one_photo(mario: Person) -> None:
    picture = images.jpeg()
    key = {"Idempotency-Key": "one"}
    form = requests.Request("POST", "http://x", files={"file": picture}).prepare()
    headers = key | {"Content-Type": form.headers["Content-Type"]}

    def upload() -> Response:
        return mario.request("POST", "/photos/file", data=form.body, headers=headers)

    responses = at_once(*[upload] * 20)
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["photo_id"] for response in responses}) == 1
    assert mario.counters() == (1, len(picture))
    [photo] = mario.get("/photos").json()["photos"]
    assert requests.get(photo["originalSrc"], timeout=30).content == picture

    key = {"Idempotency-Key": "two"}

    def begin() -> Response:
        return mario.request("POST", "/photos/uploads", json={"filesize": 9}, headers=key)

    responses = at_once(*[begin] * 20)
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["photo_id"] for response in responses}) == 1
