"""Images that a user already has: asked for by their hashes."""

import hashlib
from typing import Any

import pytest

import app
from tests.support import images
from tests.support.album import start_upload, sub_of
from tests.support.people import Person

IMAGE, OTHER_IMAGE = images.jpeg(40, 30), images.jpeg(41, 30)
UNKNOWN = "0" * 64


def sha256(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def known(person: Person, *hashes: str) -> Any:
    response = person.send("POST", "/photos/known", sha256=list(hashes))
    assert response.status_code == 200
    return response.json()["known"]


def test_known_images_are_found_by_the_hash_of_their_bytes(mario: Person, luigi: Person) -> None:
    first = mario.upload(IMAGE).json()["photo_id"]
    second = mario.complete(start_upload(mario, OTHER_IMAGE)).json()["photo_id"]
    mario.upload(IMAGE)
    hashes = [sha256(IMAGE), sha256(OTHER_IMAGE), UNKNOWN]
    assert known(mario, *hashes) == {
        hashes[0]: {"photo_id": first, "trashed": False},
        hashes[1]: {"photo_id": second, "trashed": False},
    }
    assert known(luigi, *hashes) == {}
    assert known(mario) == {}


def test_hash_may_be_written_in_upper_case(mario: Person) -> None:
    photo_id = mario.upload(IMAGE).json()["photo_id"]
    upper, lower = sha256(IMAGE).upper(), sha256(IMAGE)
    found = {"photo_id": photo_id, "trashed": False}
    assert known(mario, upper, lower, upper) == {upper: found, lower: found}


def test_photo_in_the_trash_is_known_and_a_deleted_or_pending_one_is_not(mario: Person) -> None:
    photo_id = mario.upload(IMAGE).json()["photo_id"]
    start_upload(mario, OTHER_IMAGE)
    app.services.photos.trash(sub_of(mario), photo_id)
    found = {sha256(IMAGE): {"photo_id": photo_id, "trashed": True}}
    assert known(mario, sha256(IMAGE), sha256(OTHER_IMAGE)) == found
    second = mario.upload(IMAGE).json()["photo_id"]
    assert known(mario, sha256(IMAGE))[sha256(IMAGE)] == {"photo_id": second, "trashed": False}
    for one in (photo_id, second):
        mario.delete(f"/photos/{one}")
    assert known(mario, sha256(IMAGE)) == {}


def test_two_hundred_hashes_may_be_asked_for_at_once(mario: Person) -> None:
    assert known(mario, *(f"{number:064x}" for number in range(200))) == {}


@pytest.mark.parametrize(
    "value",
    [
        None,
        sha256(IMAGE),
        [f"{number:064x}" for number in range(201)],
        [sha256(IMAGE)[1:]],
        [sha256(IMAGE) + "0"],
        [sha256(IMAGE) + "\n"],
        ["g" * 64],
        [7],
        {"a": 1},
    ],
    ids=lambda value: str(value)[:20],
)
def test_invalid_hashes_are_rejected(mario: Person, value: Any) -> None:
    response = mario.send("POST", "/photos/known", sha256=value)
    assert (response.status_code, response.json()["Message"]) == (
        400,
        "sha256 must be a list of at most 200 SHA-256 hashes in hexadecimal.",
    )


def test_hashes_are_required(mario: Person) -> None:
    response = mario.send("POST", "/photos/known")
    assert (response.status_code, response.json()["Message"]) == (400, "sha256 is required.")
