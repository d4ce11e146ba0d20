"""Completing an upload while AWS fails, or while another request changes the same photo."""

import hashlib

import pytest

import app
from chalicelib.errors import NotFound
from tests.support import images
from tests.support.album import bucket_objects, start_upload, store_upload, sub_of
from tests.support.aws_calls import before_call, failing_call
from tests.support.people import Person, Response

IMAGE = images.jpeg(exif=images.full_exif())
OPERATIONS = ["GetObject", "UpdateItem", "CopyObject", "PutObject", "TransactWriteItems"]

each_operation = pytest.mark.parametrize("operation", OPERATIONS)
before_and_after = pytest.mark.parametrize("response_lost", [False, True], ids=["before", "after"])


@pytest.fixture
def stored(mario: Person) -> Response:
    """Return the response that began an upload, whose image is in S3 by now."""
    return start_upload(mario, IMAGE)


def photo_objects() -> list[str]:
    """Return the keys of originals, previews and thumbnails."""
    return [key for key in bucket_objects() if key.startswith("photos/")]


@before_and_after
@each_operation
def test_interrupted_completion_is_finished_by_a_retry(
    mario: Person, stored: Response, operation: str, response_lost: bool
) -> None:
    with failing_call(operation, response_lost=response_lost):
        assert mario.complete(stored).status_code == 503
    is_done = (operation, response_lost) == ("TransactWriteItems", True)
    assert len(mario.photos()) == int(is_done)
    assert mario.complete(stored).status_code == 200
    [photo] = mario.photos()
    original = bucket_objects()[f"photos/{photo['user_id']}/{photo['filename']}"]
    assert original["Body"].read() == IMAGE
    assert mario.counters() == (1, len(IMAGE))


@before_and_after
def test_upload_is_completed_even_if_the_uploaded_object_cannot_be_deleted(
    mario: Person, stored: Response, response_lost: bool
) -> None:
    with failing_call("DeleteObjects", response_lost=response_lost):
        assert mario.complete(stored).status_code == 200


@each_operation
def test_second_of_two_simultaneous_completions_returns_the_same_photo(
    mario: Person, stored: Response, operation: str
) -> None:
    sub, photo_id = sub_of(mario), stored.json()["photo_id"]
    uploads = app.services.uploads
    with before_call(operation, lambda: uploads.complete(sub, photo_id)):
        second = uploads.complete(sub, photo_id)
    assert second.photo["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    assert mario.counters() == (1, len(IMAGE))
    assert len(photo_objects()) == 3


@each_operation
def test_completion_of_a_photo_that_is_deleted_meanwhile_stores_nothing(
    mario: Person, stored: Response, operation: str
) -> None:
    sub, photo_id = sub_of(mario), stored.json()["photo_id"]
    uploads = app.services.uploads

    def complete_and_delete() -> None:
        uploads.complete(sub, photo_id)
        app.services.photos.delete(sub, photo_id)
        store_upload(stored, IMAGE)

    with (
        before_call(operation, complete_and_delete),
        pytest.raises(NotFound, match="This photo does not exist"),
    ):
        uploads.complete(sub, photo_id)
    assert mario.counters() == (0, 0)
    assert photo_objects() == []


def test_retry_with_a_different_image_is_rejected(mario: Person, stored: Response) -> None:
    with failing_call("TransactWriteItems"):
        mario.complete(stored)
    store_upload(stored, IMAGE[:-3] + b"\0" + IMAGE[-2:])
    assert mario.complete(stored).status_code == 409
    store_upload(stored, IMAGE)
    assert mario.complete(stored).status_code == 200
