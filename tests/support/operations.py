"""The operations that `tests/api/test_faults.py` runs with every fault."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import app
from chalicelib import dates
from chalicelib.photos import quota
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState
from tests.support import images
from tests.support.album import moto_objects, moto_table, start_upload
from tests.support.people import NEW_PASSWORD, PASSWORD, Person, Response, post_json

IMAGE = images.jpeg(40, 30)


@dataclass
class Scenario:
    """A user with a photo, and what one operation needs besides.

    It reads moto's own data, which is faster than sending a hundred thousand requests.
    """

    user: Person
    sub: str
    photo_id: str
    started: Any = None  # the response that began an upload
    restore: Callable[[], None] = lambda: None

    @property
    def items(self) -> list[dict[str, Any]]:
        """Return the items of the user's photos, without used Idempotency-Keys."""
        items = (item for item in _items_of("Photo") if item["user_id"] == self.sub)
        return [item for item in items if not item["id"].startswith("key#")]

    @property
    def ready(self) -> list[dict[str, Any]]:
        return [item for item in self.items if item["state"] == PhotoState.READY]

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Return the items of uploads that can still be completed."""
        now = dates.utc_now().timestamp()
        pending = (item for item in self.items if item["state"] == PhotoState.PENDING)
        return [item for item in pending if item["expires_at"] > now]

    @property
    def photo(self) -> dict[str, Any]:
        return next((item for item in self.ready if item["id"] == self.photo_id), {})

    @property
    def user_item(self) -> dict[str, Any]:
        return next(item for item in _items_of("User") if item["sub"] == self.sub)

    @property
    def objects(self) -> dict[str, bytes]:
        """Return the user's originals, previews and thumbnails, by key."""
        prefix = f"photos/{self.sub}/"
        return {name: key.value for name, key in moto_objects().items() if name.startswith(prefix)}

    @property
    def new_account(self) -> dict[str, str]:
        return {"email": f"new-{self.sub}@example.com", "password": PASSWORD, "username": "New"}

    def can_sign_in(self, email: str, password: str) -> bool:
        body = {"email": email, "password": password}
        return post_json(self.user.transport, "/users/signin", body).ok

    def is_signed_out(self) -> bool:
        return self.user.get("/photos").status_code == 403


def _items_of(table: str) -> list[dict[str, Any]]:
    return [item.to_regular_json() for item in moto_table(table).all_items()]


@dataclass(frozen=True)
class Operation:
    """A request of a client, and how to check that it was done."""

    run: Callable[[Scenario], Response]
    is_done: Callable[[Scenario], bool]
    prepare: Callable[[Scenario], Any] = lambda scenario: None
    # Other statuses of a retry when the first request was done and its response lost.
    retried: tuple[int, ...] = ()
    # Cognito takes botocore's retry for a sign-up by another user.
    sent_twice: tuple[int, ...] = ()
    keeps_photo: bool = True
    is_cold: bool = False


def _sign_up(scenario: Scenario) -> Response:
    return post_json(scenario.user.transport, "/users/signup", scenario.new_account)


def _sign_up_with_email(scenario: Scenario) -> Response:
    with mock.patch.object(app.services.accounts, "_confirms_by_email", True):
        return _sign_up(scenario)


def _change_password(scenario: Scenario) -> Response:
    body = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    return scenario.user.send("PUT", "/users/me/password", **body)


def _edit(scenario: Scenario) -> Response:
    changes = {"desc": "Sea", "taken_date": "2020-02-02"}
    return scenario.user.send("PATCH", f"/photos/{scenario.photo_id}", **changes)


def _start_upload(scenario: Scenario) -> None:
    scenario.started = start_upload(scenario.user, IMAGE)


def _let_an_upload_expire(scenario: Scenario) -> None:
    photo_id = scenario.user.begin_upload(len(IMAGE)).json()["photo_id"]
    expired = dates.utc_now() - timedelta(hours=1)
    Photo(scenario.sub, photo_id).update(actions=[Photo.expires_at.set(expired)])


def _begin_at_the_limit(scenario: Scenario) -> Response:
    with mock.patch.object(quota, "MAX_PENDING", 1):
        return scenario.user.begin_upload(len(IMAGE), key="k")


# Without a key, a retry may store a second photo or begin a second upload.
OPERATIONS: dict[str, Operation] = {
    "upload": Operation(lambda s: s.user.upload(IMAGE), lambda s: len(s.ready) in (2, 3)),
    "upload with a key": Operation(
        lambda s: s.user.upload(IMAGE, key="k"), lambda s: len(s.ready) == 2
    ),
    "begin an upload": Operation(
        lambda s: s.user.begin_upload(len(IMAGE)),
        lambda s: len(s.items) in (2, 3) and len(s.ready) == 1,
    ),
    "begin an upload with a key": Operation(
        lambda s: s.user.begin_upload(len(IMAGE), key="k"),
        lambda s: len(s.items) == 2 and len(s.ready) == 1,
    ),
    "begin an upload when another has expired": Operation(
        _begin_at_the_limit,
        lambda s: len(s.pending) == 1 and len(s.ready) == 1,
        prepare=_let_an_upload_expire,
    ),
    "complete an upload": Operation(
        lambda s: s.user.complete(s.started), lambda s: len(s.ready) == 2, prepare=_start_upload
    ),
    "edit": Operation(_edit, lambda s: s.photo.get("desc") == "Sea"),
    "delete a photo": Operation(
        lambda s: s.user.delete(f"/photos/{s.photo_id}"),
        lambda s: s.items == [],
        retried=(404,),
        keeps_photo=False,
    ),
    "first request of a container": Operation(
        lambda s: s.user.get("/photos"), lambda s: True, is_cold=True
    ),
    "sign up": Operation(
        _sign_up, lambda s: s.can_sign_in(s.new_account["email"], PASSWORD), retried=(409,)
    ),
    "sign up, confirmed by email": Operation(
        _sign_up_with_email,
        lambda s: app.services.user_pool.find_unconfirmed(s.new_account["email"]) is not None,
        retried=(409,),
        sent_twice=(409,),
    ),
    "sign out": Operation(lambda s: s.user.sign_out(), Scenario.is_signed_out, retried=(403,)),
    "change the password": Operation(
        _change_password,
        lambda s: s.is_signed_out() and s.can_sign_in(s.user.email, NEW_PASSWORD),
        retried=(403,),
    ),
    "delete the account": Operation(
        lambda s: s.user.send("DELETE", "/users/me", password=PASSWORD),
        lambda s: s.items == [] and "deleted_at" in s.user_item,
        retried=(403,),
        keeps_photo=False,
    ),
}
