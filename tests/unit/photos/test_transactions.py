"""Transactions that conflict: DynamoDB cancels them, but no emulator does."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError

from chalicelib.accounts.models import User
from chalicelib.clients import as_album_error
from chalicelib.errors import (
    AlreadyWritten,
    Conflict,
    NotSignedIn,
    QuotaExceeded,
    Throttled,
    TooManyUploads,
)
from chalicelib.photos.changes import trashed
from chalicelib.photos.derived import tag_counter
from chalicelib.photos.idempotency import KeyedUpload
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoMetadata, PhotoState
from chalicelib.photos.quota import MAX_PENDING, Quota
from chalicelib.photos.transactions import _CHANGE_TRIES, PhotoTransactions, was_cancelled
from chalicelib.photos.writes import TRIES

CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
FAILED = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
NONE = {"Code": "None"}
KEYED = KeyedUpload("key", 10, PhotoMetadata())
THROTTLED = {"Code": "ThrottlingError", "Message": "slow down"}
TOO_MUCH = {"Code": "ProvisionedThroughputExceeded", "Message": "slow down"}


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return Connection(region="eu-west-1", max_retry_attempts=0)


@pytest.fixture
def stub(connection: Connection) -> Iterator[Stubber]:
    with Stubber(connection.client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def transactions(stub: Stubber, connection: Connection, pauses: list[float]) -> PhotoTransactions:
    return PhotoTransactions(connection, sleep=pauses.append)


@pytest.fixture
def photo() -> Photo:
    fields: dict[str, Any] = dict.fromkeys(("filename", "content_type"), "x")
    numbers: dict[str, Any] = dict.fromkeys(("filesize", "width", "height"), 10)
    return Photo("sub-1", "id-1", state="ready", upload_date="2026", **fields, **numbers)


def cancel(stub: Stubber, *reasons: dict[str, str]) -> None:
    """Cancel the next transaction, with a reason for each of its items."""
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        "Transaction cancelled",
        modeled_fields={"CancellationReasons": list(reasons)},
    )


def test_item_and_counters_are_written_in_one_transaction(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    expected = {"TransactItems": [{"Put": ANY}, {"Update": ANY}], "ReturnConsumedCapacity": ANY}
    stub.add_response("transact_write_items", {}, expected)
    transactions.add(photo)


@pytest.mark.parametrize(
    "reasons", [(NONE, CONFLICT), (CONFLICT, NONE), (THROTTLED, NONE), (NONE, TOO_MUCH)]
)
def test_transaction_that_conflicts_is_retried_after_a_random_pause(
    stub: Stubber,
    transactions: PhotoTransactions,
    photo: Photo,
    pauses: list[float],
    reasons: tuple[dict[str, str], dict[str, str]],
) -> None:
    for _ in range(3):
        cancel(stub, *reasons)
    stub.add_response("transact_write_items", {})
    transactions.add(photo)
    for _ in range(2):
        cancel(stub, *reasons)
    stub.add_response("transact_write_items", {})
    transactions.remove(photo)
    assert len(pauses) == 5
    assert all(0 <= pause <= 0.8 for pause in pauses)
    assert len(set(pauses)) == 5


@pytest.mark.parametrize("operation", ["add", "reserve", "complete", "remove"])
def test_transaction_that_always_conflicts_is_throttled_within_ten_seconds(
    stub: Stubber,
    transactions: PhotoTransactions,
    photo: Photo,
    pauses: list[float],
    operation: str,
) -> None:
    for _ in range(TRIES):
        cancel(stub, NONE, CONFLICT)
    with pytest.raises(Throttled):
        getattr(transactions, operation)(photo)
    assert sum(pauses) < 10


def test_upload_to_an_account_without_an_item_creates_it(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    created: list[str] = []

    def missing(*_: Any, **__: Any) -> User:
        raise User.DoesNotExist

    monkeypatch.setattr(User, "get", missing)
    monkeypatch.setattr(User, "create", created.append)
    cancel(stub, NONE, FAILED)
    stub.add_response("transact_write_items", {})
    transactions.add(photo)
    assert created == ["sub-1"]


@pytest.mark.parametrize(
    ("operation", "key", "reasons"),
    [
        ("add", [], [NONE, FAILED]),
        ("reserve", [KEYED], [NONE, NONE, FAILED]),
        ("complete", [], [NONE, FAILED]),
    ],
)
def test_account_that_is_being_deleted_accepts_no_photo(
    stub: Stubber,
    transactions: PhotoTransactions,
    photo: Photo,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    key: list[str],
    reasons: list[dict[str, str]],
) -> None:
    monkeypatch.setattr(User, "get", lambda *_, **__: User("sub-1", deleting_at=1))
    cancel(stub, *reasons)
    with pytest.raises(NotSignedIn, match="deleted"):
        getattr(transactions, operation)(photo, *key)


def test_removal_requires_that_the_photo_is_being_deleted(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    delete, update = written(stub, lambda: transactions.remove(photo))
    [name] = delete["Delete"]["ExpressionAttributeNames"].values()
    [value] = delete["Delete"]["ExpressionAttributeValues"].values()
    assert (name, value) == ("state", {"S": "deleting"})
    assert delete["Delete"]["ConditionExpression"] == "#0 = :0"
    assert "Update" in update


def test_photo_that_another_request_removed_is_not_discounted_twice(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    cancel(stub, FAILED, NONE)
    transactions.remove(photo)


def test_removal_deletes_the_item_if_only_the_account_is_missing(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[Photo] = []
    monkeypatch.setattr(Photo, "delete", lambda item: deleted.append(item))
    cancel(stub, NONE, FAILED)
    transactions.remove(photo)
    assert deleted == [photo]


@pytest.mark.parametrize("operation", ["add", "reserve", "complete", "remove"])
def test_other_error_of_dynamodb_is_raised_unchanged(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo, operation: str
) -> None:
    stub.add_client_error("transact_write_items", "ValidationException", "too large")
    with pytest.raises(TransactWriteError):
        getattr(transactions, operation)(photo)


def test_reservation_writes_item_key_and_counters_in_one_transaction(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    items = [{"Put": ANY}, {"Put": ANY}, {"Update": ANY}]
    expected = {"TransactItems": items, "ReturnConsumedCapacity": ANY}
    stub.add_response("transact_write_items", {}, expected)
    transactions.reserve(photo, KEYED)


def test_request_that_comes_second_is_already_written_even_after_conflicts(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    for _ in range(2):  # The second reason is the key's: PynamoDB sends updates last.
        cancel(stub, NONE, CONFLICT, NONE)
        cancel(stub, NONE, FAILED, NONE)
        with pytest.raises(AlreadyWritten):
            transactions.add(photo, KEYED)
    cancel(stub, NONE, FAILED, NONE)
    with pytest.raises(AlreadyWritten):
        transactions.reserve(photo, KEYED)
    cancel(stub, FAILED, NONE)
    with pytest.raises(AlreadyWritten):
        transactions.complete(photo)


@pytest.fixture
def limited(stub: Stubber, connection: Connection, pauses: list[float]) -> PhotoTransactions:
    return PhotoTransactions(connection, Quota(photos=2, storage_bytes=100), pauses.append)


def owner_update(stub: Stubber, write: Callable[[], None]) -> tuple[str, str]:
    """Return the condition and the update of the owner's item, with their names and values."""
    [update] = [one["Update"] for one in written(stub, write) if "Update" in one]
    texts = update["ConditionExpression"], update["UpdateExpression"]
    places = update["ExpressionAttributeNames"] | {
        place: value.get("N") for place, value in update["ExpressionAttributeValues"].items()
    }
    condition, changes = (
        re.sub(r"[#:]\d+", lambda place: str(places[place[0]]), text) for text in texts
    )
    return condition, changes


def written(stub: Stubber, write: Callable[[], None]) -> list[dict[str, Any]]:
    """Return the items of the transaction that `write` sends."""
    items: list[dict[str, Any]] = []

    def record(params: dict[str, Any], **_: Any) -> None:
        items.extend(params["TransactItems"])

    stub.client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", record)
    stub.add_response("transact_write_items", {})
    write()
    return items


@pytest.mark.parametrize("operation", ["add", "reserve"])
def test_quota_is_a_condition_of_the_transaction_that_writes(
    stub: Stubber, limited: PhotoTransactions, photo: Photo, operation: str
) -> None:
    condition, _ = owner_update(stub, lambda: getattr(limited, operation)(photo))
    # The most photos and bytes before one of 10 bytes.
    assert "photo_count <= 1" in condition
    assert "storage_bytes <= 90" in condition
    assert "attribute_not_exists (deleting_at)" in condition
    assert "attribute_exists (sub)" in condition


def test_pending_upload_is_counted_and_limited_by_the_transaction_that_reserves_it(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    photo.state = PhotoState.PENDING
    condition, changes = owner_update(stub, lambda: transactions.reserve(photo))
    assert "pending_count <= 999" in condition
    for counted in ("photo_count 1", "storage_bytes 10", "pending_count 1", "pending_bytes 10"):
        assert counted in changes


def test_completion_uses_the_room_that_was_reserved(
    stub: Stubber, limited: PhotoTransactions, photo: Photo
) -> None:
    condition, changes = owner_update(stub, lambda: limited.complete(photo))
    assert changes == "ADD pending_bytes -10, pending_count -1"
    assert condition == "(attribute_exists (sub) AND attribute_not_exists (deleting_at))"


def test_upload_beyond_the_limit_is_rejected_with_the_time_until_one_expires(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo.state = PhotoState.PENDING
    recount_at = int(time.time()) + 7000
    user = User("sub-1", photo_count=1000, pending_count=MAX_PENDING, recount_at=recount_at)
    monkeypatch.setattr(User, "get", lambda *_, **__: user)
    cancel(stub, NONE, FAILED)
    with pytest.raises(TooManyUploads, match="^1,000 uploads are not completed.* 117 minutes"):
        transactions.reserve(photo)


def test_transaction_is_retried_if_the_account_has_room_again_but_not_if_it_is_full(
    stub: Stubber, limited: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [User("sub-1", photo_count=1, storage_bytes=90), User("sub-1", photo_count=2)]
    monkeypatch.setattr(User, "get", lambda *_, **__: users.pop(0))
    cancel(stub, NONE, FAILED)
    cancel(stub, NONE, FAILED)
    with pytest.raises(QuotaExceeded, match="This album is full \\(2 of 2 photos\\)"):
        limited.add(photo)


def test_request_that_comes_second_is_already_written_even_if_the_album_is_full(
    stub: Stubber, limited: PhotoTransactions, photo: Photo
) -> None:
    cancel(stub, NONE, FAILED, FAILED)
    with pytest.raises(AlreadyWritten):
        limited.add(photo, KEYED)
    cancel(stub, NONE, FAILED, FAILED)
    with pytest.raises(AlreadyWritten):
        limited.reserve(photo, KEYED)
    cancel(stub, FAILED, FAILED)
    with pytest.raises(AlreadyWritten):
        limited.complete(photo)


@pytest.mark.parametrize("operation", ["add", "reserve", "complete", "remove"])
def test_transaction_without_capacity_is_throttled_and_may_have_been_written(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo, operation: str
) -> None:
    stub.add_client_error("transact_write_items", "ProvisionedThroughputExceededException")
    with pytest.raises(TransactWriteError) as error:
        getattr(transactions, operation)(photo)
    assert isinstance(as_album_error(error.value), Throttled)
    assert not was_cancelled(error.value)  # So the objects stay.


TAGGED = {"taken_key": "2026-11-03T12:00:00#id-1", "tags": "a.b[0],Sea"}


def changed(photo: Photo, **values: Any) -> Photo:
    return Photo(**photo.attribute_values | values)


@pytest.fixture
def listed(photo: Photo) -> Photo:
    """Return a photo that is in lists, with two tags and a hash."""
    return changed(photo, sha256="5a", **TAGGED)


def keys(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what each item of a transaction is, and its ID."""
    found = []
    for item in items:
        [(kind, content)] = item.items()
        key = content.get("Key") or content["Item"]
        found.append((kind, (key.get("id") or key["sub"])["S"]))
    return found


def test_new_photo_is_counted_by_month_tag_and_hash_in_its_transaction(
    stub: Stubber, transactions: PhotoTransactions, listed: Photo
) -> None:
    items = written(stub, lambda: transactions.add(listed))
    assert keys(items) == [
        ("Put", "id-1"),
        ("Update", "key#months#2026"),
        *(("Update", tag_counter(tag)[0]) for tag in sorted(["a.b[0]", "Sea"], key=tag_counter)),
        ("Update", "key#sha256#5a"),
        ("Update", "sub-1"),
    ]
    names = [
        name for item in items[1:4] for name in item["Update"]["ExpressionAttributeNames"].values()
    ]
    assert sorted(names) == ["2026-11", "tag:Sea", "tag:a.b[0]"]


def test_change_that_no_counter_depends_on_is_a_single_update(
    monkeypatch: pytest.MonkeyPatch, transactions: PhotoTransactions, listed: Photo
) -> None:
    updates: list[list[Any]] = []
    monkeypatch.setattr(Photo, "update", lambda *_, actions, condition: updates.append(actions))
    transactions.change(listed, changed(listed, desc="Sea"))
    [[action]] = updates
    assert action == Photo.desc.set("Sea")
    transactions.change(listed, changed(listed))
    assert len(updates) == 1


def test_favorite_becomes_a_member_in_the_transaction_that_marks_it(
    stub: Stubber, transactions: PhotoTransactions, listed: Photo
) -> None:
    favorite = changed(listed, favorite=True)
    member = f"key#list#favorites#{listed.taken_key}"
    items = written(stub, lambda: transactions.change(listed, favorite))
    assert keys(items) == [("Put", member), ("Update", "id-1")]
    assert set(items[0]["Put"]["Item"]) == {"user_id", "id"}


def test_photo_that_changed_since_it_was_read_is_not_written(
    stub: Stubber, transactions: PhotoTransactions, listed: Photo
) -> None:
    cancel(stub, NONE, FAILED)
    with pytest.raises(AlreadyWritten):
        transactions.change(listed, changed(listed, favorite=True))


def test_change_is_repeated_while_other_requests_change_the_photo(
    monkeypatch: pytest.MonkeyPatch, transactions: PhotoTransactions, listed: Photo
) -> None:
    results = iter([AlreadyWritten, AlreadyWritten, None])

    def change(*_: Photo) -> None:
        result = next(results)
        if result:
            raise result

    monkeypatch.setattr(transactions, "change", change)
    assert transactions.apply(lambda: listed, trashed).state == PhotoState.TRASHED
    assert next(results, "all used") == "all used"


def test_change_is_throttled_if_other_requests_change_the_photo_every_time(
    monkeypatch: pytest.MonkeyPatch, transactions: PhotoTransactions, listed: Photo
) -> None:
    reads: list[Photo] = []

    def read() -> Photo:
        reads.append(listed)
        return listed

    def change(*_: Photo) -> None:
        raise AlreadyWritten

    monkeypatch.setattr(transactions, "change", change)
    with pytest.raises(Throttled):
        transactions.apply(read, trashed)
    assert len(reads) == _CHANGE_TRIES


def test_hash_of_the_last_photo_is_deleted_and_that_of_others_is_kept(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    hashed = changed(photo, sha256="5a")
    deleting = changed(hashed, state=PhotoState.DELETING)
    items = written(stub, lambda: transactions.change(hashed, deleting))
    assert keys(items) == [("Delete", "key#sha256#5a"), ("Update", "id-1")]
    cancel(stub, FAILED, NONE)
    items = written(stub, lambda: transactions.change(hashed, deleting))
    # The first attempt finds that another photo has the same bytes.
    assert keys(items)[2:] == [("Update", "id-1"), ("Update", "key#sha256#5a")]
    assert items[3]["Update"]["UpdateExpression"] == "DELETE #0 :1"


def test_no_more_photos_with_the_same_bytes_than_one_item_may_name(
    stub: Stubber, transactions: PhotoTransactions, photo: Photo
) -> None:
    cancel(stub, NONE, FAILED, NONE)
    with pytest.raises(Conflict, match="already has this image 1,000 times"):
        transactions.add(changed(photo, sha256="5a"))


def test_more_different_tags_than_an_item_holds_are_rejected(
    stub: Stubber, transactions: PhotoTransactions, listed: Photo
) -> None:
    too_large = {"Code": "ValidationError", "Message": "Item size to update has exceeded"}
    cancel(stub, NONE, NONE, too_large, NONE, NONE, NONE)
    with pytest.raises(Conflict, match="too many different tags"):
        transactions.add(listed)
