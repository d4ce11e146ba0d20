"""Uploads that skip images which their owner already has, in one request or directly to S3."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib import dates
from chalicelib.photos.derived import hash_id
from chalicelib.photos.models import DerivedItem, Photo
from chalicelib.photos.photo import PhotoMetadata
from tests.support import images
from tests.support.album import bucket_objects, set_parameters, store_upload, sub_of
from tests.support.aws_calls import before_call, failing_call, isolate_transactions
from tests.support.people import Person, Response, at_once

IMAGE = images.jpeg(40, 30)
OTHER_IMAGE = IMAGE[:-1] + b"\xda"  # The same size, and still decoded: its last byte is missing.
SHA256 = hashlib.sha256(IMAGE).hexdigest()
SKIP = {"on_duplicate": "skip"}


@pytest.fixture
def photo_id(mario: Person) -> str:
    """Return the ID of a photo that Mario has stored."""
    uploaded: str = mario.upload(IMAGE, tags="sea").json()["photo_id"]
    return uploaded


def begin(person: Person, image: bytes = IMAGE, key: str | None = None, **more: Any) -> Response:
    """Begin an upload that skips duplicates, and store its image if it is needed."""
    started = person.begin_upload(len(image), key, **SKIP | more)
    if started.json()["upload"]:
        store_upload(started, image)
    return started


def require_duplicate(response: Response, photo_id: str) -> None:
    assert response.status_code == 200
    body = response.json()
    assert (body["duplicate"], body["photo_id"], body["photo"]["id"]) == (True, photo_id, photo_id)


def require_one_photo(person: Person) -> None:
    """Fail unless a user has one photo, and nothing is stored but its objects."""
    assert person.counters() == (1, len(IMAGE))
    items = Photo.query(sub_of(person), Photo.id < "key#", consistent_read=True)
    assert len(list(items)) == 1
    objects = bucket_objects()
    assert len({key.rpartition("/")[2].partition(".")[0] for key in objects}) == 1
    assert not any(key.startswith("uploads/") for key in objects)


def test_duplicate_is_stored_unless_it_is_to_be_skipped(mario: Person, photo_id: str) -> None:
    for fields in ({}, {"on_duplicate": "keep"}, {"on_duplicate": ""}):
        response = mario.upload(IMAGE, **fields)
        assert response.json()["photo_id"] != photo_id
        assert "duplicate" not in response.json()
    assert len(mario.photos()) == 4


def test_upload_of_a_duplicate_returns_the_photo_that_has_the_bytes(
    mario: Person, photo_id: str
) -> None:
    response = mario.upload(IMAGE, **SKIP, tags="other")
    require_duplicate(response, photo_id)
    assert response.json()["photo"]["tags"] == "sea"
    require_one_photo(mario)


def test_first_upload_of_an_image_is_no_duplicate(mario: Person, luigi: Person) -> None:
    mario.upload(IMAGE)
    for response in (mario.upload(OTHER_IMAGE, **SKIP), luigi.upload(IMAGE, **SKIP)):
        assert response.status_code == 200
        assert "duplicate" not in response.json()
    started = begin(luigi, OTHER_IMAGE)
    completed = luigi.complete(started)
    assert completed.json()["photo_id"] == started.json()["photo_id"]
    assert "duplicate" not in completed.json()
    assert (len(mario.photos()), len(luigi.photos())) == (2, 2)


def test_duplicate_is_found_even_if_the_album_is_full(mario: Person, photo_id: str) -> None:
    set_parameters(MAX_PHOTOS=1)
    require_duplicate(mario.upload(IMAGE, **SKIP), photo_id)
    require_duplicate(begin(mario, sha256=SHA256), photo_id)
    assert mario.upload(OTHER_IMAGE, **SKIP).status_code == 413


def test_photo_in_the_trash_is_returned_with_its_date_unless_another_is_in_the_album(
    mario: Person, photo_id: str
) -> None:
    app.services.photos.trash(sub_of(mario), photo_id)
    for response in (mario.upload(IMAGE, **SKIP), begin(mario, sha256=SHA256)):
        require_duplicate(response, photo_id)
        assert response.json()["photo"]["trashed_date"] is not None
    second = mario.upload(IMAGE).json()["photo_id"]
    require_duplicate(mario.upload(IMAGE, **SKIP), second)


def test_deleted_photo_is_no_duplicate(mario: Person, photo_id: str) -> None:
    mario.delete(f"/photos/{photo_id}")
    response = mario.upload(IMAGE, **SKIP)
    assert response.json()["photo_id"] != photo_id
    assert "duplicate" not in response.json()
    require_one_photo(mario)


def test_announced_duplicate_is_reported_before_it_is_sent(mario: Person, photo_id: str) -> None:
    for announced in (SHA256, SHA256.upper()):
        started = mario.begin_upload(len(IMAGE), **SKIP, sha256=announced)
        require_duplicate(started, photo_id)
        assert started.json()["upload"] is None
    require_one_photo(mario)


def test_announced_hash_alone_skips_nothing(mario: Person, photo_id: str) -> None:
    started = mario.begin_upload(len(IMAGE), sha256=SHA256)
    assert started.json()["upload"]
    store_upload(started, IMAGE)
    assert mario.complete(started).json()["photo_id"] == started.json()["photo_id"] != photo_id


def test_duplicate_that_was_not_announced_is_found_at_completion(
    mario: Person, photo_id: str
) -> None:
    started = begin(mario)
    assert mario.profile()["photo_count"] == 1
    for _ in range(3):  # Completing it is safe to repeat.
        require_duplicate(mario.complete(started), photo_id)
        require_one_photo(mario)


@pytest.mark.parametrize("fields", [{}, SKIP])
def test_other_bytes_than_those_announced_are_rejected_at_completion(
    mario: Person, fields: dict[str, str]
) -> None:
    started = mario.begin_upload(len(IMAGE), sha256=SHA256, **fields)
    for image in (OTHER_IMAGE, b"x" * len(IMAGE)):
        store_upload(started, image)
        response = mario.complete(started)
        assert (response.status_code, response.json()["Code"]) == (409, "ConflictError")
        assert response.json()["Message"] == (
            "A different file was announced or already uploaded for this photo. Start a new upload."
        )
    assert mario.photos() == []
    store_upload(started, IMAGE)
    assert mario.complete(started).status_code == 200


def test_completed_duplicate_releases_its_room_and_its_photo_may_be_deleted(
    mario: Person, photo_id: str
) -> None:
    started = begin(mario)
    require_duplicate(mario.complete(started), photo_id)
    mario.delete(f"/photos/{photo_id}")
    assert mario.complete(started).status_code == 404
    assert mario.counters() == (0, 0)
    assert bucket_objects() == {}


def test_completion_whose_response_was_lost_returns_the_duplicate_when_it_is_repeated(
    mario: Person, photo_id: str
) -> None:
    started = begin(mario)
    with failing_call("TransactWriteItems", response_lost=True):
        assert mario.complete(started).status_code == 503
    require_duplicate(mario.complete(started), photo_id)
    assert mario.counters() == (1, len(IMAGE))


def test_expired_upload_is_not_completed_as_a_duplicate(mario: Person, photo_id: str) -> None:
    started = begin(mario)
    expired = Photo(sub_of(mario), started.json()["photo_id"])
    expired.update(actions=[Photo.expires_at.set(dates.utc_now() - timedelta(seconds=1))])
    assert mario.complete(started).status_code == 404


def test_duplicate_of_another_request_at_the_same_time_is_not_stored(mario: Person) -> None:
    ids: list[str] = []
    with before_call(
        "TransactWriteItems", lambda: ids.append(mario.upload(IMAGE).json()["photo_id"])
    ):
        response = mario.upload(IMAGE, **SKIP)
    require_duplicate(response, ids[0])
    require_one_photo(mario)


def test_completion_of_a_duplicate_of_another_request_at_the_same_time_stores_nothing(
    mario: Person,
) -> None:
    started, ids = begin(mario), []
    with before_call(
        "TransactWriteItems", lambda: ids.append(mario.upload(IMAGE).json()["photo_id"])
    ):
        response = mario.complete(started)
    require_duplicate(response, ids[0])
    require_one_photo(mario)
    require_duplicate(mario.complete(started), ids[0])


def test_two_completions_of_one_duplicate_at_the_same_time_return_the_same_photo(
    mario: Person, photo_id: str
) -> None:
    started = begin(mario)
    with before_call("TransactWriteItems", lambda: mario.complete(started)):
        require_duplicate(mario.complete(started), photo_id)
    require_one_photo(mario)


def test_twenty_simultaneous_uploads_of_one_image_store_it_once(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub, uploads = sub_of(mario), app.services.uploads
    started = [begin(mario).json()["photo_id"] for _ in range(5)]
    isolate_transactions(monkeypatch)

    def upload() -> Any:
        return uploads.upload(sub, IMAGE, PhotoMetadata(), None, "skip")

    completions = [
        lambda photo_id=photo_id: uploads.complete(sub, photo_id) for photo_id in started
    ]
    stored = at_once(*[upload] * 15, *completions)
    assert len({one.photo["id"] for one in stored}) == 1
    assert [one.is_duplicate for one in stored].count(False) == 1
    require_one_photo(mario)


def test_record_of_a_hash_whose_photo_is_gone_does_not_prevent_an_upload(mario: Person) -> None:
    sub = sub_of(mario)
    lost = DerivedItem(sub, hash_id(SHA256), photo_ids={"01890a5d-ac96-774b-bcce-b302099a8057"})
    lost.save()
    started = begin(mario)
    uploaded = mario.upload(IMAGE, **SKIP)
    assert uploaded.status_code == 200
    assert "duplicate" not in uploaded.json()
    require_duplicate(mario.complete(started), uploaded.json()["photo_id"])
    mario.delete(f"/photos/{uploaded.json()['photo_id']}")
    started = begin(mario)
    lost.save()
    assert mario.complete(started).json()["photo_id"] == started.json()["photo_id"]


def test_key_of_an_upload_that_skips_returns_its_own_photo_as_no_duplicate(mario: Person) -> None:
    first, again = (mario.upload(IMAGE, key="k", **SKIP) for _ in range(2))
    assert first.json()["photo_id"] == again.json()["photo_id"]
    assert "duplicate" not in again.json()


def test_key_of_a_duplicate_returns_the_duplicate_again(mario: Person, photo_id: str) -> None:
    for _ in range(2):
        require_duplicate(mario.upload(IMAGE, key="k", **SKIP), photo_id)
    started = begin(mario, key="l")
    require_duplicate(mario.complete(started), photo_id)
    again = mario.begin_upload(len(IMAGE), "l", **SKIP)
    require_duplicate(again, photo_id)
    assert again.json()["upload"] is None
    require_duplicate(mario.upload(IMAGE, key="l"), photo_id)


@pytest.mark.parametrize(
    "changes", [{"on_duplicate": "keep"}, {"sha256": "0" * 64}, {"sha256": None}]
)
def test_choice_and_announced_hash_are_part_of_what_a_key_was_used_for(
    mario: Person, changes: dict[str, Any]
) -> None:
    announced: dict[str, Any] = {**SKIP, "sha256": SHA256}
    mario.begin_upload(len(IMAGE), "k", **announced)
    assert mario.begin_upload(len(IMAGE), "k", **announced).status_code == 200
    assert mario.begin_upload(len(IMAGE), "k", **announced | changes).status_code == 422


def test_choice_is_part_of_what_the_key_of_an_upload_was_used_for(mario: Person) -> None:
    mario.upload(IMAGE, key="k", **SKIP)
    assert mario.upload(IMAGE, key="k").status_code == 422
    mario.upload(OTHER_IMAGE, key="l")
    assert mario.upload(OTHER_IMAGE, key="l", on_duplicate="keep").status_code == 200
    assert mario.upload(OTHER_IMAGE, key="l", **SKIP).status_code == 422


def test_announced_hash_must_be_that_of_the_file_that_used_the_key(mario: Person) -> None:
    photo_id = mario.upload(IMAGE, key="k").json()["photo_id"]
    assert mario.begin_upload(len(IMAGE), "k", sha256=SHA256).json()["photo_id"] == photo_id
    assert mario.begin_upload(len(IMAGE), "k", sha256="0" * 64).status_code == 422


@pytest.mark.parametrize("value", ["yes", "SKIP", "keep,skip"])
def test_unknown_choice_is_rejected(mario: Person, value: str) -> None:
    form = mario.upload(IMAGE, on_duplicate=value)
    for response in (form, mario.begin_upload(1, on_duplicate=value)):
        assert response.status_code == 400
        assert response.json()["Message"].startswith("on_duplicate must be keep or skip")


@pytest.mark.parametrize("value", ["", "0" * 63, "g" * 64, 7])
def test_invalid_announced_hash_is_rejected(mario: Person, value: Any) -> None:
    response = mario.begin_upload(1, sha256=value)
    assert (response.status_code, response.json()["Message"]) == (
        400,
        "sha256 must be the image's SHA-256 hash in hexadecimal, or null.",
    )
