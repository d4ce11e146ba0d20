"""An album on moto with the resources of the real template, and direct access to its data."""

import contextlib
import copy
import datetime
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from unittest import mock

import boto3
import botocore.session
import jsonschema
import pytest
import requests
import yaml
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from chalice.local import RouteMatcher
from chalice.test import TestHTTPClient
from moto import mock_aws
from moto.backends import get_backend
from moto.cloudformation.utils import yaml_tag_constructor
from moto.cognitoidp import cognitoidp_backends
from moto.cognitoidp.models import jwk
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb import dynamodb_backends
from moto.s3 import s3_backends

import app
from chalicelib.accounts import tokens
from chalicelib.api import openapi
from chalicelib.container import Container
from chalicelib.integrity.check import IntegrityService
from chalicelib.integrity.report import Finding
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX, computed_fields
from chalicelib.photos.service import PhotoService
from infra.choices import CHOICES
from infra.provision import TEMPLATE
from tests.support import images
from tests.support.people import Person, Response

T = TypeVar("T")
REGION = "eu-west-1"
MISSING_ID = "01890a5d-ac96-774b-bcce-b302099a8057"  # a valid ID that no photo has

# Without this cache, every boto3 session would read botocore's service models again, which takes
# most of the time of creating a client.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def _once(function: Callable[..., T], key: Callable[..., str]) -> Callable[..., T]:
    """Return a function that computes its result once for each key."""
    results: dict[str, T] = {}

    def computed(*arguments: Any) -> T:
        name = key(*arguments)
        if name not in results:
            results[name] = function(*arguments)
        return results[name]

    return computed


# Every container makes clients of its own, whose classes and names of events are always the same:
# a tenth of the time of the tests of the API.
ClientCreator._create_client_class = _once(
    ClientCreator._create_client_class, lambda creator, service, model: service
)
EventAliaser._alias_event_name = _once(EventAliaser._alias_event_name, lambda aliaser, name: name)

# moto imports the same private key for every user pool: half of the set-up of a test.
jwk.RSAKey.import_key = _once(jwk.RSAKey.import_key, lambda value: value["n"])


@contextlib.contextmanager
def moto_album(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Provide an AWS with only the album's resources, and a new container."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    monkeypatch.setattr(app, "services", Container())
    # moto intercepts `requests`, but not the standard library.
    monkeypatch.setattr(
        tokens, "fetch_keys", lambda url: requests.get(url, timeout=1).json()["keys"]
    )
    resources, parameters = _resources()
    with mock_aws():
        for (service, region), data in resources.items():
            _moto_backend(service, region).__dict__.update(copy.deepcopy(data))
        _ssm_parameters().update(copy.deepcopy(parameters))
        yield


@functools.cache
def _resources() -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, Any]]:
    """Return moto's data with the album's resources, by service and region, and the parameters.

    Each test gets a copy. To create them again would take most of the time of a test.
    """
    services = (("cognito-idp", REGION), ("dynamodb", REGION), ("s3", "aws"))
    with mock_aws():
        _create_resources()
        resources = {key: copy.deepcopy(_moto_backend(*key).__dict__) for key in services}
        # moto's own dictionary of parameters cannot be copied.
        return resources, copy.deepcopy(dict(_ssm_parameters()))


def _moto_backend(service: Any, region: str) -> Any:
    return get_backend(service)[DEFAULT_ACCOUNT_ID][region]


def _ssm_parameters() -> Any:
    return _moto_backend("ssm", REGION)._parameters


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
    set_parameters(
        **CHOICES | {"SIGNUP_ALLOWED": "*"},
        S3_PHOTO_BUCKET=outputs["PhotoBucketName"],
        COGNITO_POOL_ID=pool_id,
        COGNITO_CLIENT_ID=client["ClientId"],
        COGNITO_CLIENT_SECRET=client["ClientSecret"],
        COGNITO_DOMAIN="-",
        AWS_REGION=REGION,
    )


def set_parameters(**values: Any) -> None:
    """Write settings to Parameter Store, and create a container that reads them."""
    ssm = boto3.client("ssm")
    for name, value in values.items():
        ssm.put_parameter(
            Name=f"/cloudalbum/{name}", Value=str(value), Type="SecureString", Overwrite=True
        )
    app.services = Container()


@functools.cache
def _template() -> str:
    """Return the real template without the user pool, which moto cannot create from a template."""

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


class AppTransport:
    """Sends requests through the app, and checks each response against the OpenAPI document."""

    def __init__(self, client: TestHTTPClient) -> None:
        self._client = client

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        sent = self._client.request(method, path, headers=headers or {}, body=body)
        response = Response(sent.status_code, sent.headers, sent.body)
        require_documented(method, path, response)
        return response

    def get(self, path: str, headers: dict[str, str] | None = None) -> Response:
        return self.request("GET", path, headers)

    def post(self, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Response:
        return self.request("POST", path, headers, body)


def api_document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return openapi.document(app.app)


def require_documented(method: str, path: str, response: Response) -> None:
    """Fail for a status or a body that the OpenAPI document does not have for the route."""
    try:
        route = RouteMatcher(list(app.app.routes)).match_route(path).route
    except ValueError:
        return
    operation = api_document()["paths"][route].get(method.lower())
    # Chalice's own responses, to an unsupported method or content type, have no request ID.
    if operation is None or "X-Request-Id" not in response.headers:
        return
    documented = operation["responses"].get(str(response.status_code))
    assert documented, f"{method} {route} returns {response.status_code}, which is not documented"
    content_type = response.headers["Content-Type"].split(";")[0] if response.body else None
    assert content_type in documented.get("content", {None: None}), f"{route}: {content_type}"
    if content_type in ("application/json", "application/geo+json"):
        schema = documented["content"][content_type]["schema"]
        schema = {**schema, "components": api_document()["components"]}
        jsonschema.Draft202012Validator(schema).validate(response.json())


def sub_of(person: Person) -> str:
    """Return the `sub` of a user who is signed in."""
    return app.services.sessions.authenticate(person.token).sub


def photo_items() -> list[Photo]:
    """Return the items of all photos, without the other items of the same table."""
    return [item for item in Photo.scan() if not item.id.startswith(KEY_PREFIX)]


def store_photos(person: Person, count: int) -> list[str]:
    """Store photos that were taken a day after each other; return their IDs, newest first."""
    uploaded = person.upload(images.jpeg(16, 16), taken_date="1990-01-01").json()["photo"]
    photo = Photo.get(uploaded["user_id"], uploaded["id"])
    ids = [photo.id]
    with Photo.batch_write() as batch:
        for number in range(1, count):
            date = datetime.date(1990, 1, 1) + datetime.timedelta(days=number)
            photo.id = f"{photo.id[:-6]}{number:06x}"
            photo.desc = f"photo {number}" + (" rare" if number % 50 == 7 else "")
            photo.taken_date = f"{date}T00:00:00"
            for name, value in computed_fields(photo).items():
                setattr(photo, name, value)
            batch.save(Photo(**photo.attribute_values))
            ids.append(photo.id)
    return ids[::-1]


@contextlib.contextmanager
def no_time_to_delete() -> Iterator[None]:
    """Let the deletion of an account run out of time before its first batch."""
    delete_all = PhotoService.delete_all
    with mock.patch.object(
        PhotoService, "delete_all", lambda self, user_id: delete_all(self, user_id, seconds=0)
    ):
        yield


def bucket_objects() -> dict[str, dict[str, Any]]:
    """Return the objects of the photo bucket, by key."""
    s3, bucket = boto3.client("s3"), app.services.settings.photo_bucket
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = [entry["Key"] for entry in listed]
    return {key: s3.get_object(Bucket=bucket, Key=key) for key in keys}


def store_upload(started: Response, image: bytes) -> None:
    """Store an image as a presigned POST does; only the end-to-end tests send a real one."""
    key = started.json()["upload"]["fields"]["key"]
    bucket = app.services.settings.photo_bucket
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=image)


def start_upload(person: Person, image: bytes, key: str | None = None) -> Response:
    """Begin an upload and store its image, so that it can be completed."""
    started = person.begin_upload(len(image), key)
    store_upload(started, image)
    return started


def moto_table(name: str) -> Any:
    """Return moto's own table, which is faster to read than through requests."""
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[name]


def moto_objects() -> Any:
    """Return moto's own objects of the photo bucket, by key."""
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[app.services.settings.photo_bucket].keys


def snapshot() -> Callable[[], None]:
    """Return a function that restores the tables, users and objects of this moment."""
    tables = {name: copy.deepcopy(moto_table(name).items) for name in ("Photo", "User")}
    [pool] = cognitoidp_backends[DEFAULT_ACCOUNT_ID][REGION].user_pools.values()
    names = ("users", "access_tokens", "refresh_tokens")
    accounts = {name: copy.deepcopy(getattr(pool, name)) for name in names}
    stored = {
        name: (key.value, key.checksum_algorithm, key.checksum_value)
        for name, key in moto_objects().items()
    }

    def restore() -> None:
        for name, items in tables.items():
            moto_table(name).items = copy.deepcopy(items)
        for name, value in accounts.items():
            setattr(pool, name, copy.deepcopy(value))
        for name in set(moto_objects()) - set(stored):
            del moto_objects()[name]
        backend, bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"], app.services.settings.photo_bucket
        for name in set(stored) - set(moto_objects()):
            value, algorithm, checksum = stored[name]
            key = backend.put_object(bucket, name, value, checksum_value=checksum)
            key.checksum_algorithm = algorithm

    return restore


def find_issues(
    sub: str, repair: bool = False, integrity: IntegrityService | None = None
) -> list[Finding]:
    """Return one user's integrity issues, as found by the app's service or by another one."""
    found: list[Finding] = []
    (integrity or app.services.integrity).check(found.append, repair, only=sub)
    return found
