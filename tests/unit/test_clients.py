"""What failures of AWS mean to a client."""

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from pynamodb.exceptions import PutError

from chalicelib.clients import as_album_error, bucket_url, client_config, endpoint_url
from chalicelib.errors import AlbumError, Throttled, Unavailable


def refused(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (refused("TooManyRequestsException", 400), Throttled),
        (refused("LimitExceededException", 400), Throttled),
        (refused("ThrottlingException", 400), Throttled),
        (PutError("", refused("ProvisionedThroughputExceededException", 400)), Throttled),
        (refused("SlowDown", 503), Unavailable),
        (refused("InternalServerError", 500), Unavailable),
        (refused("InternalErrorException", 0), Unavailable),
        # S3 calls it the client's fault that bytes came late or changed on their way.
        (refused("RequestTimeout", 400), Unavailable),
        (refused("BadDigest", 400), Unavailable),
        (refused("XAmzContentChecksumMismatch", 400), Unavailable),
        (refused("TransactionInProgressException", 400), Throttled),
        (refused("RequestLimitExceeded", 400), Throttled),
        (PutError("", refused("InternalServerError", 500)), Unavailable),
        (PutError("", refused("InternalServerError", 0)), Unavailable),
        (EndpointConnectionError(endpoint_url="https://s3"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://s3"), Unavailable),
        (PutError("", ReadTimeoutError(endpoint_url="https://dynamodb")), Unavailable),
        (refused("AccessDenied", 403), None),
        (refused("ResourceNotFoundException", 400), None),
        (NoCredentialsError(), None),
        (KeyError("bug"), None),
    ],
)
def test_throttled_slow_and_dead_are_told_from_bugs(
    error: Exception, meaning: type[AlbumError] | None
) -> None:
    assert type(as_album_error(error)) is (meaning or type(None))


@pytest.mark.parametrize("bucket", ["album-photos", "album.photos"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1"])
@pytest.mark.parametrize(
    "endpoint", [None, "http://127.0.0.1:4566", "http://localhost:4566", "https://s3.test/path/"]
)
def test_a_buckets_url_is_that_of_a_client_which_is_not_made(
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
