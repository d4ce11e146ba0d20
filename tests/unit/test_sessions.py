"""Who is refused though their token is good, and how the row that says so is read."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.errors import NotSignedIn
from chalicelib.models import User
from chalicelib.sessions import Caller, Sessions, Standing, bearer
from chalicelib.tokens import AccessToken
from tests.unit.stubs import stubbed


@pytest.mark.parametrize(
    ("issued_at", "session", "refused"),
    [
        (999, "other", True),
        (1000, "other", False),
        (1001, "other", False),
        (1000, "signed-out", True),
        (1001, "signed-out", True),
    ],
)
def test_after_a_sign_out_earlier_tokens_and_that_session_are_refused(
    issued_at: int, session: str, refused: bool
) -> None:
    standing = Standing(signed_out_at=1000, signed_out_sessions=frozenset({"signed-out"}))
    assert standing.refuses(issued_at, session) is refused


def test_who_never_signed_out_is_not_refused() -> None:
    assert not Standing().refuses(0, "session")


def test_a_deleted_user_is_refused_with_any_token() -> None:
    assert Standing(is_gone=True).refuses(2000, "session")


def test_a_row_is_read_as_the_model_writes_it() -> None:
    row = User("sub", signed_out_at=1000, signed_out_sessions={"a", "b"}, deleting_at=1)
    assert Standing.of(row.serialize()) == Standing(1000, frozenset({"a", "b"}), is_leaving=True)
    gone = User("sub", deleting_at=1, deleted_at=2)
    assert Standing.of(gone.serialize()) == Standing(is_leaving=True, is_gone=True)
    assert Standing.of(User("sub", photo_count=0).serialize()) == Standing()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (None, Caller("user-1", "session-1", is_leaving=False)),
        ({"deleting_at": {"N": "1"}}, Caller("user-1", "session-1", is_leaving=True)),
        ({"signed_out_at": {"N": "2000"}}, NotSignedIn),
    ],
)
def test_one_consistent_read_decides(item: dict[str, Any] | None, expected: Any) -> None:
    verifier = mock.Mock()
    verifier.verify.return_value = AccessToken("user-1", 1000, "session-1")
    asked = {"TableName": "User-prod", "Key": {"sub": {"S": "user-1"}}, "ConsistentRead": True}
    with stubbed("dynamodb") as stubber:
        stubber.add_response("get_item", {} if item is None else {"Item": item}, asked)
        sessions = Sessions(verifier, stubber.client, "User-prod")
        if expected is NotSignedIn:
            with pytest.raises(NotSignedIn):
                sessions.authenticate("token")
        else:
            assert sessions.authenticate("token") == expected


@pytest.mark.parametrize("header", ["Bearer abc", "bearer  abc ", "abc", " abc "])
def test_a_token_comes_as_bearer_or_bare(header: str) -> None:
    assert bearer(header) == "abc"
