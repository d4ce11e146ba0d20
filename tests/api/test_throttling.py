"""Each DynamoDB call of each operation throttled, which no emulator does."""

import itertools
from collections.abc import Callable

import pytest

from tests.support import images
from tests.support.aws_calls import aws_error, failing_call
from tests.support.people import PASSWORD, Person, Response

IMAGE = images.jpeg(16, 16)
CODES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")

OPERATIONS: dict[str, Callable[[Person, str], Response]] = {
    "list": lambda user, _: user.get("/photos"),
    "list by upload": lambda user, _: user.get("/photos?sort=uploaded"),
    "map": lambda user, _: user.get("/photos/map"),
    "tags": lambda user, _: user.get("/photos/tags"),
    "get": lambda user, photo_id: user.get(f"/photos/{photo_id}"),
    "redirect": lambda user, photo_id: user.get(f"/photos/{photo_id}?mode=original"),
    "edit": lambda user, photo_id: user.send("PATCH", f"/photos/{photo_id}", desc="new"),
    "upload": lambda user, _: user.upload(IMAGE, "key-1"),
    "begin upload": lambda user, _: user.begin_upload(10),
    "delete": lambda user, photo_id: user.delete(f"/photos/{photo_id}"),
    "profile": lambda user, _: user.get("/users/me"),
    "sign out": lambda user, _: user.sign_out(),
    "delete account": lambda user, _: user.send("DELETE", "/users/me", password=PASSWORD),
}


@pytest.mark.parametrize(
    ("name", "code"), list(zip(OPERATIONS, itertools.cycle(CODES), strict=False))
)
def test_throttled_operation_is_429_and_can_be_repeated(
    person: Callable[[str], Person], aws_calls: list[str], name: str, code: str
) -> None:
    operation, numbers = OPERATIONS[name], itertools.count()

    def user_with_photo() -> tuple[Person, str]:
        user = person(f"user-{next(numbers)}")
        return user, user.upload(IMAGE).json()["photo_id"]

    undisturbed = user_with_photo()
    aws_calls.clear()
    assert operation(*undisturbed).status_code in (200, 302)
    calls = [call.split(".")[1] for call in aws_calls if call.startswith("dynamodb.")]
    assert calls[0] == "GetItem"  # The gateway responds if this one, the authorizer's, fails.
    for index, call in enumerate(calls[1:], start=1):
        user, photo_id = user_with_photo()
        error = aws_error(code, call, "on table Photo")
        with failing_call(call, error, after=calls[:index].count(call)):
            response = operation(user, photo_id)
        assert response.status_code == 429, (call, index)
        assert int(response.headers["Retry-After"]) > 0
        assert "table" not in response.json()["Message"]
        assert operation(user, photo_id).status_code in (200, 302, 403), (call, index)
