"""Known images: the items of their hashes, and then the states of the photos that they name."""

from typing import Any

import pytest

from chalicelib.photos.known import KnownImage, KnownImages
from chalicelib.photos.query import ItemReader
from tests.support.stubs import DynamoDB, got


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    return DynamoDB(monkeypatch)


@pytest.fixture
def images(dynamodb: DynamoDB) -> KnownImages:
    return KnownImages(ItemReader(dynamodb.client(), "Photo"))


def named(sha256: str, *photo_ids: str) -> dict[str, Any]:
    photos = {"photo_ids": {"SS": photo_ids}} if photo_ids else {}
    return {"id": {"S": f"key#sha256#{sha256}"}, **photos}


def photo(photo_id: str, state: str) -> dict[str, Any]:
    return {"id": {"S": photo_id}, "state": {"S": state}}


def keys_of(request: dict[str, Any]) -> list[str]:
    return [key["id"]["S"] for key in request["RequestItems"]["Photo"]["Keys"]]


def test_image_is_known_by_its_oldest_photo_in_the_album(
    images: KnownImages, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [
        got(named("aa", "3", "1", "2"), named("bb", "4")),
        got(photo("1", "ready"), photo("4", "trashed")),
    ]
    assert images.find("sub-1", ["aa", "bb", "cc"]) == {
        "aa": KnownImage("1", trashed=False),
        "bb": KnownImage("4", trashed=True),
    }
    asked, states = map(keys_of, dynamodb.requests)
    assert asked == ["key#sha256#aa", "key#sha256#bb", "key#sha256#cc"]
    assert states == ["1", "4"]


def test_photo_in_the_album_counts_more_than_an_older_one_in_the_trash(
    images: KnownImages, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [
        got(named("aa", "1", "2", "3")),
        got(photo("1", "trashed")),
        got(photo("2", "trashed"), photo("3", "ready")),
    ]
    assert images.find("sub-1", ["aa"]) == {"aa": KnownImage("3", trashed=False)}


@pytest.mark.parametrize("state", [None, "deleting", "pending"])
def test_image_whose_photo_is_gone_is_not_known(
    images: KnownImages, dynamodb: DynamoDB, state: str | None
) -> None:
    dynamodb.responses = [
        got(named("aa", "1"), named("bb")),
        got(*([photo("1", state)] if state else [])),
    ]
    assert images.find("sub-1", ["aa", "bb"]) == {}


def test_no_hash_takes_no_call(images: KnownImages) -> None:
    assert images.find("sub-1", []) == {}


def test_two_hundred_known_images_take_four_calls(images: KnownImages, dynamodb: DynamoDB) -> None:
    numbers = [f"{number:04}" for number in range(200)]
    dynamodb.responses = [
        got(*(named(one, one) for one in numbers[:100])),
        got(*(named(one, one) for one in numbers[100:])),
        got(*(photo(one, "ready") for one in numbers[:100])),
        got(*(photo(one, "ready") for one in numbers[100:])),
    ]
    assert set(images.find("sub-1", numbers)) == set(numbers)


def test_number_of_read_photos_is_bounded_however_often_an_image_was_stored(
    images: KnownImages, dynamodb: DynamoDB
) -> None:
    ids = [f"{number:04}" for number in range(1000)]
    trashed = [photo(one, "trashed") for one in ids[:10]]
    dynamodb.responses = [got(named("aa", *ids)), got(trashed[0]), got(*trashed[1:])]
    assert images.find("sub-1", ["aa"]) == {"aa": KnownImage("0000", trashed=True)}
    assert keys_of(dynamodb.requests[2]) == ids[1:10]
