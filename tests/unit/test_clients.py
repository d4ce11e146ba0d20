"""AWS clients, the URL of the bucket, and what errors of AWS mean to a client of the API."""

import time
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from pynamodb.exceptions import PutError, UpdateError

from chalicelib import clients
from chalicelib.clients import (
    Clients,
    LazyClient,
    as_album_error,
    bucket_url,
    client_config,
    condition_failed,
    endpoint_url,
)
from chalicelib.errors import AlbumError, Throttled, Unavailable
from tests.support.people import at_once


def aws_error(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (aws_error("TooManyRequestsException", 400), Throttled),
        (aws_error("LimitExceededException", 400), Throttled),
        (aws_error("ThrottlingException", 400), Throttled),
        (PutError("", aws_error("ProvisionedThroughputExceededException", 400)), Throttled),
        (aws_error("SlowDown", 503), Unavailable),
        (aws_error("InternalServerError", 500), Unavailable),
        (aws_error("InternalErrorException", 0), Unavailable),
        # S3 responds with 400 when bytes arrive late or corrupted.
        (aws_error("RequestTimeout", 400), Unavailable),
        (aws_error("BadDigest", 400), Unavailable),
        (aws_error("XAmzContentChecksumMismatch", 400), Unavailable),
        (aws_error("TransactionInProgressException", 400), Throttled),
        (aws_error("RequestLimitExceeded", 400), Throttled),
        (PutError("", aws_error("InternalServerError", 500)), Unavailable),
        (PutError("", aws_error("InternalServerError", 0)), Unavailable),
        (EndpointConnectionError(endpoint_url="https://s3"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://s3"), Unavailable),
        (PutError("", ReadTimeoutError(endpoint_url="https://dynamodb")), Unavailable),
        (aws_error("AccessDenied", 403), None),
        (aws_error("ResourceNotFoundException", 400), None),
        (NoCredentialsError(), None),
        (KeyError("bug"), None),
    ],
)
def test_aws_error_is_throttled_unavailable_or_a_bug(
    error: Exception, meaning: type[AlbumError] | None
) -> None:
    assert type(as_album_error(error)) is (meaning or type(None))


@pytest.mark.parametrize("bucket", ["album-photos", "album.photos"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1"])
@pytest.mark.parametrize(
    "endpoint", [None, "http://127.0.0.1:4566", "http://localhost:4566", "https://s3.test/path/"]
)
def test_bucket_url_equals_that_of_an_s3_client(
    monkeypatch: pytest.MonkeyPatch, bucket: str, region: str, endpoint: str | None
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    client = boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=client_config(),
    )
    signed = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"})
    assert bucket_url(bucket, region, endpoint_url("s3")) + "/key" == signed.split("?")[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UpdateError("", aws_error("ConditionalCheckFailedException", 400)), True),
        (UpdateError("", aws_error("ValidationException", 400)), False),
        (UpdateError("", ReadTimeoutError(endpoint_url="https://dynamodb")), False),
        (UpdateError(""), False),
        (KeyError("bug"), False),
    ],
)
def test_failed_condition_is_distinguished_from_other_errors(
    error: Exception, expected: bool
) -> None:
    assert condition_failed(error) is expected


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Return the service and region of each client that is created."""
    found: list[tuple[str, str | None]] = []

    def create(service: str, region: str | None) -> Any:
        found.append((service, region))
        return mock.Mock()

    monkeypatch.setattr(clients, "create_client", create)
    return found


def test_client_of_each_service_is_created_once(created: list[tuple[str, str | None]]) -> None:
    aws = Clients(lambda: "eu-west-1")
    assert aws.get("s3") is aws.get("s3")
    assert aws.get("dynamodb") is not aws.get("s3")
    assert created == [("s3", "eu-west-1"), ("dynamodb", "eu-west-1")]


def test_threads_share_one_client_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def create_slowly(*_: object) -> object:
        time.sleep(0.05)
        return object()

    monkeypatch.setattr(clients, "create_client", create_slowly)
    aws = Clients(lambda: "eu-west-1")
    found = at_once(*[lambda: aws.get("s3")] * 8)
    assert len({id(client) for client in found}) == 1


def test_lazy_client_is_created_by_its_first_call(created: list[tuple[str, str | None]]) -> None:
    aws = Clients(lambda: "eu-west-1")
    s3 = LazyClient(lambda: aws.get("s3"))
    assert created == []
    assert not aws.is_created("s3")
    s3.head_object(Key="key")
    s3.head_object(Key="key")
    assert created == [("s3", "eu-west-1")]
    assert aws.get("s3").head_object.call_count == 2
