"""The app through `chalice.test.Client` on moto, with the resources of the real template."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import boto3
import jsonschema
import pytest
import requests
import yaml
from botocore.client import BaseClient
from botocore.loaders import JSONFileLoader
from botocore.session import Session
from chalice.local import RouteMatcher
from chalice.test import Client, HTTPResponse
from moto import mock_aws
from moto.cloudformation.utils import yaml_tag_constructor
from requests_toolbelt import MultipartEncoder

import app
from chalicelib.accounts import tokens
from chalicelib.api import openapi
from chalicelib.container import Container
from chalicelib.integrity.check import Finding, IntegrityService
from infra.provision import CHOICES, TEMPLATE

REGION = "eu-west-1"

# Every session reads botocore's descriptions of services anew: a third of what a test here takes.
_read_description = JSONFileLoader.load_file
_description = functools.cache(lambda path: _read_description(JSONFileLoader(), path))
JSONFileLoader.load_file = lambda _, path: _description(path)
PASSWORD = "Secret-2026"


@pytest.fixture(autouse=True)
def _aws(no_sockets: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every test an AWS of its own, with nothing in it but the album's resources."""
    with aws_of_its_own(monkeypatch):
        yield


@contextlib.contextmanager
def aws_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make an AWS with the album's resources, which lasts as long as the block."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    monkeypatch.setattr(app, "services", Container())
    # moto answers `requests`, but not what the standard library fetches.
    monkeypatch.setattr(
        tokens, "fetch_keys", lambda url: requests.get(url, timeout=1).json()["keys"]
    )
    with mock_aws():
        _create_resources()
        yield


def _create_resources() -> None:
    outputs = _create_stack()
    cognito = boto3.client("cognito-idp")
    pool_id = cognito.create_user_pool(
        PoolName="album",
        UsernameAttributes=["email"],
        Policies={"PasswordPolicy": {"MinimumLength": 8, "RequireSymbols": True}},
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="api",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    values = CHOICES | {
        "S3_PHOTO_BUCKET": outputs["PhotoBucketName"],
        "COGNITO_POOL_ID": pool_id,
        "COGNITO_CLIENT_ID": client["ClientId"],
        "COGNITO_CLIENT_SECRET": client["ClientSecret"],
        "COGNITO_DOMAIN": "-",
        "AWS_REGION": REGION,
    }
    ssm = boto3.client("ssm")
    for name, value in values.items():
        ssm.put_parameter(Name=f"/cloudalbum/{name}", Value=value, Type="SecureString")


@functools.cache
def _template() -> str:
    """Return the real template without its user pool, which moto cannot create by it."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    Loader.add_multi_constructor("", yaml_tag_constructor)
    template = yaml.load(TEMPLATE.read_text(), Loader)
    for part in (template["Resources"], template["Outputs"]):
        for name in [name for name in part if name.startswith("UserPool")]:
            del part[name]
    return json.dumps(template)


def _create_stack() -> dict[str, str]:
    """Create the bucket and the tables of the real template."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName="data",
        TemplateBody=_template(),
        Parameters=[{"ParameterKey": "TlsOnly", "ParameterValue": "false"}],
    )
    stack = cloudformation.describe_stacks(StackName="data")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the client that every request of a test goes through.

    Whatever a route answers must be in the API's document.
    """
    with Client(app.app) as client:
        request = client.http.request

        def documented(method: str, path: str, **options: Any) -> HTTPResponse:
            response: HTTPResponse = request(method, path, **options)
            require_documented(method, path, response)
            return response

        monkeypatch.setattr(client.http, "request", documented)
        yield client.http


def require_documented(method: str, path: str, response: HTTPResponse) -> None:
    """Fail for a status that the document does not have for a route, or a body of another shape."""
    try:
        route = RouteMatcher(list(app.app.routes)).match_route(path).route
    except ValueError:
        return
    operation = api_document()["paths"][route].get(method.lower())
    # What Chalice itself answers has no request id: another method, another content type.
    if operation is None or "X-Request-Id" not in response.headers:
        return
    answer = operation["responses"].get(str(response.status_code))
    assert answer, f"{method} {route} answers {response.status_code}, which is not documented"
    content_type = response.headers["Content-Type"].split(";")[0] if response.body else None
    assert content_type in answer.get("content", {None: None}), f"{method} {route}: {content_type}"
    if content_type in ("application/json", "application/geo+json"):
        schema = answer["content"][content_type]["schema"]
        schema = {**schema, "components": api_document()["components"]}
        jsonschema.Draft202012Validator(schema).validate(response.json_body)


def api_document() -> dict[str, Any]:
    """Return the API's document."""
    return openapi.document(app.app)


@dataclass
class Person:
    """Somebody with an account, who is signed in."""

    http: Any
    email: str
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def sign_in(self, password: str = PASSWORD) -> HTTPResponse:
        """Sign in, and use the new token from now on."""
        response = post_json(
            self.http, "/users/signin", {"email": self.email, "password": password}
        )
        self.token = (response.json_body or {}).get("accessToken", "")
        return response

    def get(self, path: str) -> HTTPResponse:
        return self.http.get(path, headers=self.headers)

    def delete(self, path: str) -> HTTPResponse:
        return self.http.delete(path, headers=self.headers)

    def post(self, path: str) -> HTTPResponse:
        return self.http.post(path, headers=self.headers)

    def send(self, method: str, path: str, **body: Any) -> HTTPResponse:
        """Send a JSON body."""
        headers = self.headers | {"Content-Type": "application/json"}
        return self.http.request(method, path, headers=headers, body=json.dumps(body).encode())

    def upload(self, picture: bytes, key: str | None = None, **fields: Any) -> HTTPResponse:
        """Upload a picture as part `file`, perhaps with an Idempotency-Key."""
        return self.post_form(key, file=("picture.jpg", picture, "image/jpeg"), **fields)

    def post_form(self, key: str | None = None, /, **fields: Any) -> HTTPResponse:
        encoder = MultipartEncoder(fields)
        headers = self.headers | {"Content-Type": encoder.content_type}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.http.post("/photos/file", headers=headers, body=encoder.to_string())

    def photos(self) -> list[dict[str, Any]]:
        photos: list[dict[str, Any]] = self.get("/photos").json_body["photos"]
        return photos


def post_json(http: Any, path: str, body: Any, **headers: str) -> HTTPResponse:
    """Send `body` as JSON."""
    return http.post(
        path,
        headers={"Content-Type": "application/json", **headers},
        body=json.dumps(body).encode(),
    )


@pytest.fixture
def person(http: Any) -> Callable[[str], Person]:
    """Return a function that signs somebody up and in."""

    def make(name: str) -> Person:
        made = Person(http, f"{name}@example.com")
        account = {"email": made.email, "password": PASSWORD, "username": name.title()}
        assert post_json(http, "/users/signup", account).status_code == 200
        assert made.sign_in().status_code == 200
        return made

    return make


@pytest.fixture
def mario(person: Callable[[str], Person]) -> Person:
    """Return somebody who is signed in."""
    return person("mario")


@pytest.fixture
def luigi(person: Callable[[str], Person]) -> Person:
    """Return somebody else."""
    return person("luigi")


@pytest.fixture
def aws_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list in which every AWS call, and every new client, is written from now on."""
    calls: list[str] = []
    call, create = BaseClient._make_api_call, Session.create_client

    def recorded_call(self: Any, operation: str, arguments: Any) -> Any:
        calls.append(f"{self.meta.service_model.service_name}.{operation}")
        return call(self, operation, arguments)

    def recorded_create(self: Any, service: str, *arguments: Any, **options: Any) -> Any:
        calls.append(f"new {service} client")
        return create(self, service, *arguments, **options)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded_call)
    monkeypatch.setattr(Session, "create_client", recorded_create)
    return calls


@contextlib.contextmanager
def broken(
    operation: str, error: Exception, after: int = 0, answer_lost: bool = False
) -> Iterator[None]:
    """Make one AWS operation fail, `after` so many calls of it that succeed.

    With `answer_lost` AWS does what was asked, and only its answer does not arrive.
    """
    call = BaseClient._make_api_call
    succeeded = 0

    def failing(self: Any, name: str, arguments: Any) -> Any:
        nonlocal succeeded
        if name == operation:
            if succeeded == after:
                if answer_lost:
                    call(self, name, arguments)
                raise error
            succeeded += 1
        return call(self, name, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", failing):
        yield


def wrong_with(
    sub: str, repair: bool = False, integrity: IntegrityService | None = None
) -> list[Finding]:
    """Return what is found wrong with what one user has."""
    found: list[Finding] = []
    (integrity or app.services.integrity).check(found.append, repair, only=sub)
    return found
