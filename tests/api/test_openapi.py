"""The API's OpenAPI document, and the page that shows it."""

import json
import re
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from openapi_spec_validator import OpenAPIV31SpecValidator

import app
from chalicelib.api import docs_page
from chalicelib.errors import ConfigurationError
from chalicelib.photos.photo import METADATA
from tests.support import images
from tests.support.album import api_document
from tests.support.people import Person, post_json

OPERATIONS = [
    (path, method.upper(), operation)
    for path, methods in api_document()["paths"].items()
    for method, operation in methods.items()
]


def test_document_is_valid_openapi(http: Any) -> None:
    response = http.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == api_document()
    OpenAPIV31SpecValidator(response.json()).validate()


def test_document_has_exactly_the_routes_of_the_app() -> None:
    routes = {(path, method) for path, methods in app.app.routes.items() for method in methods}
    assert {(path, method) for path, method, _ in OPERATIONS} == routes


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_only_the_secured_operations_reject_a_request_without_a_token(
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
    mario = Person(http, "mario@example.com", token=tokens["accessToken"])
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    for path, method in (
        ("/photos/uploads", "post"),
        ("/photos/{photo_id}", "patch"),
        ("/photos/batch", "post"),
        ("/users/me", "patch"),
        ("/users/me/password", "put"),
    ):
        url = path.replace("{photo_id}", photo_id)
        assert mario.send(method.upper(), url, **example(path, method)).status_code == 200


def test_examples_of_photo_bodies_overwrite_nothing_that_exif_says() -> None:
    assert example("/photos/uploads", "post").keys() == {"filesize", "filename_orig"}
    assert example("/photos/{photo_id}", "patch").keys() == {"desc"}


def test_upload_form_has_no_examples_and_no_nulls() -> None:
    form = api_document()["paths"]["/photos/file"]["post"]["requestBody"]["content"]
    assert form == {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/UploadForm"}}}
    fields = api_document()["components"]["schemas"]["UploadForm"]["properties"]
    assert fields.keys() == {*METADATA, "file", "base64_image", "on_duplicate"}
    for name, field in fields.items():
        assert field["description"], name
        assert not field.keys() & {"default", "example", "examples"}, name
        assert field.get("type") == "string" or name in ("geotag_lat", "geotag_lng")


def test_every_enum_has_a_type() -> None:
    objects: list[dict[str, Any]] = []
    json.loads(json.dumps(api_document()), object_hook=objects.append)
    enums = [one for one in objects if "enum" in one]
    assert len(enums) > 3
    assert [one for one in enums if one.get("type") != "string"] == []


# Each limit of a field in docs/api.md; the lists' own are below.
LIMITS = {
    ("UploadRequest", "filesize"): {"minimum": 1, "maximum": 100_000_000},
    ("PhotoEdit", "desc"): {"maxLength": 10_000},
    ("UploadRequest", "tags"): {"maxLength": 2_000},
    ("UploadForm", "address"): {"maxLength": 2_000},
    ("PhotoEdit", "geotag_lat"): {"minimum": -90, "maximum": 90},
    ("UploadRequest", "geotag_lng"): {"minimum": -180, "maximum": 180},
    ("SignUp", "email"): {"maxLength": 128},
    ("SignUp", "username"): {"maxLength": 200},
    ("SignUp", "password"): {"maxLength": 256},
    ("Refresh", "refreshToken"): {"maxLength": 8_192},
}


@pytest.mark.parametrize(("shape", "field"), LIMITS)
def test_document_has_the_limits_of_a_field(shape: str, field: str) -> None:
    described = api_document()["components"]["schemas"][shape]["properties"][field]
    choices = [described, *described.get("anyOf", [])]
    assert any(LIMITS[shape, field].items() <= choice.items() for choice in choices)


@pytest.mark.parametrize("path", ["/photos", "/photos/map"])
def test_document_has_the_limits_of_list_parameters(path: str) -> None:
    parameters = api_document()["paths"][path]["get"]["parameters"]
    schemas = {one["name"]: one["schema"] for one in parameters}
    assert {"minimum": 1, "maximum": 1_000}.items() <= schemas["limit"].items()
    assert {name: schemas[name]["maxLength"] for name in ("q", "tag")} == {"q": 200, "tag": 2_000}


def test_file_over_the_documented_maximum_is_too_large_rather_than_malformed(
    mario: Person,
) -> None:
    assert mario.begin_upload(100_000_000).status_code == 200
    for size in (100_000_001, 2**63, 2**64, 10**30, 10**4_000):
        response = mario.begin_upload(size)
        assert (response.status_code, response.json()["Code"]) == (413, "PayloadTooLargeError")
        assert len(response.json()["Message"]) < 100


def test_server_is_relative_so_that_it_holds_behind_every_stage_and_domain() -> None:
    [server] = api_document()["servers"]
    assert server["url"] == "."
    assert server["description"]


def test_document_says_that_signing_in_on_the_page_authorizes() -> None:
    operation = api_document()["paths"]["/users/signin"]["post"]
    for text in (api_document()["info"]["description"], operation["description"]):
        assert re.search(r"also authorizes the requests that you try\s+next", text)


def test_responses_have_a_request_id_and_security_headers(http: Any, mario: Person) -> None:
    for response in (mario.get("/photos"), mario.get("/photos/none"), http.get("/health")):
        assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-Id"])
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"


def policy(response: Any) -> dict[str, str]:
    """Return the directives of a response's Content-Security-Policy."""
    text = response.headers["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in text.split("; "))


def test_page_loads_everything_from_its_own_origin(http: Any) -> None:
    page = http.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    directives = policy(page)
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    text = page.text
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert "openapi.json" in links
    for link in set(links) - {"data:,"}:
        response = http.get(f"/{link}")
        assert (response.status_code, len(response.body) > 100) == (200, True)
        if link.endswith(".css"):
            assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "<script>" not in text
    assert "style=" not in text


def test_page_may_load_images_from_the_bucket(http: Any, mario: Person) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(photo["thumbSrc"]))
    directives = policy(http.get("/docs"))
    assert directives["connect-src"] == f"'self' {origin}"
    assert directives["img-src"] == f"'self' data: blob: {origin}"


def test_page_calls_aws_only_for_settings_that_are_not_known_yet(
    http: Any, aws_calls: list[str]
) -> None:
    http.get("/docs")
    assert {call for call in aws_calls if not call.startswith("new ")} <= {
        "ssm.GetParametersByPath"
    }
    aws_calls.clear()
    http.get("/docs")
    assert aws_calls == []


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("S3_PHOTO_BUCKET is missing"),
        EndpointConnectionError(endpoint_url="https://ssm.example.com"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParametersByPath"),
    ],
    ids=["missing setting", "no connection", "no permission"],
)
def test_page_opens_even_if_the_settings_cannot_be_read(error: Exception) -> None:
    def settings() -> NoReturn:
        raise error

    page = docs_page.page("/docs", settings)
    assert page.status_code == 200
    assert policy(page)["connect-src"] == "'self'"


def test_folder_of_the_page_has_no_other_files(http: Any) -> None:
    for name in ("LICENSE", "..", "app.py", "swagger-ui-bundle.js.map"):
        assert http.get(f"/docs/{name}").status_code == 404
