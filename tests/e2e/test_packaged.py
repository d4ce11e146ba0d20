"""The package behind an API Gateway, and a client in its website bucket."""

from pathlib import Path

import pytest
import requests

from infra import deploy, package
from infra.background import RunningStack
from infra.gateway import RESPONSES
from infra.stages import Stage
from tests.support import images
from tests.support.people import Person

pytestmark = pytest.mark.xdist_group("packaged")


@pytest.fixture(scope="module")
def redeployed_url(stack: RunningStack, packaged_url: str) -> str:
    """Return the URL after another deployment, which leaves the stack unchanged."""
    assert stack.deploy("dev") == packaged_url
    return packaged_url


def test_preflight_from_another_origin_has_the_cors_headers(redeployed_url: str) -> None:
    response = requests.options(
        f"{redeployed_url}/photos",
        headers={
            "Origin": "http://localhost:8080",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,datatype,headers",
        },
        timeout=30,
    )
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert {"authorization", "datatype", "headers"} <= set(allowed)


@pytest.mark.parametrize(
    ("path", "token", "kind"),
    [
        ("/photos", None, "UNAUTHORIZED"),
        ("/photos", "Bearer invalid", "ACCESS_DENIED"),
        ("/unknown", None, "MISSING_AUTHENTICATION_TOKEN"),
        ("/unknown", "Bearer invalid", "MISSING_AUTHENTICATION_TOKEN"),
    ],
)
def test_gateway_responds_with_the_configured_errors(
    redeployed_url: str, path: str, token: str | None, kind: str
) -> None:
    headers = {"Authorization": token} if token else {}
    response = requests.get(redeployed_url + path, headers=headers, timeout=30)
    expected = RESPONSES[kind]
    assert response.status_code == expected.status
    assert response.json() == {"Code": expected.code, "Message": expected.message}
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_upload_fails_if_forms_are_not_a_binary_media_type(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    assert stack.run("infra.provision", STAGE="text").returncode == 0
    built = package.build(Stage("text"), tmp_path)
    api = built.template["Resources"]["RestAPI"]["Properties"]
    api["BinaryMediaTypes"].remove("multipart/form-data")
    api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"].remove("multipart/form-data")
    person = Person.at(deploy.deploy(stack.make_client, Stage("text"), built), "mario@example.com")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    # The gateway has decoded the bytes as text.
    assert person.upload(images.jpeg()).status_code == 415


def test_client_is_published_with_content_types_and_cache_times(
    stack: RunningStack, packaged_url: str, tmp_path: Path
) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Album</title>")
    (tmp_path / "js" / "app.3f2a1b9c.js").write_text("1")
    for _ in range(2):  # safe to repeat
        done = stack.run("infra.publish", DIST=str(tmp_path))
        assert done.returncode == 0, done.stderr
    url = done.stdout.splitlines()[0].split()[-1]
    assert packaged_url in done.stdout
    page = requests.get(url, timeout=30)  # without credentials
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    script = requests.get(url.replace("index.html", "js/app.3f2a1b9c.js"), timeout=30)
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in script.headers["Cache-Control"]
