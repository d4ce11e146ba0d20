"""One action for many photos."""

import hashlib
from typing import Any
from unittest import mock

import pytest

from chalicelib.photos import batch
from chalicelib.photos.derived import hash_id
from chalicelib.photos.models import DerivedItem
from tests.support.album import MISSING_ID, bucket_objects, photo_items, sub_of
from tests.support.aws_calls import failing_call
from tests.support.derived import IMAGE, WITH_TEXT, counters, members, upload
from tests.support.people import Person


def send(person: Person, action: str, ids: list[str], **more: Any) -> dict[str, Any]:
    response = person.send("POST", "/photos/batch", ids=ids, action=action, **more)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


@pytest.fixture
def ids(mario: Person) -> list[str]:
    return [upload(mario, **WITH_TEXT) for _ in range(3)]


def test_batch_trashes_restores_and_deletes_many_photos(mario: Person, ids: list[str]) -> None:
    for action, listed, trash_count in (("trash", 0, 3), ("trash", 0, 3), ("restore", 3, 0)):
        assert send(mario, action, ids) == {"ok": True, "done": ids, "failed": [], "remaining": []}
        assert (len(mario.photos()), mario.profile()["trash_count"]) == (listed, trash_count)
    assert counters(mario) == {"2019-05": 3, "tag:Sea": 3, "tag:Sun": 3}
    assert send(mario, "delete", ids)["done"] == ids
    assert (photo_items(), bucket_objects(), counters(mario), mario.counters()) == (
        *([], {}, {}),
        (0, 0),
    )


def test_batch_makes_favorites_and_changes_tags(mario: Person, ids: list[str]) -> None:
    assert send(mario, "favorite", ids)["done"] == ids
    assert len(members(mario)) == 3
    assert send(mario, "unfavorite", ids[:2])["done"] == ids[:2]
    assert len(members(mario)) == 1
    assert send(mario, "tag", ids, tags="Snow, SEA")["done"] == ids
    assert {photo["tags"] for photo in mario.photos()} == {"Sea,Sun,Snow"}
    assert send(mario, "untag", ids[1:], tags="sea,none")["done"] == ids[1:]
    assert counters(mario) == {"2019-05": 3, "tag:Sea": 1, "tag:Sun": 3, "tag:Snow": 3}
    assert send(mario, "untag", ids, tags="Sun,Snow,Sea")["done"] == ids
    assert {photo["tags"] for photo in mario.photos()} == {""}


def test_failure_of_one_photo_stops_no_other_and_reveals_no_other_users_photo(
    mario: Person, luigi: Person, ids: list[str]
) -> None:
    foreign = upload(luigi)
    result = send(mario, "trash", [ids[0], MISSING_ID, foreign, ids[1], ids[0]])
    assert result["done"] == [ids[0], ids[1]]
    assert [one.pop("photo_id") for one in result["failed"]] == [MISSING_ID, foreign]
    assert {one["Code"] for one in result["failed"]} == {"NotFoundError"}
    assert len({one["Message"] for one in result["failed"]}) == 1
    assert len(luigi.photos()) == 1
    assert send(mario, "delete", [foreign])["done"] == []
    assert len(luigi.photos()) == 1


def test_photo_that_would_have_too_many_tags_fails_alone(mario: Person, ids: list[str]) -> None:
    full = ",".join(f"tag {number}" for number in range(50))
    mario.send("PATCH", f"/photos/{ids[0]}", tags=full)
    result = send(mario, "tag", ids, tags="Snow")
    assert result["done"] == ids[1:]
    assert result["failed"] == [
        {
            "photo_id": ids[0],
            "Code": "BadRequestError",
            "Message": "tags must be at most 50 tags.",
        }
    ]


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("action", {"ids": [], "action": "burn"}),
        ("action", {"ids": []}),
        ("ids", {"ids": [MISSING_ID] * 201, "action": "trash"}),
        ("ids", {"ids": ["x"], "action": "trash"}),
        ("ids", {"ids": [f"{MISSING_ID}\n"], "action": "trash"}),
        ("ids", {"ids": MISSING_ID, "action": "trash"}),
        ("ids", {"action": "trash"}),
        ("tags", {"ids": [], "action": "tag"}),
        ("tags", {"ids": [], "action": "untag", "tags": " , "}),
        ("tags", {"ids": [], "action": "tag", "tags": ",".join(map(str, range(51)))}),
        ("tags", {"ids": [], "action": "tag", "tags": 7}),
        ("other", {"ids": [], "action": "trash", "other": 1}),
    ],
)
def test_malformed_batch_is_rejected_with_the_fields_name(
    mario: Person, field: str, body: dict[str, Any]
) -> None:
    response = mario.send("POST", "/photos/batch", **body)
    assert (response.status_code, response.json()["Code"]) == (400, "BadRequestError")
    assert response.json()["Message"].startswith(f"{field} ")


@pytest.mark.parametrize("value", ["yes", 1, [True]])
def test_favorite_must_be_true_or_false(mario: Person, value: Any) -> None:
    response = mario.send("PATCH", f"/photos/{MISSING_ID}", favorite=value)
    assert response.status_code == 400
    assert response.json()["Message"] == "favorite must be true or false, or null."


def test_null_clears_favorite(mario: Person) -> None:
    path = f"/photos/{upload(mario)}"
    assert mario.send("PATCH", path, favorite=True).json()["photo"]["favorite"] is True
    assert mario.send("PATCH", path, favorite=None).json()["photo"]["favorite"] is False
    assert members(mario) == []


def test_batch_deletes_the_objects_of_many_photos_in_few_calls(
    mario: Person, ids: list[str], aws_calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(mario, "delete", ids)
    assert aws_calls.count("s3.DeleteObjects") == 1
    assert 200 // batch._CHUNK <= 5


def test_photos_that_are_not_reached_in_time_remain(mario: Person, ids: list[str]) -> None:
    for action in ("trash", "delete"):
        with mock.patch.object(batch, "SECONDS", 0.0):
            result = send(mario, action, ids)
        assert (result["done"], result["remaining"]) == ([], ids)
    assert len(mario.photos()) == 3


def test_batch_in_several_parts_ends_with_the_part_that_aws_interrupts(
    mario: Person, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_CHUNK", 1)
    with failing_call("DeleteObjects", after=1):
        result = send(mario, "delete", ids)
    assert (result["done"], result["remaining"]) == (ids[:1], ids[1:])
    assert send(mario, "delete", ids[1:])["done"] == ids[1:]
    assert (photo_items(), bucket_objects()) == ([], {})


def test_batch_that_aws_interrupts_returns_what_remains(mario: Person, ids: list[str]) -> None:
    with failing_call("TransactWriteItems", after=1):
        result = send(mario, "trash", ids)
    assert (result["done"], result["failed"], result["remaining"]) == (ids[:1], [], ids[1:])
    with failing_call("TransactWriteItems", after=6):  # Three are marked, one is removed.
        result = send(mario, "delete", ids)
    assert (result["done"], result["remaining"]) == (ids[:1], ids[1:])
    assert send(mario, "delete", ids[1:])["done"] == ids[1:]
    assert (photo_items(), bucket_objects()) == ([], {})


@pytest.mark.parametrize("operation", ["TransactWriteItems", "DeleteObjects"])
def test_batch_of_which_nothing_is_done_can_be_sent_again(
    mario: Person, ids: list[str], operation: str
) -> None:
    with failing_call(operation):
        response = mario.send("POST", "/photos/batch", ids=ids, action="delete")
    assert response.status_code == 503
    assert send(mario, "delete", ids)["done"] == ids
    assert (photo_items(), bucket_objects()) == ([], {})


def test_same_image_in_two_photos_is_known_until_the_last_one_is_deleted(
    mario: Person, ids: list[str]
) -> None:
    item = hash_id(hashlib.sha256(IMAGE).hexdigest())
    for left in (ids, ids[1:], ids[2:]):
        assert DerivedItem.get(sub_of(mario), item).photo_ids == set(left)
        mario.delete(f"/photos/{left[0]}")
    assert DerivedItem.count(sub_of(mario), DerivedItem.id == item) == 0
