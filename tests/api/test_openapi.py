"""The API's document, and the page that shows it."""

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import app
from tests.support.album import api_document
from tests.support.people import Person, post_json

OPERATIONS = [
    (path, method.upper(), operation)
    for path, methods in api_document()["paths"].items()
    for method, operation in methods.items()
]


def test_the_document_is_valid_openapi(http: Any) -> None:
    response = http.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == api_document()
    OpenAPIV31SpecValidator(response.json()).validate()


def test_every_route_is_in_the_document_and_no_other() -> None:
    routes = {(path, method) for path, methods in app.app.routes.items() for method in methods}
    assert {(path, method) for path, method, _ in OPERATIONS} == routes


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_what_the_document_secures_is_refused_without_a_token_and_nothing_else(
    http: Any, path: str, method: str, operation: dict[str, Any]
) -> None:
    content = operation.get("requestBody", {}).get("content", {"application/json": None})
    headers = {"Content-Type": next(iter(content))}
    response = http.request(method, re.sub(r"{\w+}", "x", path), headers=headers, body=b"")
    assert (response.status_code in (401, 403)) is ("security" in operation)


def example(path: str, method: str) -> dict[str, Any]:
    body = api_document()["paths"][path][method]["requestBody"]["content"]
    found: dict[str, Any] = next(iter(body.values()))["example"]
    return found


def test_the_examples_work_when_pasted(http: Any) -> None:
    assert post_json(http, "/users/signup", example("/users/signup", "post")).status_code == 200
    tokens = post_json(http, "/users/signin", example("/users/signin", "post")).json()
    mario = Person(http, "mario@example.com", tokens["accessToken"])
    form = {name: str(value) for name, value in example("/photos/file", "post").items()}
    photo_id = mario.post_form(**form).json()["photo_id"]
    asked = mario.send("POST", "/photos/uploads", **example("/photos/uploads", "post"))
    assert asked.status_code == 200
    for path, method in (
        (f"/photos/{photo_id}", "patch"),
        ("/users/me", "patch"),
        ("/users/me/password", "put"),
    ):
        body = example(path.replace(photo_id, "{photo_id}"), method)
        assert mario.send(method.upper(), path, **body).status_code == 200


def test_every_answer_of_a_route_has_a_request_id_and_security_headers(
    http: Any, mario: Person
) -> None:
    for response in (mario.get("/photos"), mario.get("/photos/none"), http.get("/health")):
        assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-Id"])
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"


def test_the_page_loads_all_it_needs_from_where_it_is(http: Any) -> None:
    page = http.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    text = page.body.decode()
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert "openapi.json" in links
    for link in set(links) - {"data:,"}:
        response = http.get(f"/{link}")
        assert (response.status_code, len(response.body) > 100) == (200, True)
    assert "<script>" not in text
    assert "style=" not in text


def test_the_pages_folder_gives_nothing_else_away(http: Any) -> None:
    for name in ("LICENSE", "..", "app.py", "swagger-ui-bundle.js.map"):
        assert http.get(f"/docs/{name}").status_code == 404
