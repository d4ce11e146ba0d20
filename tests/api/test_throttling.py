"""DynamoDB without capacity, which no emulator ever is: each call of each operation."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

import app
from chalicelib.photos.models import Photo
from tests.support import images
from tests.support.album import failing_call
from tests.support.people import PASSWORD, Person

PICTURE = images.jpeg(16, 16)
CODES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")

OPERATIONS: dict[str, Callable[[Person, str], Any]] = {
    "list": lambda person, _: person.get("/photos"),
    "list by upload": lambda person, _: person.get("/photos?sort=uploaded"),
    "map": lambda person, _: person.get("/photos/map"),
    "tags": lambda person, _: person.get("/photos/tags"),
    "look": lambda person, photo_id: person.get(f"/photos/{photo_id}"),
    "redirect": lambda person, photo_id: person.get(f"/photos/{photo_id}?mode=original"),
    "edit": lambda person, photo_id: person.send("PATCH", f"/photos/{photo_id}", desc="new"),
    "upload": lambda person, _: person.upload(PICTURE, "key-1"),
    "ask": lambda person, _: person.send("POST", "/photos/uploads", filesize=10),
    "delete": lambda person, photo_id: person.delete(f"/photos/{photo_id}"),
    "profile": lambda person, _: person.get("/users/me"),
    "sign out": lambda person, _: person.post("/users/signout"),
    "leave": lambda person, _: person.send("DELETE", "/users/me", password=PASSWORD),
}


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "on table Photo"}}, operation)


def test_whatever_has_no_capacity_is_429_and_can_be_sent_again(
    person: Callable[[str], Person], aws_calls: list[str]
) -> None:
    names, codes = itertools.count(), itertools.cycle(CODES)

    def somebody() -> tuple[Person, str]:
        made = person(f"somebody-{next(names)}")
        return made, made.upload(PICTURE).json()["photo_id"]

    for name, act in OPERATIONS.items():
        undisturbed = somebody()
        aws_calls.clear()
        assert act(*undisturbed).status_code in (200, 302), name
        calls = [call.split(".")[1] for call in aws_calls if call.startswith("dynamodb.")]
        assert calls[0] == "GetItem"  # the authorizer's, whose failure is the gateway's
        for operation, nth in {(one, calls[:at].count(one)) for at, one in enumerate(calls) if at}:
            made, photo_id = somebody()
            code = next(codes)
            with failing_call(operation, refused(code, operation), nth):
                answer = act(made, photo_id)
            assert answer.status_code == 429, (name, operation, nth)
            assert int(answer.headers["Retry-After"]) > 0
            assert "table" not in answer.json()["Message"]
            assert act(made, photo_id).status_code in (200, 302, 403), (name, operation, nth)


@pytest.mark.parametrize("left_out", [1, 3])
def test_a_departure_goes_on_when_dynamodb_leaves_out_what_it_has_no_capacity_for(
    mario: Person, monkeypatch: pytest.MonkeyPatch, left_out: int
) -> None:
    for _ in range(3):
        mario.upload(PICTURE)
    call = BaseClient._make_api_call
    asked: list[str] = []

    def without_capacity(self: Any, operation: str, arguments: Any) -> Any:
        if operation != "BatchWriteItem" or len(asked) >= 6:
            return call(self, operation, arguments)
        asked.append(operation)
        [(table, items)] = arguments["RequestItems"].items()
        taken, left = items[left_out:], items[:left_out]
        if taken:
            call(self, operation, arguments | {"RequestItems": {table: taken}})
        return {"UnprocessedItems": {table: left} if left else {}}

    pauses: list[float] = []
    monkeypatch.setattr(app.services.photos, "_sleep", pauses.append)
    monkeypatch.setattr(BaseClient, "_make_api_call", without_capacity)
    answer = mario.send("DELETE", "/users/me", password=PASSWORD)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert pauses
    assert len(list(Photo.scan())) == 0
