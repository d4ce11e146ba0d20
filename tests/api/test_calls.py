"""What every route asks of AWS: each call costs time and money."""

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

import app
from chalicelib.accounts.models import User
from tests.support import images
from tests.support.album import store_upload
from tests.support.people import PASSWORD, Person, post_json

PICTURE = images.jpeg(16, 16)
NEW = "Another-2026"
COGNITO, DYNAMODB, S3 = "cognito-idp", "dynamodb", "s3"


class Recorder:
    """Every call to AWS since the last `clear`, with what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def clear(self) -> None:
        self.calls.clear()

    @property
    def names(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    @property
    def repeated(self) -> list[str]:
        """What was asked more than once, in the very same words."""
        return [name for (name, _), times in Counter(self.calls).items() if times > 1]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorded, call = Recorder(), BaseClient._make_api_call

    def recording(self: Any, operation: str, arguments: Any) -> Any:
        name = f"{self.meta.service_model.service_name}.{operation}"
        recorded.calls.append((name, json.dumps(arguments, sort_keys=True, default=repr)))
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recording)
    return recorded


def calls(cognito: str = "", dynamodb: str = "", s3: str = "") -> Counter[str]:
    """Return the calls of operations, each named once for every time it is called."""
    found = (f"{COGNITO}.{one}" for one in cognito.split())
    return Counter([*found, *(f"{DYNAMODB}.{one}" for one in dynamodb.split()),
                    *(f"{S3}.{one}" for one in s3.split())])  # fmt: skip


# What README's table of costs says in numbers. The authorizer's read comes on top.
CALLS = {
    "POST /users/signup": calls("SignUp AdminUpdateUserAttributes AdminConfirmSignUp", "PutItem"),
    "POST /users/signin": calls("InitiateAuth"),
    "POST /users/refresh": calls("GetTokensFromRefreshToken"),
    "POST /users/signout": calls("GlobalSignOut", "UpdateItem"),
    "POST /users/confirm": calls("ConfirmSignUp"),
    "POST /users/confirm/resend": calls("ResendConfirmationCode"),
    "POST /users/password/forgot": calls("ForgotPassword"),
    "POST /users/password/reset": calls(
        "ConfirmForgotPassword AdminGetUser AdminUserGlobalSignOut", "UpdateItem"
    ),
    "GET /users/me": calls("AdminGetUser", "GetItem"),
    "PATCH /users/me": calls("AdminUpdateUserAttributes AdminGetUser", "GetItem"),
    "PUT /users/me/password": calls("ChangePassword AdminUserGlobalSignOut", "UpdateItem"),
    "DELETE /users/me": calls(
        "InitiateAuth AdminDeleteUser",
        "UpdateItem Query BatchWriteItem Query UpdateItem",
        "DeleteObjects ListObjectsV2 ListObjectsV2",
    ),
    "POST /photos/file": calls("", "TransactWriteItems", "PutObject PutObject"),
    "POST /photos/file with a key": calls("", "GetItem TransactWriteItems", "PutObject PutObject"),
    "POST /photos/file with a used key": calls("", "GetItem GetItem"),
    "POST /photos/uploads": calls("", "TransactWriteItems"),
    "POST /photos/uploads/{photo_id}/complete": calls(
        "", "GetItem UpdateItem TransactWriteItems", "GetObject CopyObject PutObject DeleteObjects"
    ),
    "POST /photos/uploads/{photo_id}/complete again": calls("", "GetItem"),
    "GET /photos": calls("", "Query"),
    "GET /photos/map": calls("", "Query"),
    "GET /photos/tags": calls("", "Query"),
    "GET /photos/{photo_id}": calls("", "GetItem"),
    "GET /photos/{photo_id} for its bytes": calls("", "GetItem"),
    "PATCH /photos/{photo_id}": calls("", "GetItem UpdateItem"),
    "DELETE /photos/{photo_id}": calls("", "UpdateItem TransactWriteItems", "DeleteObjects"),
}
# Who leaves is asked for photos until none is left.
REPEATED = {"DELETE /users/me": ["dynamodb.Query"]}


def acts(mario: Person) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield every route with what calls it; what that needs is done before it is yielded."""
    mail = {"email": mario.email}
    account = {"email": "luigi@example.com", "password": PASSWORD, "username": "Luigi"}
    coded = mail | {"code": "123456"}
    yield "POST /users/signup", lambda: post_json(mario.transport, "/users/signup", account)
    yield "POST /users/signin", mario.sign_in
    for name, body in (
        ("refresh", {"refreshToken": "x"}),
        ("confirm", coded),
        ("confirm/resend", mail),
        ("password/forgot", mail),
    ):
        path = f"/users/{name}"
        yield f"POST {path}", functools.partial(post_json, mario.transport, path, body)
    photo_id = mario.upload(PICTURE, key="k").json()["photo_id"]
    yield "POST /photos/file", lambda: mario.upload(PICTURE)
    yield "POST /photos/file with a key", lambda: mario.upload(PICTURE, key="l")
    yield "POST /photos/file with a used key", lambda: mario.upload(PICTURE, key="k")
    yield "POST /photos/uploads", lambda: mario.begin_upload(filesize=len(PICTURE))
    asked = mario.begin_upload(filesize=len(PICTURE))
    store_upload(asked, PICTURE)
    path = f"/photos/uploads/{asked.json()['photo_id']}/complete"
    for again in ("", " again"):
        name = "POST /photos/uploads/{photo_id}/complete" + again
        yield name, lambda: mario.post(path)
    for name in ("", "/map", "/tags", f"/{photo_id}"):
        shown = name.replace(photo_id, "{photo_id}")
        yield f"GET /photos{shown}", functools.partial(mario.get, f"/photos{name}")
    one = f"/photos/{photo_id}"
    yield "GET /photos/{photo_id} for its bytes", lambda: mario.get(f"{one}?mode=original")
    yield "PATCH /photos/{photo_id}", lambda: mario.send("PATCH", one, desc="new")
    yield "DELETE /photos/{photo_id}", lambda: mario.delete(one)
    yield "GET /users/me", lambda: mario.get("/users/me")
    yield "PATCH /users/me", lambda: mario.send("PATCH", "/users/me", username="M")
    changed = {"oldPassword": PASSWORD, "newPassword": NEW}
    yield "PUT /users/me/password", lambda: mario.send("PUT", "/users/me/password", **changed)
    mario.sign_in(NEW)
    forget_sign_outs()
    yield "POST /users/signout", lambda: mario.post("/users/signout")
    post_json(mario.transport, "/users/password/forgot", mail)
    forget_sign_outs()
    reset = coded | {"password": PASSWORD}
    yield (
        "POST /users/password/reset",
        lambda: post_json(mario.transport, "/users/password/reset", reset),
    )
    mario.sign_in()
    yield "DELETE /users/me", lambda: mario.send("DELETE", "/users/me", password=PASSWORD)


def forget_sign_outs() -> None:
    """Let the next sign-out be the only one of its second: another one would be written twice."""
    for user in User.scan():
        user.update(actions=[User.signed_out_at.remove()])


def test_every_route_makes_the_calls_it_is_said_to_make_and_none_twice(
    mario: Person, recorder: Recorder
) -> None:
    for service in ("accounts", "uploads", "lists"):
        getattr(app.services, service)  # Settings and clients are created once for a container.
    done = set()
    for name, act in acts(mario):
        recorder.clear()
        act()
        if app.app.routes[name.split()[1]][name.split()[0]].authorizer:
            # Deployed, it is a function of its own, which cannot share what it has read.
            assert recorder.calls.pop(0)[0] == "dynamodb.GetItem"
        assert recorder.names == CALLS[name], name
        assert recorder.repeated == REPEATED.get(name, []), name
        done.add(name)
    assert done == set(CALLS)


def test_a_route_nobody_counted_makes_no_call(http: Any, recorder: Recorder) -> None:
    assert app.services.settings
    recorder.clear()
    for path, methods in app.app.routes.items():
        for method in methods:
            if f"{method} {path}" not in CALLS:
                assert http.request(method, path).status_code < 500
    assert recorder.calls == []
