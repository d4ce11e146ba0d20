"""Who is refused though their token is good, and how the row that says so is read."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.accounts.models import User
from chalicelib.accounts.sessions import Caller, Sessions, SessionState, bearer
from chalicelib.accounts.tokens import AccessToken
from chalicelib.errors import NotSignedIn
from tests.support.stubs import stubbed


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
    standing = SessionState(signed_out_at=1000, signed_out_sessions=frozenset({"signed-out"}))
    assert standing.refuses(issued_at, session) is refused


def test_who_never_signed_out_is_not_refused() -> None:
    assert not SessionState().refuses(0, "session")


def test_a_deleted_user_is_refused_with_any_token() -> None:
    assert SessionState(deleted=True).refuses(2000, "session")


def test_a_row_is_read_as_the_model_writes_it() -> None:
    row = User("sub", signed_out_at=1000, signed_out_sessions={"a", "b"}, deleting_at=1)
    assert SessionState.of(row.serialize()) == SessionState(
        1000, frozenset({"a", "b"}), deletion_pending=True
    )
    gone = User("sub", deleting_at=1, deleted_at=2)
    assert SessionState.of(gone.serialize()) == SessionState(deletion_pending=True, deleted=True)
    assert SessionState.of(User("sub", photo_count=0).serialize()) == SessionState()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (None, Caller("user-1", "session-1", deletion_pending=False)),
        ({"deleting_at": {"N": "1"}}, Caller("user-1", "session-1", deletion_pending=True)),
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
