"""The account service, with a fake of Cognito's user pool."""

from datetime import datetime
from unittest import mock

import pytest

from chalicelib.accounts.cognito import Account, UserPool
from chalicelib.accounts.models import User
from chalicelib.accounts.service import AccountService


def test_profile_has_the_date_of_the_account_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    # botocore returns dates in the time zone of the process.
    created = datetime.fromisoformat("2026-11-25T03:04:05.678+09:00")
    account = Account("sub-1", "mario@example.com", "Mario", created)
    pool = mock.Mock(spec=UserPool, find=lambda _: account)
    monkeypatch.setattr(User, "find", lambda _: None)
    service = AccountService(pool, frozenset(), False, "", "")
    assert service.profile("sub-1")["created_date"] == "2026-11-24T18:04:05+00:00"
