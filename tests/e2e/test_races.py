"""Simultaneous requests of one person, over HTTP, and the integrity check afterwards."""

import functools
import itertools

import pytest
import requests

from chalicelib.integrity.report import Issue
from infra.background import RunningStack
from tests.support import images
from tests.support.deployed import photo_bucket, photo_objects
from tests.support.people import Person, Response, at_once, post_to_s3

IMAGE = images.jpeg(200, 100)
_numbers = itertools.count(1)


@pytest.fixture
def mario(stack: RunningStack) -> Person:
    return Person.registered(stack.url, f"racer-{next(_numbers)}@example.com")


def statuses(responses: list[Response]) -> set[int]:
    return {response.status_code for response in responses}


def issues(stack: RunningStack, sub: str) -> list[str]:
    """Return what the integrity check reports about a person."""
    done = stack.run("infra.integrity", "--user", sub)
    assert " users, " in done.stdout, done.stderr
    return done.stdout.splitlines()[:-1]


def is_consistent(stack: RunningStack, person: Person, sub: str) -> bool:
    """Return whether list, objects and counters agree, and each listed photo can be downloaded."""
    photos = person.photos()
    for photo in photos:
        assert requests.get(photo["originalSrc"], timeout=30).content == IMAGE
        assert requests.get(photo["thumbSrc"], timeout=30).ok
        assert requests.get(photo["previewSrc"], timeout=30).ok
    assert person.counters() == (len(photos), len(IMAGE) * len(photos))
    return len(photo_objects(stack, sub)) == 3 * len(photos)


def test_simultaneous_completion_edit_download_and_deletion_leave_no_issue(
    stack: RunningStack, mario: Person
) -> None:
    sub = mario.profile()["user_id"]
    for _ in range(3):
        started = mario.begin_upload(len(IMAGE))
        assert post_to_s3(started.json()["upload"], IMAGE).ok
        path = f"/photos/{started.json()['photo_id']}"
        complete = functools.partial(mario.complete, started)
        edit = functools.partial(mario.send, "PATCH", path, desc="Sea", taken_date="2020-02-02")
        download = functools.partial(mario.get, f"{path}?mode=original")
        delete = functools.partial(mario.delete, path)
        responses = at_once(*[complete, edit, download, delete] * 4)
        assert statuses(responses) <= {200, 302, 404, 409, 429}
        assert is_consistent(stack, mario, sub)
    assert issues(stack, sub) == []


def test_sign_out_during_uploads_loses_no_acknowledged_photo(
    stack: RunningStack, mario: Person
) -> None:
    sub = mario.profile()["user_id"]
    uploads = [lambda: mario.upload(IMAGE)] * 4
    responses = at_once(*uploads, mario.sign_out, *uploads)
    assert statuses(responses) <= {200, 403}
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 200
    acknowledged = {one.json()["photo_id"] for one in responses if "photo_id" in one.json()}
    assert {photo["id"] for photo in mario.photos()} >= acknowledged
    assert is_consistent(stack, mario, sub)
    assert issues(stack, sub) == []


def test_deletion_of_the_account_during_uploads_leaves_nothing_stored(
    stack: RunningStack, mario: Person
) -> None:
    def delete_account() -> Response:
        return mario.send("DELETE", "/users/me", password=mario.password)

    sub = mario.profile()["user_id"]
    uploads = [lambda: mario.upload(IMAGE)] * 4
    responses = at_once(*uploads, delete_account, *uploads)
    assert statuses(responses) <= {200, 202, 401, 403}
    assert delete_account().status_code in (200, 403)
    assert photo_objects(stack, sub) == set()
    assert issues(stack, sub) == []
    assert mario.sign_in().status_code == 401


def test_command_reports_and_repairs_a_lost_thumbnail_and_wrong_counters(
    stack: RunningStack, mario: Person
) -> None:
    photo = mario.upload(IMAGE).json()["photo"]
    sub = photo["user_id"]
    s3, bucket = stack.make_client("s3"), photo_bucket(stack)
    thumbnail = f"photos/{sub}/thumbnails/{photo['id']}.jpg"
    s3.delete_object(Bucket=bucket, Key=thumbnail)
    stack.make_client("dynamodb").update_item(
        TableName="User",
        Key={"sub": {"S": sub}},
        UpdateExpression="SET photo_count = :nine",
        ExpressionAttributeValues={":nine": {"N": "9"}},
    )
    started = mario.begin_upload(len(IMAGE))
    assert post_to_s3(started.json()["upload"], IMAGE).ok
    assert mario.complete(started).ok  # A copied object has the right hash, too.
    assert issues(stack, sub) == [
        f"{Issue.THUMBNAIL}: {thumbnail}",
        f"{Issue.WRONG_COUNTERS}: user {sub}",
    ]
    done = stack.run("infra.integrity", "--repair", "--user", sub)
    assert f"{Issue.WRONG_COUNTERS}: user {sub} (repaired)" in done.stdout
    assert "2 issues, 2 repaired" in done.stdout
    assert issues(stack, sub) == []
    assert is_consistent(stack, mario, sub)


def test_command_fails_while_an_original_is_missing(stack: RunningStack, mario: Person) -> None:
    photo = mario.upload(IMAGE).json()["photo"]
    sub, original = photo["user_id"], f"photos/{photo['user_id']}/{photo['filename']}"
    stack.make_client("s3").delete_object(Bucket=photo_bucket(stack), Key=original)
    assert issues(stack, sub) == [f"{Issue.MISSING_ORIGINAL}: {original}"]
    done = stack.run("infra.integrity", "--user", sub)
    assert done.returncode == 1
    assert done.stderr == (
        "The check found issues. Set REPAIR=1 to repair what can be (docs/reliability.md).\n"
    )
    assert mario.delete(f"/photos/{photo['id']}").ok
    assert issues(stack, sub) == []
