"""A stage is restored to a moment, after what can happen to photos has happened to them.

The embedded AWS keeps versions as S3 does. It has no history of tables, so their items are
recorded at the moment (`tests.support.recovery`).
"""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from infra import stacks
from infra.background import RunningStack
from infra.errors import OperatorError
from infra.restore import Plan, restore
from infra.stages import Stage
from tests.support import images
from tests.support.people import Person
from tests.support.recovery import InterruptedCallError, Recovery, scan

STAGE = Stage("restored")
# Where a restore is interrupted, one after another: each attempt continues.
INTERRUPTIONS = [
    ("restore_table_to_point_in_time", 2),
    ("tag_resource", 2),
    ("put_function_concurrency", 2),
    ("copy_object", 20),
    ("batch_write_item", 2),  # between two batches of photos
    ("batch_write_item", 2),  # before photos are deleted
    ("batch_write_item", 2),  # before users are written
    ("delete_objects", 1),
    ("delete_table", 2),
]
PHOTOS = 100


@dataclass
class Album:
    """What the stage has stored, read without the album's own code."""

    stack: RunningStack
    url: str

    def __post_init__(self) -> None:
        outputs = stacks.outputs(self.stack.make_client("cloudformation"), STAGE.data_stack)
        assert outputs is not None
        self.bucket = outputs["PhotoBucketName"]
        self.tables = [outputs["PhotoTableName"], outputs["UserTableName"]]
        self.s3 = self.stack.make_client("s3")
        self.dynamodb = self.stack.make_client("dynamodb")

    def objects(self) -> dict[str, tuple[Any, ...]]:
        """Return each current object's hash, headers and tags, by key."""
        keys = self._keys()
        with ThreadPoolExecutor(4) as threads:
            return dict(zip(keys, threads.map(self._object, keys), strict=True))

    def _keys(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def _object(self, key: str) -> tuple[Any, ...]:
        found = self.s3.get_object(Bucket=self.bucket, Key=key)
        tags = self.s3.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"]
        digest = hashlib.sha256(found["Body"].read()).hexdigest()
        names = ("ContentType", "ContentDisposition", "CacheControl", "Metadata")
        return digest, [found.get(name) for name in names], tags

    def items(self) -> list[dict[str, Any]]:
        """Return all items of photos, and those that follow from them, in order."""
        items = scan(self.dynamodb, self.tables[0])
        return sorted(items, key=lambda item: (item["user_id"]["S"], item["id"]["S"]))

    def users(self) -> dict[str, dict[str, Any]]:
        """Return the items of users by `sub`, without when they signed out."""
        return {
            item["sub"]["S"]: {key: item[key] for key in item if not key.startswith("signed_out")}
            for item in scan(self.dynamodb, self.tables[1])
        }

    def unlistable(self) -> list[str]:
        """Return the originals that listed items name, but that do not exist."""
        keys = {
            f"photos/{item['user_id']['S']}/{item['filename']['S']}"
            for item in self.items()
            if item.get("state") == {"S": "ready"}
        }
        return sorted(keys - set(self._keys()))

    def concurrency(self) -> dict[str, Any]:
        """Return what is reserved for each function of the stage, and its tags."""
        client = self.stack.make_client("lambda")
        resources = self.stack.make_client("cloudformation").describe_stack_resources(
            StackName=STAGE.app_stack
        )["StackResources"]
        names = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in resources
            if one["ResourceType"] == "AWS::Lambda::Function"
        }
        functions = {name: client.get_function(FunctionName=names[name]) for name in names}
        return {
            name: (found.get("Concurrency"), found.get("Tags")) for name, found in functions.items()
        }

    def check(self) -> str:
        """Check and repair the stage; return the last line of the summary."""
        done = self.stack.run("infra.integrity", "--repair", STAGE=STAGE.name)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def album(stack: RunningStack) -> Album:
    return Album(stack, stack.deploy(STAGE.name))


def upload(person: Person, count: int) -> list[dict[str, Any]]:
    """Upload different photos; return their photo objects."""
    photos = []
    for number in range(count):
        response = person.upload(
            images.jpeg(16 + number, 24), name=f"{number}.jpg", desc=f"photo {number}"
        )
        assert response.status_code == 200, response.text
        photos.append(response.json()["photo"])
    return photos


def second_that_has_passed() -> datetime:
    """Return this second, once it is over: S3 and DynamoDB know whole seconds."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.01)
    return datetime.fromtimestamp(second, UTC)


def change_everything(album: Album, mario: Person, luigi: Person, key_of: Any) -> None:
    """Delete, edit, overwrite and add photos, by the API and by hand."""
    marios, luigis = mario.photos(), luigi.photos()
    for photo in marios[:20]:
        assert mario.delete(f"/photos/{photo['id']}").ok
    for photo in marios[20:35]:
        assert mario.send("PATCH", f"/photos/{photo['id']}", desc="changed", city="Rome").ok
    for photo in luigis[:15]:
        album.s3.put_object(Bucket=album.bucket, Key=key_of(photo), Body=b"overwritten")
    for photo in luigis[15:25]:
        album.s3.delete_object(Bucket=album.bucket, Key=key_of(photo))
    for photo in luigis[25:30]:  # deleted and stored again
        album.s3.delete_object(Bucket=album.bucket, Key=key_of(photo))
        album.s3.put_object(Bucket=album.bucket, Key=key_of(photo), Body=b"stored again")
    upload(luigi, 5)
    begun = mario.begin_upload(100)
    assert begun.ok


def expire_thumbnail(album: Album, photo: dict[str, Any]) -> None:
    """Remove all versions of a deleted photo's thumbnail, as the lifecycle rule does."""
    key = f"photos/{photo['user_id']}/thumbnails/{photo['id']}.jpg"
    listed = album.s3.list_object_versions(Bucket=album.bucket, Prefix=key)
    for one in (*listed["Versions"], *listed["DeleteMarkers"]):
        album.s3.delete_object(Bucket=album.bucket, Key=key, VersionId=one["VersionId"])


@pytest.mark.timeout(600)  # a hundred uploads, and a dozen restores
def test_stage_is_restored_byte_for_byte_and_repeatably(album: Album) -> None:
    mario, luigi, peach = (
        Person.registered(album.url, f"{name}@example.com") for name in ("mario", "luigi", "peach")
    )
    photos = upload(mario, PHOTOS // 2) + upload(luigi, PHOTOS // 2)
    assert mario.delete(f"/photos/{photos[0]['id']}").ok  # It must stay deleted.
    second_that_has_passed()  # What is deleted in the second of the moment is restored.
    upload(mario, 1)
    assert peach.sign_out().ok
    moment = second_that_has_passed()
    recovery = Recovery(album.stack, moment, album.tables)
    objects, items, users = album.objects(), album.items(), album.users()
    # The others are counters and hashes, which are restored with the photos.
    filenames = {item["id"]["S"]: item["filename"]["S"] for item in items if "filename" in item}
    assert (len(filenames), len(objects)) == (PHOTOS, 3 * PHOTOS)

    deleted = mario.photos()[0]
    change_everything(
        album, mario, luigi, lambda one: f"photos/{one['user_id']}/{filenames[one['id']]}"
    )
    expire_thumbnail(album, deleted)
    revoked = mario.token
    assert mario.sign_out().ok
    newcomer = Person.registered(album.url, "daisy@example.com")
    upload(newcomer, 3)
    newcomers = newcomer.token
    assert newcomer.sign_out().ok
    before = album.concurrency()
    assert album.items() != items

    plans: list[Plan] = []

    def run(confirm: Callable[[Plan], bool] = lambda plan: plans.append(plan) or True) -> None:  # type: ignore[func-returns-value]
        restore(recovery.make_client, STAGE, moment, confirm, sleep=lambda seconds: None)

    statuses: list[int] = []

    def request_while_paused(name: str) -> None:
        if name == "delete_objects":
            statuses.append(luigi.get("/health").status_code)

    recovery.on_call = request_while_paused

    # An operator who types another name changes nothing.
    with pytest.raises(OperatorError, match="Nothing was changed"):
        run(lambda plan: False)
    assert "copy_object" not in recovery.calls
    assert album.concurrency() == before

    # Interrupted at any step, it leaves no photo that does not load, and no function paused.
    by_hand = set(album.unlistable())
    for call in INTERRUPTIONS:
        recovery.calls.clear()
        recovery.fails_at = call
        with pytest.raises(InterruptedCallError):
            run()
        assert set(album.unlistable()) <= by_hand, call
        assert album.concurrency() == before

    recovery.fails_at = None
    for _ in range(2):  # It is safe to repeat.
        run()
        assert album.items() == items
        assert album.concurrency() == before
    assert plans[-1].items == plans[-1].objects == (0, 0)
    assert statuses
    assert min(statuses) >= 429

    checked = "restored: 4 users, 100 photos, 100 verified by their hashes"
    assert album.check().startswith(f"{checked}: 1 issues, 1 repaired")
    assert album.check() == f"{checked}: 0 issues, 0 repaired"
    assert album.objects() == objects
    stored = {sub: user for sub, user in album.users().items() if sub in users}
    assert stored == users
    tables = album.dynamodb.list_tables()["TableNames"]
    assert not [name for name in tables if "-restore-" in name]

    # Sessions that were revoked after the moment are not valid again, and new ones are.
    for token, person in ((revoked, mario), (newcomers, newcomer), (luigi.token, luigi)):
        person.token = token
        assert person.get("/photos").status_code == 403
        assert person.sign_in().ok
    assert len(mario.photos()) == len(luigi.photos()) == PHOTOS // 2
    assert newcomer.photos() == []
    # What was newer is kept, so that a restore can be undone.
    versions = album.s3.get_paginator("list_object_versions").paginate(Bucket=album.bucket)
    sizes = [one["Size"] for page in versions for one in page["Versions"]]
    assert sizes.count(len(b"overwritten")) == 15


def test_command_refuses_a_stage_whose_tables_have_no_history(album: Album) -> None:
    # The embedded AWS ignores this part of the template.
    moment = datetime.now(UTC).replace(microsecond=0).isoformat()
    done = album.stack.run("infra.restore", STAGE=STAGE.name, TO=moment, YES="1")
    expected = f"The table {album.tables[0]} has no point-in-time recovery. Run `make provision`.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
