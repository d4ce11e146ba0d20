"""The operations that `tests/api/test_faults.py` runs with every fault."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import app
from chalicelib import dates
from chalicelib.photos import quota
from chalicelib.photos.derived import HASHES, LISTS, MONTHS, TAGS
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import STORED_STATES, PhotoState
from tests.support import images
from tests.support.album import moto_objects, moto_table, start_upload, store_upload
from tests.support.people import NEW_PASSWORD, PASSWORD, Person, Response, post_json

IMAGE, OTHER_IMAGE = images.jpeg(40, 30), images.jpeg(41, 30)


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
        return [item for item in self.all_items if not item["id"].startswith("key#")]

    @property
    def all_items(self) -> list[dict[str, Any]]:
        return [item for item in _items_of("Photo") if item["user_id"] == self.sub]

    @property
    def derived_items(self) -> list[dict[str, Any]]:
        """Return the items of counters, lists and hashes."""
        kinds = (LISTS, MONTHS, HASHES, TAGS)
        return [item for item in self.all_items if item["id"].startswith(kinds)]

    @property
    def ready(self) -> list[dict[str, Any]]:
        return [item for item in self.items if item["state"] == PhotoState.READY]

    @property
    def stored(self) -> list[dict[str, Any]]:
        """Return the items of photos in the album and in the trash."""
        return [item for item in self.items if item["state"] in STORED_STATES]

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Return the items of uploads that can still be completed."""
        now = dates.utc_now().timestamp()
        pending = (item for item in self.items if item["state"] == PhotoState.PENDING)
        return [item for item in pending if item["expires_at"] > now]

    @property
    def photo(self) -> dict[str, Any]:
        return next((item for item in self.stored if item["id"] == self.photo_id), {})

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
    changes = {"desc": "Sea", "tags": "Sea", "taken_date": "2020-02-02", "favorite": True}
    return scenario.user.send("PATCH", f"/photos/{scenario.photo_id}", **changes)


def _trash(scenario: Scenario) -> Response:
    return scenario.user.post(f"/photos/{scenario.photo_id}/trash")


def _empty_trash(scenario: Scenario) -> Response:
    response = scenario.user.delete("/photos/trash")
    return scenario.user.delete("/photos/trash") if response.status_code == 202 else response


def _delete_many(scenario: Scenario) -> Response:
    """Delete all photos as a client does, which sends those again that remain."""
    ids = [item["id"] for item in scenario.items] or [scenario.photo_id]
    while True:
        response = scenario.user.send("POST", "/photos/batch", ids=ids, action="delete")
        ids = response.json()["remaining"] if response.ok else []
        if not ids:
            return response


def _start_upload(scenario: Scenario) -> None:
    scenario.started = start_upload(scenario.user, IMAGE)


def _let_an_upload_expire(scenario: Scenario) -> None:
    photo_id = scenario.user.begin_upload(len(IMAGE)).json()["photo_id"]
    expired = dates.utc_now() - timedelta(hours=1)
    Photo(scenario.sub, photo_id).update(actions=[Photo.expires_at.set(expired)])


def _begin_at_the_limit(scenario: Scenario) -> Response:
    with mock.patch.object(quota, "MAX_PENDING", 1):
        return scenario.user.begin_upload(len(IMAGE), key="k")


def _make_favorite(scenario: Scenario) -> None:
    scenario.user.send("PATCH", f"/photos/{scenario.photo_id}", favorite=True, tags="sea")


def _list_favorites(scenario: Scenario) -> Response:
    response = scenario.user.get("/photos?favorite=true")
    if response.ok:
        assert [photo["id"] for photo in response.json()["photos"]] == [scenario.photo_id]
    return response


def _count_months(scenario: Scenario) -> Response:
    response = scenario.user.get("/photos/timeline")
    if response.ok:
        assert response.json()["photo_count"] == 1
    return response


def _count_tags(scenario: Scenario) -> Response:
    response = scenario.user.get("/photos/tags")
    if response.ok:
        assert response.json()["tags"] == [{"tag": "sea", "count": 1}]
    return response


def _find_known_images(scenario: Scenario) -> Response:
    sha256 = hashlib.sha256(IMAGE).hexdigest()
    response = scenario.user.send("POST", "/photos/known", sha256=[sha256])
    if response.ok:
        assert response.json()["known"][sha256]["photo_id"] == scenario.photo_id
    return response


def _start_duplicate(scenario: Scenario) -> None:
    scenario.started = scenario.user.begin_upload(len(IMAGE), on_duplicate="skip")
    store_upload(scenario.started, IMAGE)


def _is_only_photo(scenario: Scenario) -> bool:
    return [item["id"] for item in scenario.items] == [scenario.photo_id]


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
    "upload an image that is new, and skip duplicates": Operation(
        lambda s: s.user.upload(OTHER_IMAGE, on_duplicate="skip"), lambda s: len(s.ready) == 2
    ),
    "skip a duplicate": Operation(
        lambda s: s.user.upload(IMAGE, on_duplicate="skip"), _is_only_photo
    ),
    "complete an upload of a skipped duplicate": Operation(
        lambda s: s.user.complete(s.started), _is_only_photo, prepare=_start_duplicate
    ),
    "list favorites": Operation(_list_favorites, _is_only_photo, prepare=_make_favorite),
    "count months": Operation(_count_months, _is_only_photo),
    "count tags": Operation(_count_tags, _is_only_photo, prepare=_make_favorite),
    "find known images": Operation(_find_known_images, _is_only_photo),
    "edit": Operation(_edit, lambda s: s.photo.get("desc") == "Sea"),
    "trash a photo": Operation(_trash, lambda s: s.photo.get("state") == PhotoState.TRASHED),
    "restore a photo": Operation(
        lambda s: s.user.post(f"/photos/{s.photo_id}/restore"),
        lambda s: s.photo.get("state") == PhotoState.READY,
        prepare=_trash,
    ),
    "empty the trash": Operation(
        _empty_trash, lambda s: s.items == [], prepare=_trash, keeps_photo=False
    ),
    "delete many photos": Operation(
        _delete_many,
        lambda s: s.items == [],
        prepare=lambda s: s.user.upload(images.jpeg(41, 30)),
        keeps_photo=False,
    ),
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
