"""A user with two photos, for each test of the integrity check."""

import datetime
import itertools
from collections.abc import Callable, Iterator

import pytest

import app
from chalicelib import dates
from chalicelib.photos.models import Photo
from tests.support.album import moto_album, snapshot
from tests.support.integrity import IMAGE
from tests.support.people import Person

_numbers = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    """Share one AWS, as each test has its own user."""
    with pytest.MonkeyPatch.context() as monkeypatch, moto_album(monkeypatch):
        yield


@pytest.fixture
def owner(person: Callable[[str], Person]) -> Iterator[Person]:
    """Return a user, who is removed after the test."""
    restore = snapshot()
    yield person(f"owner-{next(_numbers)}")
    restore()


@pytest.fixture
def sub(owner: Person) -> str:
    """Return the owner's `sub`."""
    return app.services.sessions.authenticate(owner.token).sub


@pytest.fixture
def photo(owner: Person, sub: str) -> Photo:
    """Return the item of the first of the owner's two photos."""
    photo_id, _ = (owner.upload(IMAGE).json()["photo_id"] for _ in range(2))
    return Photo.get(sub, photo_id)


@pytest.fixture
def two_hours_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the check run two hours after everything was stored."""
    now = datetime.datetime.now
    later = datetime.timedelta(hours=2)
    monkeypatch.setattr(dates, "utc_now", lambda: now(datetime.UTC) + later)
