"""No route returns or changes anything without a token, or with the token of another user.

The routes are read from the app, so a new one is tested, too.
"""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

import app
from tests.support import images
from tests.support.album import MISSING_ID, bucket_objects, store_upload
from tests.support.people import Person, Response

IMAGE = images.jpeg(40, 30)
# A new route without an authorizer must be added here.
PUBLIC = {
    ("GET", "/docs"),
    ("GET", "/docs/{asset}"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("GET", "/users/links"),
    ("POST", "/users/confirm"),
    ("POST", "/users/confirm/resend"),
    ("POST", "/users/password/forgot"),
    ("POST", "/users/password/reset"),
    ("POST", "/users/refresh"),
    ("POST", "/users/signin"),
    ("POST", "/users/signup"),
}
ROUTES = sorted((method, path) for path, entries in app.app.routes.items() for method in entries)
PROTECTED = [route for route in ROUTES if route not in PUBLIC]
PHOTO_ROUTES = [(method, path) for method, path in PROTECTED if "{photo_id}" in path]
OTHER_ROUTES = [route for route in PROTECTED if route not in PHOTO_ROUTES]


def send(person: Person, method: str, route: str, photo_id: str = "", query: str = "") -> Response:
    """Send a request with a content type that the route accepts."""
    content_type = app.app.routes[route][method].content_types[0]
    headers = {"Content-Type": content_type.replace("*/*", "application/json")}
    path = route.replace("{photo_id}", photo_id) + query
    return person.request(method, path, b"{}", headers)


@pytest.fixture
def mario(person: Callable[[str], Person]) -> Person:
    """Return a user whose email address is not an example in the OpenAPI document."""
    return person("private-address")


@pytest.fixture
def secrets(mario: Person) -> dict[str, str]:
    """Return what only its owner may see: of a photo, of an upload in S3, and of the account."""
    photo = mario.upload(IMAGE, desc="mario's photo", tags="secret-tag").json()["photo"]
    started = mario.begin_upload(len(IMAGE), desc="mario's upload")
    store_upload(started, IMAGE)
    return {
        "sub": photo["user_id"],
        "ready": photo["id"],
        "pending": started.json()["photo_id"],
        "sha256": photo["sha256"],
        "email": mario.email,
        "desc": "mario's photo",
        "tag": "secret-tag",
    }


def state(person: Person) -> list[Any]:
    """Return what a user with one photo sees of the album, and the keys of all objects."""
    [photo] = person.photos()
    return [photo, person.profile(), person.get("/photos/tags").json(), sorted(bucket_objects())]


def test_only_public_routes_have_no_authorizer() -> None:
    without_authorizer = {
        (method, path) for method, path in ROUTES if app.app.routes[path][method].authorizer is None
    }
    assert without_authorizer == PUBLIC


def test_photo_id_is_the_only_path_parameter_of_protected_routes() -> None:
    # IDs of another kind would need their own tests below.
    parameters = {part for _, path in PROTECTED for part in path.split("/") if "{" in part}
    assert parameters == {"{photo_id}"}


def test_request_without_a_valid_token_is_rejected_on_every_route(
    http: Any, aws_calls: list[str]
) -> None:
    for (method, route), slash in itertools.product(PROTECTED, ("", "/")):
        path = route.replace("{photo_id}", MISSING_ID) + slash
        assert http.request(method, path).status_code == 401, path
        invalid = {"Authorization": "a.b.c"}
        assert http.request(method, path, headers=invalid).status_code == 403, path
    assert [call for call in aws_calls if call.startswith(("dynamodb.", "s3."))] == []


def test_photo_of_another_user_is_not_found_on_any_route(
    mario: Person, luigi: Person, secrets: dict[str, str]
) -> None:
    before = state(mario)
    for (method, route), kind in itertools.product(PHOTO_ROUTES, ("ready", "pending")):
        for query in ("", "?mode=original", "?mode=preview", "?mode=thumbnail"):
            response = send(luigi, method, route, secrets[kind], query)
            assert (response.status_code, response.json()["Code"]) == (404, "NotFoundError"), route
            assert response.body == send(luigi, method, route, MISSING_ID, query).body
    assert luigi.photos() == []
    assert state(mario) == before
    completed = mario.post(f"/photos/uploads/{secrets['pending']}/complete")
    assert completed.status_code == 200


def test_no_route_reveals_data_of_another_user(
    mario: Person, luigi: Person, secrets: dict[str, str]
) -> None:
    before = state(mario)
    for method, path in OTHER_ROUTES:
        response = send(luigi, method, path)
        assert response.status_code < 500, path
        received = response.text + json.dumps(dict(response.headers))
        assert [name for name, value in secrets.items() if value in received] == [], path
        luigi.sign_in()  # The route may have ended the session.
    assert state(mario) == before


INTERNAL = ("user_id", "id", "filename", "state", "sha256", "expires_at", "albums", "trashed_date")


@pytest.mark.parametrize("field", INTERNAL)
def test_body_cannot_set_the_owner_or_another_internal_field(
    mario: Person, luigi: Person, secrets: dict[str, str], field: str
) -> None:
    before = state(mario)
    photo = luigi.upload(IMAGE, **{field: secrets["sub"]}).json()["photo"]
    assert photo["user_id"] != secrets["sub"]
    assert luigi.send("PATCH", f"/photos/{photo['id']}", **{field: "x"}).status_code == 400
    assert luigi.begin_upload(10, **{field: secrets["sub"]}).status_code == 400
    luigi.delete(f"/photos/{photo['id']}")
    assert state(mario) == before
