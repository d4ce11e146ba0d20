"""Every route there is, walked by people who have no business there.

The routes are the app's own: a new one is walked without anyone remembering it.
"""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

import app
from tests.support import images
from tests.support.people import Person

# Whoever adds a route that needs no token says so here.
OPEN = {
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
NOBODYS = "01890a5d-ac96-774b-bcce-b302099a8057"
ROUTES = sorted((method, path) for path, entries in app.app.routes.items() for method in entries)
PROTECTED = [route for route in ROUTES if route not in OPEN]
OF_ONE_PHOTO = [(method, path) for method, path in PROTECTED if "{photo_id}" in path]
OTHERS = [route for route in PROTECTED if route not in OF_ONE_PHOTO]


def send(person: Person, method: str, route: str, photo_id: str = "", query: str = "") -> Any:
    """Send a request that its route takes for a good one."""
    content_type = app.app.routes[route][method].content_types[0]
    headers = {"Content-Type": content_type.replace("*/*", "application/json")} | person.headers
    path = route.replace("{photo_id}", photo_id) + query
    return person.transport.request(method, path, headers=headers, body=b"{}")


@pytest.fixture
def mario(person: Callable[[str], Person]) -> Person:
    """Return somebody whose address is in no example of the API's document."""
    return person("somebody-whom-nobody-names")


@pytest.fixture
def secrets(mario: Person) -> dict[str, str]:
    """Return what nobody but its owner may hear of."""
    photo = mario.upload(images.jpeg(), desc="mario's own", tags="secret-tag").json()["photo"]
    pending = mario.send("POST", "/photos/uploads", filesize=10, desc="mario's plan").json()
    return {
        "sub": photo["user_id"],
        "ready": photo["id"],
        "pending": pending["photo_id"],
        "sha256": photo["sha256"],
        "email": mario.email,
        "desc": "mario's own",
        "tag": "secret-tag",
    }


def state(person: Person) -> list[Any]:
    """Return all that a person can see of the own album, without what differs by the moment."""
    [photo] = person.photos()
    return [photo, person.get("/users/me").json(), person.get("/photos/tags").json()]


def test_no_route_is_open_but_the_listed_ones() -> None:
    unprotected = {
        (method, path) for method, path in ROUTES if app.app.routes[path][method].authorizer is None
    }
    assert unprotected == OPEN


def test_every_id_behind_a_token_is_a_photos() -> None:
    # Ids of another kind would need a stranger of their own below.
    assert {name for _, path in PROTECTED for name in path.split("/") if "{" in name} == {
        "{photo_id}"
    }


def test_without_a_token_no_route_does_anything(http: Any, aws_calls: list[str]) -> None:
    for (method, path), slash in itertools.product(PROTECTED, ("", "/")):
        there = path.replace("{photo_id}", NOBODYS) + slash
        assert http.request(method, there).status_code == 401, there
        bad = {"Authorization": "a.b.c"}
        assert http.request(method, there, headers=bad).status_code == 403, there
    assert [call for call in aws_calls if call.startswith(("dynamodb.", "s3."))] == []


def test_another_persons_ids_are_not_found_on_any_route(
    mario: Person, luigi: Person, secrets: dict[str, str]
) -> None:
    before = state(mario)
    for (method, route), kind in itertools.product(OF_ONE_PHOTO, ("ready", "pending")):
        for query in ("", "?mode=original", "?mode=thumbnail"):
            answer = send(luigi, method, route, secrets[kind], query)
            assert (answer.status_code, answer.json()["Code"]) == (404, "NotFoundError"), route
            assert answer.body == send(luigi, method, route, NOBODYS, query).body
    assert state(mario) == before


def test_no_route_tells_a_stranger_about_others(
    mario: Person, luigi: Person, secrets: dict[str, str]
) -> None:
    before = state(mario)
    for method, path in OTHERS:
        answer = send(luigi, method, path)
        assert answer.status_code < 500, path
        told = (answer.body + json.dumps(dict(answer.headers)).encode()).decode()
        assert [name for name, value in secrets.items() if value in told] == [], path
        luigi.sign_in()  # whatever the route has done to the session
    assert state(mario) == before


def test_a_body_may_not_name_its_owner(
    mario: Person, luigi: Person, secrets: dict[str, str]
) -> None:
    before = state(mario)
    for name in ("user_id", "id", "filename", "state", "sha256", "expires_at"):
        photo = luigi.upload(images.jpeg(), **{name: secrets["sub"]}).json()["photo"]
        assert photo["user_id"] != secrets["sub"]
        assert luigi.send("PATCH", f"/photos/{photo['id']}", **{name: "x"}).status_code == 400
        asked = luigi.send("POST", "/photos/uploads", filesize=10, **{name: secrets["sub"]})
        assert asked.status_code == 400
    assert state(mario) == before
