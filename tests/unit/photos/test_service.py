"""What the photo services do about conditions that fail and errors that no emulator returns."""

from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PutError, UpdateError

from chalicelib.errors import AlreadyWritten, NotFound, Unavailable
from chalicelib.photos import service
from chalicelib.photos.models import Photo, UploadKey
from chalicelib.photos.photo import PhotoMetadata, PhotoState, new_id
from chalicelib.photos.service import PhotoService
from chalicelib.photos.storage import PhotoStorage
from chalicelib.photos.transactions import PhotoTransactions
from chalicelib.photos.uploads import UploadService
from tests.support.thumbnails import SIZES


def aws_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Operation")


REJECTED = UpdateError("", aws_error("ValidationException"))


@pytest.fixture
def storage() -> mock.Mock:
    return mock.Mock(spec=PhotoStorage, with_urls=lambda fields: fields)


@pytest.fixture
def transactions() -> mock.Mock:
    return mock.Mock(spec=PhotoTransactions, apply=lambda find, change: change(find()))


@pytest.fixture
def photos(storage: mock.Mock, transactions: mock.Mock) -> PhotoService:
    return PhotoService(storage, transactions, SIZES, sleep=mock.Mock())


@pytest.fixture
def photo(monkeypatch: pytest.MonkeyPatch) -> Photo:
    """Return the item that every read of a photo finds."""
    found = Photo("sub-1", new_id(), state=PhotoState.READY, filename="1.jpg")
    found.filesize, found.upload_date = 10, "2026-11-23T12:00:00.000+00:00"
    monkeypatch.setattr(Photo, "find", lambda *_: found)
    return found


def test_deletion_that_cannot_be_marked_deletes_nothing(
    photos: PhotoService, photo: Photo, storage: mock.Mock, transactions: mock.Mock
) -> None:
    transactions.apply = mock.Mock(side_effect=REJECTED)
    with pytest.raises(UpdateError):
        photos.delete("sub-1", photo.id)
    storage.delete.assert_not_called()


def test_deletion_of_a_pending_or_missing_photo_deletes_nothing(
    photos: PhotoService, photo: Photo, storage: mock.Mock, transactions: mock.Mock
) -> None:
    photo.state = PhotoState.PENDING
    with pytest.raises(NotFound):
        photos.delete("sub-1", photo.id)
    storage.delete.assert_not_called()
    transactions.remove.assert_not_called()


class Batch:
    """A batch of DynamoDB that fails when it is sent."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __enter__(self) -> "Batch":
        return self

    def delete(self, item: Photo) -> None:
        """Accept an item."""

    def __exit__(self, *_: object) -> None:
        raise self.error


def test_deletion_of_all_photos_pauses_while_dynamodb_has_no_capacity(
    monkeypatch: pytest.MonkeyPatch, storage: mock.Mock, transactions: mock.Mock, photo: Photo
) -> None:
    pauses: list[float] = []
    photos = PhotoService(storage, transactions, SIZES, sleep=pauses.append)
    results = iter([[photo], []])
    monkeypatch.setattr(Photo, "query", lambda *_, **__: next(results))
    monkeypatch.setattr(Photo, "batch_write", lambda: Batch(PutError("Failed to batch write")))
    assert photos.delete_all("sub-1") == 0
    assert pauses == [service._CAPACITY_PAUSE]
    assert [call.args for call in storage.delete_prefix.call_args_list] == [
        ("photos/sub-1/",),
        ("uploads/sub-1/",),
    ]


def test_deletion_of_all_photos_raises_other_errors_of_dynamodb(
    monkeypatch: pytest.MonkeyPatch, photos: PhotoService, photo: Photo
) -> None:
    monkeypatch.setattr(Photo, "query", lambda *_, **__: [photo])
    error = PutError("", aws_error("ResourceNotFoundException"))
    monkeypatch.setattr(Photo, "batch_write", lambda: Batch(error))
    with pytest.raises(PutError):
        photos.delete_all("sub-1")


def test_deletion_of_all_photos_deletes_no_more_objects_in_one_call_than_s3_deletes_in_time(
    monkeypatch: pytest.MonkeyPatch, photos: PhotoService, photo: Photo, storage: mock.Mock
) -> None:
    items = [photo] * 1_200

    def query(*_: Any, limit: int, **__: Any) -> list[Photo]:
        found = items[:limit]
        del items[:limit]
        return found

    monkeypatch.setattr(Photo, "query", query)
    monkeypatch.setattr(Photo, "batch_write", mock.MagicMock)
    assert photos.delete_all("sub-1") == 0
    deleted = [len(keys) for (keys,), _ in storage.delete.call_args_list]
    # S3 accepts 1,000, but takes over a second for so many.
    assert (sum(deleted), max(deleted)) == (3_600, 300)


@pytest.mark.parametrize(("counted", "remaining"), [(7, 7), (0, 1)])
def test_deletion_of_all_photos_that_takes_too_long_returns_how_many_remain(
    monkeypatch: pytest.MonkeyPatch, photos: PhotoService, counted: int, remaining: int
) -> None:
    monkeypatch.setattr(Photo, "count", lambda *_, **__: counted)
    assert photos.delete_all("sub-1", seconds=0) == remaining


def test_upload_whose_key_expires_during_the_request_can_be_retried(
    monkeypatch: pytest.MonkeyPatch, photos: PhotoService, storage: mock.Mock
) -> None:
    def used_by_another(*_: Any) -> None:
        raise AlreadyWritten

    transactions: Any = mock.Mock(spec=PhotoTransactions, reserve=used_by_another)
    monkeypatch.setattr(UploadKey, "find", lambda *_: None)
    uploads = UploadService(photos, storage, transactions, SIZES)
    with pytest.raises(Unavailable):
        uploads.begin("sub-1", 10, PhotoMetadata(), "key")
