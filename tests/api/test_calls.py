"""The calls to AWS of every route, since each call costs time and money."""

import functools
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

import app
from chalicelib.accounts.models import User
from tests.support import images
from tests.support.album import start_upload, store_upload, sub_of
from tests.support.people import NEW_PASSWORD, PASSWORD, Person, Response, post_json

IMAGE, OTHER_IMAGE = images.jpeg(16, 16), images.jpeg(19, 16)


class Recorder:
    """The calls to AWS since the last `clear`, with their arguments."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def clear(self) -> None:
        self.calls.clear()

    @property
    def names(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    @property
    def repeated(self) -> list[str]:
        """The operations that were called more than once with the same arguments."""
        return [name for (name, _), times in Counter(self.calls).items() if times > 1]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Return the recorder of all calls from now on."""
    recorded, call = Recorder(), BaseClient._make_api_call

    def recorded_call(self: Any, operation: str, arguments: Any) -> Any:
        name = f"{self.meta.service_model.service_name}.{operation}"
        recorded.calls.append((name, json.dumps(arguments, sort_keys=True, default=repr)))
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded_call)
    return recorded


def calls(cognito: str = "", dynamodb: str = "", s3: str = "") -> Counter[str]:
    """Return the number of calls of each operation, which is named once per call."""
    called = {"cognito-idp": cognito, "dynamodb": dynamodb, "s3": s3}
    return Counter(f"{service}.{name}" for service in called for name in called[service].split())


# The table in docs/costs.md, without the authorizer's read.
CALLS = {
    "POST /users/signup": calls("SignUp AdminUpdateUserAttributes AdminConfirmSignUp", "PutItem"),
    "POST /users/signin": calls("InitiateAuth", "GetItem"),
    "POST /users/refresh": calls("GetTokensFromRefreshToken"),
    "POST /users/signout": calls("AdminUserGlobalSignOut", "UpdateItem"),
    "POST /users/confirm": calls("ConfirmSignUp"),
    "POST /users/confirm/resend": calls("ResendConfirmationCode"),
    "POST /users/password/forgot": calls("ForgotPassword"),
    "POST /users/password/reset": calls(
        "ConfirmForgotPassword AdminGetUser AdminUserGlobalSignOut", "UpdateItem"
    ),
    "GET /users/me": calls("AdminGetUser", "GetItem"),
    "PATCH /users/me": calls("AdminUpdateUserAttributes AdminGetUser", "GetItem"),
    "PUT /users/me/password": calls(
        "InitiateAuth AdminSetUserPassword AdminUserGlobalSignOut", "UpdateItem"
    ),
    "DELETE /users/me": calls(
        "InitiateAuth AdminDeleteUser",
        "UpdateItem Query BatchWriteItem Query UpdateItem",
        "DeleteObjects ListObjectsV2 ListObjectsV2",
    ),
    "POST /photos/file": calls("", "TransactWriteItems", "PutObject PutObject PutObject"),
    "POST /photos/file with a key": calls(
        "", "GetItem TransactWriteItems", "PutObject PutObject PutObject"
    ),
    "POST /photos/file with a used key": calls("", "GetItem GetItem"),
    "POST /photos/file that skips duplicates": calls(
        "", "GetItem TransactWriteItems", "PutObject PutObject PutObject"
    ),
    "POST /photos/file of a skipped duplicate": calls("", "GetItem GetItem"),
    "POST /photos/uploads": calls("", "TransactWriteItems"),
    "POST /photos/uploads of a skipped duplicate": calls("", "GetItem GetItem"),
    "POST /photos/uploads/{photo_id}/complete of a skipped duplicate": calls(
        "", "GetItem GetItem GetItem TransactWriteItems", "GetObject DeleteObjects"
    ),
    "POST /photos/uploads/{photo_id}/complete": calls(
        "",
        "GetItem UpdateItem TransactWriteItems",
        "GetObject CopyObject PutObject PutObject DeleteObjects",
    ),
    "POST /photos/uploads/{photo_id}/complete again": calls("", "GetItem"),
    "GET /photos": calls("", "Query"),
    "GET /photos/map": calls("", "Query"),
    "GET /photos of favorites": calls("", "Query BatchGetItem"),
    "GET /photos/tags": calls("", "Query"),
    "GET /photos/timeline": calls("", "Query"),
    "POST /photos/known": calls("", "BatchGetItem BatchGetItem"),
    "GET /photos/{photo_id}": calls("", "GetItem"),
    "GET /photos/{photo_id} with a mode": calls("", "GetItem"),
    "PATCH /photos/{photo_id}": calls("", "GetItem UpdateItem"),
    "PATCH /photos/{photo_id} with tags": calls("", "GetItem TransactWriteItems"),
    "POST /photos/{photo_id}/trash": calls("", "GetItem TransactWriteItems"),
    "POST /photos/{photo_id}/restore": calls("", "GetItem TransactWriteItems"),
    "POST /photos/batch": calls("", "GetItem TransactWriteItems GetItem TransactWriteItems"),
    "DELETE /photos/trash": calls(
        "", "Query GetItem TransactWriteItems TransactWriteItems", "DeleteObjects"
    ),
    "DELETE /photos/{photo_id}": calls(
        "", "GetItem TransactWriteItems TransactWriteItems", "DeleteObjects"
    ),
}
# The deletion of an account queries photos until none is left.
REPEATED = {"DELETE /users/me": ["dynamodb.Query"]}

# A name in CALLS, and what sends the request.
Requests = Iterator[tuple[str, Callable[[], Response]]]


def public_requests(mario: Person) -> Requests:
    """Yield a request of each public route that calls AWS, except the password reset."""
    mail = {"email": mario.email}
    account = {"email": "luigi@example.com", "password": PASSWORD, "username": "Luigi"}
    for name, body in (
        ("signup", account),
        ("signin", mario.credentials),
        ("refresh", {"refreshToken": "x"}),
        ("confirm", mail | {"code": "123456"}),
        ("confirm/resend", mail),
        ("password/forgot", mail),
    ):
        path = f"/users/{name}"
        yield f"POST {path}", functools.partial(post_json, mario.transport, path, body)


def photo_requests(mario: Person) -> Requests:
    """Yield a request of each route of photos; what it needs is done before it is yielded."""
    photo_id = mario.upload(images.jpeg(17, 16), key="k").json()["photo_id"]
    other_id = mario.upload(images.jpeg(18, 16)).json()["photo_id"]
    yield "POST /photos/file", lambda: mario.upload(IMAGE)
    yield "POST /photos/file with a key", lambda: mario.upload(IMAGE, key="l")
    yield "POST /photos/file with a used key", lambda: mario.upload(images.jpeg(17, 16), key="k")
    skip: dict[str, Any] = {"on_duplicate": "skip"}
    announced = skip | {"sha256": hashlib.sha256(IMAGE).hexdigest()}
    yield "POST /photos/file that skips duplicates", lambda: mario.upload(OTHER_IMAGE, **skip)
    yield "POST /photos/file of a skipped duplicate", lambda: mario.upload(IMAGE, **skip)
    yield "POST /photos/uploads", lambda: mario.begin_upload(len(IMAGE))
    name = "POST /photos/uploads of a skipped duplicate"
    yield name, lambda: mario.begin_upload(len(IMAGE), **announced)
    duplicate = mario.begin_upload(len(IMAGE), **skip)
    store_upload(duplicate, IMAGE)
    name = "POST /photos/uploads/{photo_id}/complete of a skipped duplicate"
    yield name, lambda: mario.complete(duplicate)
    started = start_upload(mario, IMAGE)
    for again in ("", " again"):
        name = "POST /photos/uploads/{photo_id}/complete" + again
        yield name, lambda: mario.complete(started)
    app.services.photos.edit(sub_of(mario), photo_id, {"favorite": True})
    yield "GET /photos of favorites", lambda: mario.get("/photos?favorite=true")
    known = [hashlib.sha256(IMAGE).hexdigest(), "0" * 64]
    yield "POST /photos/known", lambda: mario.send("POST", "/photos/known", sha256=known)
    for name in ("", "/map", "/tags", "/timeline", "/{photo_id}"):
        path = "/photos" + name.format(photo_id=photo_id)
        yield f"GET /photos{name}", functools.partial(mario.get, path)
    photo = f"/photos/{photo_id}"
    yield "GET /photos/{photo_id} with a mode", lambda: mario.get(f"{photo}?mode=original")
    yield "PATCH /photos/{photo_id}", lambda: mario.send("PATCH", photo, desc="new")
    yield "PATCH /photos/{photo_id} with tags", lambda: mario.send("PATCH", photo, tags="new")
    for action in ("trash", "restore"):
        path = f"{photo}/{action}"
        yield f"POST /photos/{{photo_id}}/{action}", functools.partial(mario.post, path)
    app.services.photos.edit(sub_of(mario), photo_id, {"favorite": False})
    batch = {"ids": [photo_id, other_id], "action": "favorite"}
    yield "POST /photos/batch", lambda: mario.send("POST", "/photos/batch", **batch)
    mario.post(f"/photos/{other_id}/trash")
    yield "DELETE /photos/trash", lambda: mario.delete("/photos/trash")
    yield "DELETE /photos/{photo_id}", lambda: mario.delete(photo)


def account_requests(mario: Person) -> Requests:
    """Yield a request of each route of an account with photos, whose deletion is the last one."""
    mario.upload(IMAGE)
    yield "GET /users/me", lambda: mario.get("/users/me")
    yield "PATCH /users/me", lambda: mario.send("PATCH", "/users/me", username="M")
    change = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    yield "PUT /users/me/password", lambda: mario.send("PUT", "/users/me/password", **change)
    remove_sign_outs()
    mario.sign_in(NEW_PASSWORD)
    yield "POST /users/signout", mario.sign_out
    post_json(mario.transport, "/users/password/forgot", {"email": mario.email})
    path, reset = "/users/password/reset", mario.credentials | {"code": "123456"}
    yield f"POST {path}", lambda: post_json(mario.transport, path, reset)
    remove_sign_outs()
    mario.sign_in()
    yield "DELETE /users/me", lambda: mario.send("DELETE", "/users/me", password=PASSWORD)


def remove_sign_outs() -> None:
    """Forget earlier sign-outs: a sign-in in the same second would wait and be repeated."""
    for user in User.scan():
        user.update(actions=[User.signed_out_at.remove()])


def test_every_route_makes_the_documented_calls_and_none_twice(
    mario: Person, recorder: Recorder
) -> None:
    for service in ("accounts", "uploads", "lists", "trash"):
        getattr(app.services, service)  # Settings and clients are created once per container.
    tested = set()
    requests = (public_requests(mario), photo_requests(mario), account_requests(mario))
    for name, send in itertools.chain(*requests):
        recorder.clear()
        send()
        method, path = name.split()[:2]
        if app.app.routes[path][method].authorizer:
            # On AWS, the authorizer is another function: the route cannot use what it has read.
            assert recorder.calls.pop(0)[0] == "dynamodb.GetItem"
        assert recorder.names == CALLS[name], name
        assert recorder.repeated == REPEATED.get(name, []), name
        tested.add(name)
    assert tested == set(CALLS)


def test_route_without_documented_calls_makes_none(http: Any, recorder: Recorder) -> None:
    assert app.services.settings
    recorder.clear()
    for path, methods in app.app.routes.items():
        for method in methods:
            if f"{method} {path}" not in CALLS:
                assert http.request(method, path).status_code < 500
    assert recorder.calls == []
