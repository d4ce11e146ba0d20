"""Sessions: which valid tokens were revoked, and how the user's item is read."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.accounts.models import User
from chalicelib.accounts.sessions import Caller, Sessions, SessionState, bearer
from chalicelib.accounts.tokens import AccessToken
from chalicelib.errors import NotSignedIn
from tests.support.stubs import stubbed


@pytest.mark.parametrize(("issued_at", "revoked"), [(999, True), (1000, True), (1001, False)])
def test_sign_out_revokes_tokens_that_were_issued_until_its_second_ends(
    issued_at: int, revoked: bool
) -> None:
    assert SessionState(signed_out_at=1000).revokes(issued_at) is revoked


def test_user_who_never_signed_out_has_no_revoked_tokens() -> None:
    assert not SessionState().revokes(0)


def test_deletion_of_account_revokes_every_token() -> None:
    assert SessionState(deleted=True).revokes(2000)


def test_session_state_is_read_as_the_model_writes_it() -> None:
    user = User("sub", signed_out_at=1000, deleting_at=1)
    assert SessionState.of(user.serialize()) == SessionState(1000, deletion_pending=True)
    deleted = User("sub", deleting_at=1, deleted_at=2)
    assert SessionState.of(deleted.serialize()) == SessionState(deletion_pending=True, deleted=True)
    assert SessionState.of(User("sub", photo_count=0).serialize()) == SessionState()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (None, Caller("user-1", deletion_pending=False)),
        ({"deleting_at": {"N": "1"}}, Caller("user-1", deletion_pending=True)),
        ({"signed_out_at": {"N": "2000"}}, NotSignedIn),
    ],
)
def test_caller_is_authenticated_with_one_consistent_read(
    item: dict[str, Any] | None, expected: Any
) -> None:
    verifier = mock.Mock()
    verifier.verify.return_value = AccessToken("user-1", 1000)
    expected_request = {
        "TableName": "User-prod",
        "Key": {"sub": {"S": "user-1"}},
        "ConsistentRead": True,
    }
    with stubbed("dynamodb") as stubber:
        stubber.add_response("get_item", {} if item is None else {"Item": item}, expected_request)
        sessions = Sessions(verifier, stubber.client, "User-prod")
        if expected is NotSignedIn:
            with pytest.raises(NotSignedIn):
                sessions.authenticate("token")
        else:
            assert sessions.authenticate("token") == expected


@pytest.mark.parametrize("header", ["Bearer abc", "bearer  abc ", "abc", " abc "])
def test_token_is_read_with_or_without_bearer(header: str) -> None:
    assert bearer(header) == "abc"
