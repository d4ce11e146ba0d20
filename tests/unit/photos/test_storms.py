"""Random storms of changes by several clients at once: everything derived agrees with the photos.

A client may be interrupted after each read of a photo, so that others change what it has read. Some
transactions conflict, and some responses are lost. The sums are computed by the test's own code.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, PynamoDBException, VerboseClientError

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.errors import AlbumError, AlreadyWritten
from chalicelib.photos.batch import PhotoBatches
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import METADATA, PhotoState, computed_fields, new_id
from chalicelib.photos.reservations import PENDING_LIFE
from chalicelib.photos.service import PhotoService
from chalicelib.photos.storage import PhotoStorage
from chalicelib.photos.transactions import PhotoTransactions
from chalicelib.photos.trash import Trash
from tests.support.derived import expected_derived, stored_derived
from tests.support.fake_dynamodb import FakeDynamoDB, cancelled, plain
from tests.support.thumbnails import SIZES

STEPS = 1_000
USERS = ("sub-1", "sub-2")
TAGS = ("Sea", "sea", "a.b[0]", "Straße", "Snow", "Sun")
DATES = (None, "2025-12-31T23:59:59-08:00", "2026-01-01", "2026-11-03T12:00:00", "1999-05-05")
CONFLICT = CancellationReason(code="TransactionConflict", message="conflict")


class Storm:
    """Clients of several users, whose requests meet."""

    def __init__(self, dynamodb: FakeDynamoDB, seed: int) -> None:
        self.dynamodb = dynamodb
        self.random = random.Random(seed)
        self.ids: dict[str, list[str]] = {sub: [new_id()] for sub in USERS}
        self.depth = 0
        self.outcomes: Counter[str] = Counter()
        connection = Connection(region="eu-west-1")
        self.transactions = PhotoTransactions(connection, sleep=lambda _: None)
        storage = mock.Mock(spec=PhotoStorage, with_urls=lambda fields: fields)
        self.photos = PhotoService(storage, self.transactions, SIZES)
        self.batches = PhotoBatches(storage, self.transactions)
        self.trash = Trash(self.batches, 30)

    def step(self) -> None:
        """Let one client do something, and count what came of it."""
        sub, act = self.random.choice(USERS), self.random.choice(self.actions())
        try:
            act(sub)
            self.outcomes["done"] += 1
        except (AlbumError, AlreadyWritten, PynamoDBException) as error:
            self.outcomes[type(error).__name__] += 1

    def actions(self) -> list[Callable[[str], object]]:
        return [
            *[self.upload] * 4,
            self.complete,
            *[self.edit] * 4,
            *[lambda sub: self.photos.trash(sub, self.any(sub))] * 3,
            *[lambda sub: self.photos.restore(sub, self.any(sub))] * 3,
            *[lambda sub: self.photos.delete(sub, self.any(sub))] * 2,
            *[self.batch] * 2,
            lambda sub: self.random.random() < 0.2 and self.trash.empty(sub),
        ]

    def any(self, sub: str) -> str:
        # Mostly the same few, so that clients meet.
        return self.random.choice(self.ids[sub][-12:])

    def some_tags(self) -> str:
        return ",".join(self.random.sample(TAGS, self.random.randrange(4)))

    def photo(self, sub: str, photo_id: str, state: PhotoState, **more: Any) -> Photo:
        photo = Photo(sub, photo_id, state=state, filename=f"{photo_id}.jpg", **more)
        photo.upload_date = "2026-11-24T10:00:00.000+00:00"
        photo.tags, photo.taken_date = self.some_tags(), self.random.choice(DATES)
        return photo

    def ready(self, sub: str, photo_id: str, **more: Any) -> Photo:
        photo = self.photo(sub, photo_id, PhotoState.READY, content_type="image/jpeg", **more)
        photo.sha256 = self.random.choice("abcdef")
        for name, value in computed_fields(photo).items():
            setattr(photo, name, value)
        return photo

    def upload(self, sub: str) -> None:
        photo_id = new_id()
        self.ids[sub].append(photo_id)
        self.transactions.add(self.ready(sub, photo_id, filesize=self.random.randrange(1, 99)))

    def complete(self, sub: str) -> None:
        pending = self.photo(sub, new_id(), PhotoState.PENDING, filesize=7)
        pending.expires_at = dates.utc_now() + PENDING_LIFE
        self.transactions.reserve(pending)
        self.ids[sub].append(pending.id)
        self.transactions.complete(self.ready(sub, pending.id, filesize=7))

    def edit(self, sub: str) -> None:
        changes = {
            "tags": self.some_tags(),
            "taken_date": self.random.choice(DATES),
            "favorite": self.random.random() < 0.6,
            "desc": str(self.random.random()),
        }
        names = self.random.sample(list(changes), self.random.randrange(1, 4))
        self.photos.edit(sub, self.any(sub), {name: changes[name] for name in names})

    def batch(self, sub: str) -> None:
        actions = ("trash", "restore", "delete", "favorite", "unfavorite", "tag", "untag")
        action: Any = self.random.choice(actions)
        self.batches.run(sub, [self.any(sub) for _ in range(4)], action, self.some_tags())

    def interrupt(self) -> None:
        """Let another client act after a read of this one."""
        if self.depth < 2 and self.random.random() < 0.2:
            self.depth += 1
            try:
                self.step()
            finally:
                self.depth -= 1

    def conflict(self) -> None:
        if self.random.random() < 0.05:
            raise cancelled([CONFLICT])

    def lose_response(self) -> None:
        if self.random.random() < 0.02:
            error = {"Code": "InternalServerError", "Message": "lost"}
            raise VerboseClientError({"Error": error}, "TransactWriteItems")


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> FakeDynamoDB:
    fake = FakeDynamoDB()
    monkeypatch.setattr(
        Connection,
        "_make_api_call",
        lambda connection, name, request, *_: fake.call(connection, name, request),
    )
    monkeypatch.setattr(Photo.Meta, "region", "eu-west-1")
    for sub in USERS:
        User.create(sub)
    return fake


def assert_everything_agrees(dynamodb: FakeDynamoDB) -> None:
    tables = {
        name: [{key: plain(value) for key, value in item.items()} for item in table.values()]
        for name, table in dynamodb.tables.items()
    }
    for sub in USERS:
        own = [item for item in tables["Photo"] if item["user_id"] == sub]
        photos = [item for item in own if not item["id"].startswith("key#")]
        others = [item for item in own if item["id"].startswith("key#")]
        assert stored_derived(others) == expected_derived(photos)
        [user] = [item for item in tables["User"] if item["sub"] == sub]
        states = Counter(photo["state"] for photo in photos)
        pending = [photo for photo in photos if photo["state"] == "pending"]
        assert int(user["photo_count"]) == len(photos)
        assert int(user["storage_bytes"]) == sum(photo["filesize"] for photo in photos)
        assert int(user.get("trash_count", 0)) == len([p for p in photos if p.get("trashed_date")])
        assert int(user.get("pending_count", 0)) == states["pending"] == len(pending)
        assert all("taken_key" in p for p in photos if p["state"] == "ready")
        assert not any("taken_key" in p for p in photos if p["state"] != "ready")


@pytest.mark.parametrize("seed", range(3))
def test_counters_lists_and_hashes_agree_with_the_photos_after_a_storm_of_changes(
    dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    storm = Storm(dynamodb, seed)
    find = Photo.find

    def find_and_wait(user_id: str, photo_id: str) -> Photo | None:
        found = find(user_id, photo_id)
        storm.interrupt()
        return found

    monkeypatch.setattr(Photo, "find", find_and_wait)
    dynamodb.before_transaction = storm.conflict
    dynamodb.after_transaction = storm.lose_response
    for step in range(STEPS):
        storm.step()
        if step % 100 == 0:
            assert_everything_agrees(dynamodb)
    assert_everything_agrees(dynamodb)
    assert storm.outcomes["done"] > STEPS / 2
    assert dynamodb.transactions > STEPS / 2
    # It was not so calm that nothing met.
    assert storm.outcomes["TransactWriteError"] > 5


def test_storm_writes_photos_in_all_states(dynamodb: FakeDynamoDB) -> None:
    storm = Storm(dynamodb, 7)
    for _ in range(300):
        storm.step()
    states = {plain(item["state"]) for item in dynamodb.tables["Photo"].values() if "state" in item}
    assert {"ready", "trashed"} <= states
    assert set(METADATA) >= {"tags", "taken_date"}
