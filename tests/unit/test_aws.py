"""What failures of AWS mean to a client."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from pynamodb.exceptions import PutError

from chalicelib.aws import as_album_error
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
