"""Whom a list of invitations includes."""

import pytest

from infra.invite import is_allowed


@pytest.mark.parametrize(
    ("allowed", "entry", "expected"),
    [
        ("*", "mario@example.com", True),
        ("*", "@example.com", True),
        ("-", "mario@example.com", False),
        ("luigi@example.com,mario@example.com", "Mario@Example.com", True),
        ("@example.com", "mario@example.com", True),
        ("@example.com", "@example.com", True),
        ("@example.com", "mario@mail.example.com", False),
        ("@mail.example.com", "mario@example.com", False),
        ("mario@example.com", "@example.com", False),
        ("supermario@example.com", "mario@example.com", False),
    ],
)
def test_invitation_is_for_one_address_or_exactly_one_domain(
    allowed: str, entry: str, expected: bool
) -> None:
    assert is_allowed(allowed, entry) is expected
