"""Each route rejects invalid input, naming the field, and changes nothing.

The rules themselves are tested once, in `tests/unit/api/test_parsing.py`.
"""

import json
from typing import Any

import pytest

from tests.support import images
from tests.support.album import photo_items
from tests.support.people import PASSWORD, Person

VALID = {
    "email": "new@example.com",
    "password": PASSWORD,
    "username": "New",
    "code": "123456",
    "oldPassword": PASSWORD,
    "newPassword": PASSWORD,
    "filesize": 1,
}
BODIES = [
    ("POST", "/users/signup", "email"),
    ("POST", "/users/signin", "password"),
    ("POST", "/users/refresh", "refreshToken"),
    ("POST", "/users/confirm", "code"),
    ("POST", "/users/confirm/resend", "email"),
    ("POST", "/users/password/forgot", "email"),
    ("POST", "/users/password/reset", "code"),
    ("PATCH", "/users/me", "username"),
    ("PUT", "/users/me/password", "newPassword"),
    ("DELETE", "/users/me", "password"),
    ("POST", "/photos/uploads", "filesize"),
    ("PATCH", "/photos/{id}", "desc"),
]
QUERIES = [("/photos", "limit"), ("/photos/map", "bbox"), ("/photos/{id}", "mode")]


@pytest.fixture
def photo_id(mario: Person) -> str:
    uploaded: str = mario.upload(images.jpeg(20, 20)).json()["photo_id"]
    return uploaded


@pytest.mark.parametrize(("method", "path", "field"), BODIES)
def test_route_rejects_an_invalid_field_by_its_name(
    mario: Person, photo_id: str, method: str, path: str, field: str
) -> None:
    valid = {} if path == "/photos/{id}" else VALID
    if path == "/photos/uploads":
        valid = {"filesize": 1}
    response = mario.send(method, path.format(id=photo_id), **{**valid, field: 7.5})
    assert (response.status_code, response.json()["Code"]) == (400, "BadRequestError")
    assert response.json()["Message"].startswith(f"{field} must be ")
    assert mario.get(f"/photos/{photo_id}").json()["photo"]["desc"] == ""
    assert len(photo_items()) == 1


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in BODIES])
def test_route_rejects_a_body_that_is_not_an_object(
    mario: Person, photo_id: str, method: str, path: str
) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(["x"]).encode()
    response = mario.request(method, path.format(id=photo_id), body, headers)
    assert response.status_code == 400
    assert response.json()["Message"] == "The request body must be a JSON object."


@pytest.mark.parametrize(("path", "name"), QUERIES)
def test_route_rejects_an_invalid_parameter_by_its_name(
    mario: Person, photo_id: str, path: str, name: str
) -> None:
    response = mario.get(f"{path.format(id=photo_id)}?{name}=x")
    assert response.status_code == 400
    assert response.json()["Message"].startswith(f"{name} must be ")


@pytest.mark.parametrize("fields", [{"tags": "x" * 2001}, {"geotag_lat": "1"}, {"file": b""}])
def test_upload_form_rejects_an_invalid_field(mario: Person, fields: dict[str, Any]) -> None:
    image = ("photo.jpg", images.jpeg(20, 20), "image/jpeg")
    response = mario.post_form(**{"file": image} | fields)
    assert response.status_code == 400
    assert response.json()["Message"].startswith(next(iter(fields)))
    assert len(photo_items()) == 0


def test_both_uploads_reject_an_invalid_idempotency_key(mario: Person) -> None:
    image = images.jpeg(20, 20)
    for response in (mario.upload(image, key="a b"), mario.begin_upload(len(image), key="a b")):
        assert response.status_code == 400
        assert response.json()["Message"].startswith("Idempotency-Key must be ")
    assert mario.begin_upload(len(image), key="x" * 255).status_code == 200
