"""Consistent reads: whatever a response has acknowledged, the next request sees."""

import hashlib
from typing import Any

import pytest
from botocore.client import BaseClient

import app
from chalicelib.accounts.models import User
from chalicelib.photos.reservations import release_expired
from tests.support import images
from tests.support.album import start_upload, sub_of
from tests.support.people import PASSWORD, Person

IMAGE = images.jpeg(40, 30)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Return a list to which each read from DynamoDB is added, and whether it is consistent."""
    found: list[tuple[str, bool]] = []
    call = BaseClient._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        if operation in ("GetItem", "Query"):
            what = f"{operation} {arguments['TableName']}"
            found.append((what, arguments.get("ConsistentRead", False)))
        elif operation == "BatchGetItem":
            for table, request in arguments["RequestItems"].items():
                found.append((f"{operation} {table}", request.get("ConsistentRead", False)))
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    return found


def test_every_request_reads_consistently(mario: Person, reads: list[tuple[str, bool]]) -> None:
    photo_id = mario.upload(IMAGE, key="uploaded").json()["photo_id"]
    assert mario.complete(start_upload(mario, IMAGE, key="begun")).status_code == 200
    path = f"/photos/{photo_id}"
    app.services.photos.edit(sub_of(mario), photo_id, {"favorite": True})
    responses = [
        mario.upload(IMAGE, key="uploaded"),
        mario.get(path),
        mario.get(f"{path}?mode=original"),
        mario.send("PATCH", path, desc="Sea"),
        mario.get("/photos"),
        mario.get("/photos?sort=uploaded"),
        mario.get("/photos?favorite=true"),
        mario.get("/photos/map"),
        mario.get("/photos/tags"),
        mario.get("/photos/timeline"),
        mario.send("POST", "/photos/known", sha256=[hashlib.sha256(IMAGE).hexdigest()]),
        mario.get("/users/me"),
        mario.delete(path),
        mario.new_session().get("/users/me"),
        mario.send("DELETE", "/users/me", password=PASSWORD),
    ]
    assert {response.status_code for response in responses} == {200, 302}
    assert [what for what, is_consistent in reads if not is_consistent] == []
    assert {what.split()[0] for what, _ in reads} == {"BatchGetItem", "GetItem", "Query"}


def test_uploads_at_the_limit_and_photos_that_remain_are_counted_consistently(
    mario: Person, reads: list[tuple[str, bool]]
) -> None:
    start_upload(mario, IMAGE)
    user = User.find(sub_of(mario))
    assert user is not None
    reads.clear()
    assert release_expired(user).pending_count == 1
    assert app.services.photos.delete_all(user.sub, seconds=0) == 1
    assert [(what.split()[0], is_consistent) for what, is_consistent in reads] == [
        ("Query", True),
        ("Query", True),
    ]
