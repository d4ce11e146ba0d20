"""Who is refused though their token is good."""

import pytest

from chalicelib.models import User


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
    user = User("sub-1", signed_out_at=1000, signed_out_sessions={"signed-out"})
    assert user.refuses(issued_at, session) is refused


def test_who_never_signed_out_is_not_refused() -> None:
    assert not User("sub-1").refuses(0, "session")


def test_a_deleted_user_is_refused_with_any_token() -> None:
    assert User("sub-1", deleted_at=1000).refuses(2000, "session")
