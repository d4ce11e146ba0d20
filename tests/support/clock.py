"""A clock for tests that would otherwise wait for the second after a sign-out."""

import time
from datetime import UTC, datetime
from unittest import mock

import pytest
from moto.cognitoidp import models as moto_cognito

import app
from chalicelib import dates


class Clock:
    """The clock of the album and of moto's Cognito, which only moves when somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time() // 1
        self.waits: list[float] = []
        monkeypatch.setattr(moto_cognito, "time", mock.Mock(time=lambda: self.now))
        monkeypatch.setattr(dates, "utc_now", lambda: datetime.fromtimestamp(self.now, UTC))
        monkeypatch.setattr(app.services.accounts, "_sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
