"""What the gateway itself does: CORS, its own responses, and the types that it passes as bytes."""

from pathlib import Path

import pytest
import requests

from infra import deploy, package
from infra.background import RunningStack
from infra.gateway import RESPONSES
from infra.stages import Stage
from tests.support import images
from tests.support.people import Person


@pytest.fixture(scope="module", autouse=True)
def _redeployed(stack: RunningStack, packaged_url: str) -> None:
    """Deploy once more, without a change: a deployment must not lose what the gateway has."""
    assert stack.deploy("dev") == packaged_url


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/photos/"),
        ("GET", "/photos"),
        ("POST", "/photos/file"),
        ("POST", "/users/signin"),
    ],
)
def test_preflight_allows_method_and_headers_of_the_web_client(
    album_url: str, method: str, path: str
) -> None:
    requested = "authorization,content-type,datatype,headers,idempotency-key"
    response = requests.options(
        album_url + path,
        headers={
            "Origin": "http://localhost:8080",
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": requested,
        },
        timeout=30,
    )
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert method in response.headers["Access-Control-Allow-Methods"].split(",")
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert set(requested.split(",")) <= set(allowed)


@pytest.mark.parametrize(
    ("path", "token", "kind"),
    [
        ("/photos", "", "UNAUTHORIZED"),
        ("/photos", "invalid", "ACCESS_DENIED"),
        ("/unknown", "", "MISSING_AUTHENTICATION_TOKEN"),
        ("/unknown", "invalid", "MISSING_AUTHENTICATION_TOKEN"),
    ],
)
def test_deployed_gateway_sends_the_configured_responses(
    packaged_url: str, path: str, token: str, kind: str
) -> None:
    person = Person.at(packaged_url, "nobody@example.com")
    person.token = token
    response, expected = person.get(path), RESPONSES[kind]
    assert response.status_code == expected.status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.json() == {"Code": expected.code, "Message": expected.message}


def test_form_upload_fails_unless_its_type_is_among_the_binary_ones(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    assert stack.run("infra.provision", STAGE="text").returncode == 0
    built = package.build(Stage("text"), tmp_path)
    gateway = built.template["Resources"]["RestAPI"]["Properties"]
    gateway["BinaryMediaTypes"].remove("multipart/form-data")
    gateway["DefinitionBody"]["x-amazon-apigateway-binary-media-types"].remove(
        "multipart/form-data"
    )
    outputs = deploy.deploy(stack.make_client, Stage("text"), built, {"index.html": b""})
    url = deploy.api_url(outputs)
    person = Person.registered(url, "mario@example.com")
    # The gateway has decoded the bytes as text.
    assert person.upload(images.jpeg()).status_code == 415
