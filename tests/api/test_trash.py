"""The trash: photos that are in no list but their own, until they are restored or deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

import app
from chalicelib import dates
from chalicelib.photos import trash
from chalicelib.photos.derived import derived
from chalicelib.photos.models import DerivedItem, Photo
from chalicelib.photos.trash import Trash
from tests.support.album import (
    MISSING_ID,
    bucket_objects,
    photo_items,
    set_parameters,
    sub_of,
)
from tests.support.derived import IMAGE, WITH_TEXT, counters, members, upload
from tests.support.people import Person

# What EventBridge sends.
DAILY_EVENT: dict[str, Any] = dict.fromkeys(
    ("version", "account", "region", "detail-type", "source", "time", "id"), ""
) | {"detail": {}, "resources": []}


def test_trashed_photo_leaves_every_list_and_is_restored_exactly_as_it_was(mario: Person) -> None:
    path = f"/photos/{upload(mario, **WITH_TEXT)}"
    before = mario.send("PATCH", path, favorite=True).json()["photo"]
    assert before["favorite"] is True
    listed, counted, in_lists = mario.photos(), counters(mario), members(mario)
    assert counted == {"2019-05": 1, "tag:Sea": 1, "tag:Sun": 1}

    response = mario.post(f"{path}/trash")
    assert response.status_code == 200
    in_trash = response.json()["photo"]
    since = datetime.now(UTC) - datetime.fromisoformat(in_trash["trashed_date"])
    assert timedelta() <= since < timedelta(minutes=1)
    assert in_trash["favorite"] is True
    assert (mario.photos(), counters(mario)) == ([], {})
    assert mario.get("/photos?sort=uploaded").json()["photos"] == []
    assert [one.split("#")[2] for one in members(mario)] == ["trash"]
    profile = mario.profile()
    assert (profile["photo_count"], profile["trash_count"]) == (1, 1)
    assert profile["storage_bytes"] == len(IMAGE)

    response = mario.post(f"{path}/restore")
    assert response.status_code == 200
    ignored = dict.fromkeys(("thumbSrc", "originalSrc"))
    assert response.json()["photo"] | ignored == before | ignored
    assert (mario.photos(), counters(mario), members(mario)) == (listed, counted, in_lists)
    assert mario.profile()["trash_count"] == 0


def test_photo_in_the_trash_is_shown_and_can_be_edited_and_its_edits_are_restored(
    mario: Person,
) -> None:
    path = f"/photos/{upload(mario, **WITH_TEXT)}"
    mario.post(f"{path}/trash")
    assert mario.get(f"{path}?mode=original").status_code == 302
    edited = mario.send("PATCH", path, tags="Snow", taken_date="2020-01-01", favorite=True)
    assert edited.status_code == 200
    assert mario.get(path).json()["photo"]["trashed_date"]
    assert (mario.photos(), counters(mario)) == ([], {})
    mario.post(f"{path}/restore")
    assert counters(mario) == {"2020-01": 1, "tag:Snow": 1}
    assert [one.split("#")[2:4] for one in members(mario)] == [["favorites", "2020-01-01T00:00:00"]]


def test_trashing_and_restoring_are_safe_to_repeat_and_call_no_s3(
    mario: Person, aws_calls: list[str]
) -> None:
    path = f"/photos/{upload(mario)}"
    aws_calls.clear()
    first = mario.post(f"{path}/trash").json()["photo"]
    again = mario.post(f"{path}/trash").json()["photo"]
    assert first["trashed_date"] == again["trashed_date"]
    assert mario.profile()["trash_count"] == 1
    assert mario.post(f"{path}/restore").status_code == 200
    assert mario.post(f"{path}/restore").status_code == 200
    assert mario.profile()["trash_count"] == 0
    assert not [call for call in aws_calls if call.startswith("s3.")]


@pytest.mark.parametrize("action", ["trash", "restore"])
def test_photo_that_does_not_exist_anymore_is_neither_trashed_nor_restored(
    mario: Person, luigi: Person, action: str
) -> None:
    photo_id = upload(mario)
    mario.post(f"/photos/{photo_id}/trash")
    missing = mario.post(f"/photos/{MISSING_ID}/{action}")
    foreign = luigi.post(f"/photos/{photo_id}/{action}")
    mario.delete(f"/photos/{photo_id}")
    deleted = mario.post(f"/photos/{photo_id}/{action}")
    malformed = mario.post(f"/photos/x/{action}")
    for response in (foreign, deleted, malformed):
        assert (response.status_code, response.json()) == (404, missing.json())


def test_photo_is_deleted_permanently_from_the_trash(mario: Person) -> None:
    photo_id = upload(mario, **WITH_TEXT)
    mario.post(f"/photos/{photo_id}/trash")
    assert mario.delete(f"/photos/{photo_id}").status_code == 200
    assert (photo_items(), bucket_objects(), members(mario), counters(mario)) == ([], {}, [], {})
    profile = mario.profile()
    assert (profile["photo_count"], profile["trash_count"], profile["storage_bytes"]) == (0, 0, 0)


def test_owner_empties_the_trash_and_keeps_everything_else(mario: Person, luigi: Person) -> None:
    kept, restored, first, second = (upload(mario) for _ in range(4))
    foreign = upload(luigi)
    luigi.post(f"/photos/{foreign}/trash")
    for photo_id in (first, second, restored):
        mario.post(f"/photos/{photo_id}/trash")
    mario.post(f"/photos/{restored}/restore")
    response = mario.delete("/photos/trash")
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert {one.id for one in photo_items()} == {kept, restored, foreign}
    assert {key.split("/")[-1].split(".")[0] for key in bucket_objects()} == {
        *(kept, restored, foreign)
    }
    assert (mario.profile()["photo_count"], mario.profile()["trash_count"]) == (2, 0)
    assert mario.delete("/photos/trash").status_code == 200


def test_trash_that_takes_too_long_to_empty_returns_how_many_photos_remain(mario: Person) -> None:
    for _ in range(2):
        mario.post(f"/photos/{upload(mario)}/trash")
    empty = Trash.empty
    with mock.patch.object(Trash, "empty", lambda self, sub: empty(self, sub, seconds=0)):
        response = mario.delete("/photos/trash")
    assert (response.status_code, response.json()) == (202, {"ok": True, "remaining": 2})
    assert mario.delete("/photos/trash").status_code == 200
    assert photo_items() == []


def test_photo_that_is_restored_while_the_trash_is_emptied_is_kept(mario: Person) -> None:
    photo_id = upload(mario)
    mario.post(f"/photos/{photo_id}/trash")
    photo = Photo.get(sub_of(mario), photo_id)
    mario.post(f"/photos/{photo_id}/restore")
    [member] = derived(photo).members
    DerivedItem(sub_of(mario), member).save()  # as it was read before
    assert mario.delete("/photos/trash").status_code == 200
    assert [one["id"] for one in mario.photos()] == [photo_id]


def days_later(days: float) -> Any:
    later = datetime.now(UTC) + timedelta(days=days)
    return mock.patch.object(dates, "utc_now", return_value=later)


def test_photos_are_deleted_daily_after_their_time_in_the_trash(
    mario: Person, luigi: Person
) -> None:
    old, kept = upload(mario), upload(mario)
    mario.post(f"/photos/{old}/trash")
    other = upload(luigi)
    luigi.post(f"/photos/{other}/trash")
    with days_later(29.99):
        app.services.trash.empty_old()
        assert len(photo_items()) == 3
        mario.post(f"/photos/{kept}/trash")
    with days_later(30.01):
        app.empty_trash(DAILY_EVENT, None)
    assert [one.id for one in photo_items()] == [kept]
    assert mario.profile()["trash_count"] == 1


def test_trash_of_several_pages_is_emptied_as_far_as_time_allows(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "_PAGE", 1)
    for _ in range(2):
        mario.post(f"/photos/{upload(mario)}/trash")
    with days_later(31):
        app.services.trash.empty_old(seconds=0)
        assert len(photo_items()) == 2
        app.services.trash.empty_old()
    assert photo_items() == []


def test_trash_without_a_time_limit_is_kept(mario: Person) -> None:
    set_parameters(TRASH_DAYS=0)
    mario.post(f"/photos/{upload(mario)}/trash")
    with days_later(36_500):
        app.services.trash.empty_old()
    assert len(photo_items()) == 1


def test_error_about_one_user_stops_no_other_users_trash_from_being_emptied(
    mario: Person, luigi: Person
) -> None:
    for person in (mario, luigi):
        person.post(f"/photos/{upload(person)}/trash")
    delete = app.services.batches._storage.delete
    failed: list[str] = []

    def fail_first(keys: list[str]) -> None:
        if not failed:
            failed.append(keys[0])
            raise ValueError("a bug")
        delete(keys)

    with (
        days_later(31),
        mock.patch.object(app.services.batches._storage, "delete", fail_first),
        pytest.raises(ValueError, match="a bug"),
    ):
        app.services.trash.empty_old()
    assert len(photo_items()) == 1
    with days_later(31):
        app.services.trash.empty_old()  # It finishes what it has begun.
    assert (photo_items(), bucket_objects()) == ([], {})
