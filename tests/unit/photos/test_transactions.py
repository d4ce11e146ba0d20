"""Rows and counters under contention, with AWS's answers: the emulators never cancel for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError

from chalicelib.accounts.models import User
from chalicelib.clients import as_album_error
from chalicelib.errors import AlreadyWritten, NotSignedIn, QuotaExceeded, Throttled
from chalicelib.photos import transactions
from chalicelib.photos.models import Photo
from chalicelib.photos.transactions import PhotoTransactions, Quota

CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
FAILED = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
NONE = {"Code": "None"}
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
def books(stub: Stubber, connection: Connection, pauses: list[float]) -> PhotoTransactions:
    return PhotoTransactions(connection, sleep=pauses.append)


@pytest.fixture
def photo() -> Photo:
    fields: dict[str, Any] = dict.fromkeys(("filename", "content_type", "sha256"), "x")
    numbers: dict[str, Any] = dict.fromkeys(("filesize", "width", "height"), 10)
    return Photo("sub-1", "id-1", state="ready", upload_date="2026", **fields, **numbers)


def cancel(stub: Stubber, *reasons: dict[str, str]) -> None:
    """Let the next transaction be cancelled, by one reason for each of its items."""
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        "Transaction cancelled",
        modeled_fields={"CancellationReasons": list(reasons)},
    )


def test_row_and_counters_go_in_one_transaction(
    stub: Stubber, books: PhotoTransactions, photo: Photo
) -> None:
    expected = {"TransactItems": [{"Put": ANY}, {"Update": ANY}], "ReturnConsumedCapacity": ANY}
    stub.add_response("transact_write_items", {}, expected)
    books.add(photo)


@pytest.mark.parametrize(
    "where", [(NONE, CONFLICT), (CONFLICT, NONE), (THROTTLED, NONE), (NONE, TOO_MUCH)]
)
def test_a_transaction_that_met_another_is_tried_again_after_a_pause(
    stub: Stubber,
    books: PhotoTransactions,
    photo: Photo,
    pauses: list[float],
    where: tuple[dict[str, str], dict[str, str]],
) -> None:
    for _ in range(3):
        cancel(stub, *where)
    stub.add_response("transact_write_items", {})
    books.add(photo)
    for _ in range(2):
        cancel(stub, *where)
    stub.add_response("transact_write_items", {})
    books.remove(photo)
    assert len(pauses) == 5
    assert all(0 <= pause <= 0.8 for pause in pauses)
    assert len(set(pauses)) == 5


@pytest.mark.parametrize("operation", ["add", "reserve", "complete", "remove"])
def test_who_never_gets_through_is_throttled_and_does_not_wait_for_ever(
    stub: Stubber, books: PhotoTransactions, photo: Photo, pauses: list[float], operation: str
) -> None:
    for _ in range(transactions._TRIES):
        cancel(stub, NONE, CONFLICT)
    with pytest.raises(Throttled):
        getattr(books, operation)(photo)
    assert sum(pauses) < 10


def test_an_account_without_a_row_gets_one(
    stub: Stubber, books: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def missing(*_: Any, **__: Any) -> User:
        raise User.DoesNotExist

    monkeypatch.setattr(User, "get", missing)
    monkeypatch.setattr(User, "create", made.append)
    cancel(stub, NONE, FAILED)
    stub.add_response("transact_write_items", {})
    books.add(photo)
    assert made == ["sub-1"]


def test_an_account_that_is_leaving_gets_no_photo(
    stub: Stubber, books: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "get", lambda *_, **__: User("sub-1", deleting_at=1))
    cancel(stub, NONE, FAILED)
    with pytest.raises(NotSignedIn, match="deleted"):
        books.add(photo)


def test_a_photo_that_another_request_removed_is_not_discounted_twice(
    stub: Stubber, books: PhotoTransactions, photo: Photo
) -> None:
    cancel(stub, FAILED, NONE)
    books.remove(photo)


@pytest.mark.parametrize("operation", ["add", "reserve", "complete", "remove"])
def test_other_failures_pass_through(
    stub: Stubber, books: PhotoTransactions, photo: Photo, operation: str
) -> None:
    stub.add_client_error("transact_write_items", "ValidationException", "too large")
    with pytest.raises(TransactWriteError):
        getattr(books, operation)(photo)


def test_a_photo_to_be_is_written_beside_its_key_and_only_while_its_owner_stays(
    stub: Stubber, books: PhotoTransactions, photo: Photo
) -> None:
    items = [{"ConditionCheck": ANY}, {"Put": ANY}, {"Put": ANY}]
    expected = {"TransactItems": items, "ReturnConsumedCapacity": ANY}
    stub.add_response("transact_write_items", {}, expected)
    books.reserve(photo, "key")


def test_an_account_that_is_leaving_can_ask_for_no_upload(
    stub: Stubber, books: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "get", lambda *_, **__: User("sub-1", deleting_at=1))
    cancel(stub, FAILED, NONE, NONE)
    with pytest.raises(NotSignedIn, match="deleted"):
        books.reserve(photo, "key")


def test_who_comes_second_is_told_so_after_conflicts_too(
    stub: Stubber, books: PhotoTransactions, photo: Photo
) -> None:
    for _ in range(2):  # the second reason is that of the key, and PynamoDB sends updates last
        cancel(stub, NONE, CONFLICT, NONE)
        cancel(stub, NONE, FAILED, NONE)
        with pytest.raises(AlreadyWritten):
            books.add(photo, "key")
    cancel(stub, NONE, NONE, FAILED)
    with pytest.raises(AlreadyWritten):
        books.reserve(photo, "key")
    cancel(stub, FAILED, NONE)
    with pytest.raises(AlreadyWritten):
        books.complete(photo)


@pytest.fixture
def limited(stub: Stubber, connection: Connection, pauses: list[float]) -> PhotoTransactions:
    return PhotoTransactions(connection, Quota(photos=2, storage_bytes=100), pauses.append)


@pytest.mark.parametrize("operation", ["add", "reserve", "complete"])
def test_the_quota_is_a_condition_of_the_very_transaction_that_writes(
    stub: Stubber, limited: PhotoTransactions, photo: Photo, operation: str
) -> None:
    written: list[str] = []

    def seen(params: dict[str, Any], **_: Any) -> None:
        [owner] = [
            one[kind]
            for one in params["TransactItems"]
            for kind in ("ConditionCheck", "Update")
            if kind in one
        ]
        values = owner["ExpressionAttributeValues"].values()
        written.extend(value["N"] for value in values if "N" in value)
        names = owner["ExpressionAttributeNames"].values()
        assert {"photo_count", "storage_bytes", "deleting_at", "sub"} <= set(names)

    stub.client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", seen)
    stub.add_response("transact_write_items", {})
    getattr(limited, operation)(photo)
    assert {"1", "90"} <= set(written)  # photos and bytes there may be before one of 10 bytes


def test_a_full_account_is_told_from_one_that_had_room_a_moment_later(
    stub: Stubber, limited: PhotoTransactions, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [User("sub-1", photo_count=1, storage_bytes=90), User("sub-1", photo_count=2)]
    monkeypatch.setattr(User, "get", lambda *_, **__: rows.pop(0))
    cancel(stub, NONE, FAILED)
    cancel(stub, NONE, FAILED)
    with pytest.raises(QuotaExceeded, match="This album is full \\(2 of 2 photos\\)"):
        limited.add(photo)


def test_who_comes_second_is_told_so_even_if_the_album_is_full_by_now(
    stub: Stubber, limited: PhotoTransactions, photo: Photo
) -> None:
    cancel(stub, NONE, FAILED, FAILED)
    with pytest.raises(AlreadyWritten):
        limited.add(photo, "key")
    cancel(stub, FAILED, FAILED)
    with pytest.raises(AlreadyWritten):
        limited.complete(photo)


@pytest.mark.parametrize("operation", ["add", "reserve", "complete", "remove"])
def test_a_transaction_without_capacity_is_throttled_though_nothing_tells_what_was_cancelled(
    stub: Stubber, books: PhotoTransactions, photo: Photo, operation: str
) -> None:
    stub.add_client_error("transact_write_items", "ProvisionedThroughputExceededException")
    with pytest.raises(TransactWriteError) as error:
        getattr(books, operation)(photo)
    assert isinstance(as_album_error(error.value), Throttled)
    assert not transactions.was_cancelled(error.value)  # so objects stay: the row may be there
