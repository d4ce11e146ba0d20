"""Everything at once, from many threads, over real HTTP on MiniStack."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import requests

from chalicelib.photos.storage import user_prefixes
from infra.background import RunningStack
from tests.support import images
from tests.support.people import Person, Response, at_once, post_to_s3

pytestmark = pytest.mark.xdist_group("local-stack")

PICTURE = images.jpeg(200, 100)
_numbers = itertools.count()
Act = Callable[[], Response]


@pytest.fixture
def mario(stack: RunningStack) -> Person:
    made = Person.at(stack.url, f"racer-{next(_numbers)}@example.com")
    assert made.sign_up().status_code == 200
    assert made.sign_in().status_code == 200
    return made


def statuses(responses: list[Response]) -> set[int]:
    return {response.status_code for response in responses}


def stored(stack: RunningStack, sub: str) -> set[str]:
    s3 = stack.make_client("s3")
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"] if "dev-photos" in one["Name"]]
    photos, _ = user_prefixes(sub)
    answer = s3.list_objects_v2(Bucket=bucket, Prefix=photos)
    return {one["Key"] for one in answer.get("Contents", [])}


def told(stack: RunningStack, sub: str) -> list[str]:
    """Return what the integrity check says of a person."""
    done = stack.run("infra.integrity", "--user", sub)
    assert " users, " in done.stdout, done.stderr
    return done.stdout.splitlines()[:-1]


def sub_of(person: Person) -> str:
    sub: str = person.get("/users/me").json()["user"]["user_id"]
    return sub


def is_exact(stack: RunningStack, person: Person, sub: str) -> bool:
    """Tell whether list, objects and counters agree, and whatever is listed loads."""
    photos = person.get("/photos").json()["photos"]
    for photo in photos:
        assert requests.get(photo["originalSrc"], timeout=30).content == PICTURE
        assert requests.get(photo["thumbSrc"], timeout=30).ok
    assert person.counters() == (len(photos), len(PICTURE) * len(photos))
    return len(stored(stack, sub)) == 2 * len(photos)


def test_one_photo_is_completed_edited_downloaded_and_deleted_at_once(
    stack: RunningStack, mario: Person
) -> None:
    sub = sub_of(mario)
    for _ in range(3):
        started = mario.begin_upload(len(PICTURE))
        assert post_to_s3(started.json()["upload"], PICTURE).ok
        path = f"/photos/{started.json()['photo_id']}"

        def edit(path: str = path) -> Response:
            return mario.send("PATCH", path, desc="Sea", taken_date="2020-02-02")

        acts: list[Any] = [
            lambda started=started: mario.complete(started),
            edit,
            lambda path=path: mario.get(path + "?mode=original"),
            lambda path=path: mario.request("DELETE", path),
        ]
        responses = at_once(*(acts * 4))
        assert statuses(responses) <= {200, 302, 404, 409, 429}
        assert is_exact(stack, mario, sub)
    assert told(stack, sub) == []


def test_who_signs_out_during_uploads_keeps_what_was_answered(
    stack: RunningStack, mario: Person
) -> None:
    sub = sub_of(mario)
    acts: list[Act] = [lambda: mario.upload(PICTURE) for _ in range(8)]
    responses = at_once(*acts[:4], mario.sign_out, *acts[4:])
    assert statuses(responses) <= {200, 403}
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 200
    answered = {one.json()["photo_id"] for one in responses if "photo_id" in one.json()}
    listed = {photo["id"] for photo in mario.get("/photos").json()["photos"]}
    assert listed >= answered
    assert is_exact(stack, mario, sub)
    assert told(stack, sub) == []


def test_who_leaves_during_uploads_leaves_nothing_behind(
    stack: RunningStack, mario: Person
) -> None:
    sub = sub_of(mario)

    def leave() -> Response:
        return mario.send("DELETE", "/users/me", password=mario.password)

    acts: list[Act] = [lambda: mario.upload(PICTURE) for _ in range(8)]
    responses = at_once(*acts[:4], leave, *acts[4:])
    assert statuses(responses) <= {200, 202, 401, 403}
    assert leave().status_code in (200, 403)
    assert stored(stack, sub) == set()
    assert told(stack, sub) == []
    assert mario.sign_in().status_code == 401


def test_what_is_lost_is_told_and_mended_by_the_command(stack: RunningStack, mario: Person) -> None:
    photo = mario.upload(PICTURE).json()["photo"]
    sub = photo["user_id"]
    s3 = stack.make_client("s3")
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"] if "dev-photos" in one["Name"]]
    thumbnail = f"photos/{sub}/thumbnails/{photo['id']}.jpg"
    s3.delete_object(Bucket=bucket, Key=thumbnail)
    stack.make_client("dynamodb").update_item(
        TableName="User",
        Key={"sub": {"S": sub}},
        UpdateExpression="SET photo_count = :nine",
        ExpressionAttributeValues={":nine": {"N": "9"}},
    )
    asked = mario.begin_upload(len(PICTURE))
    assert post_to_s3(asked.json()["upload"], PICTURE).ok
    assert mario.complete(asked).ok  # copied objects keep their hash, too
    assert [line.split(":")[0] for line in told(stack, sub)] == [
        "a photo without its thumbnail, or with another than its row says",
        "counters that are not the sums of the photos",
    ]
    done = stack.run("infra.integrity", "--repair", "--user", sub)
    assert "mended" in done.stdout
    assert told(stack, sub) == []
    assert is_exact(stack, mario, sub)
    s3.delete_object(Bucket=bucket, Key=f"photos/{sub}/{photo['filename']}")
    assert f"a photo without its original: photos/{sub}/{photo['filename']}" in told(stack, sub)
    assert stack.run("infra.integrity", "--user", sub).returncode == 1
    assert mario.request("DELETE", f"/photos/{photo['id']}").ok
