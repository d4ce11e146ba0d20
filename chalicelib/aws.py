"""What all AWS clients share: how they are made, how long they wait, what their failures mean."""

from typing import Any

from chalicelib.errors import AlbumError, Throttled, Unavailable
from chalicelib.tracing import observe_aws_calls

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_FAILED = {"InternalServerError", "InternalFailure", "ServiceUnavailable"}


def make_client(service: str, region: str | None) -> Any:
    """Return a new boto3 client. Only `services` calls it, once each: one takes long to make."""
    import boto3

    observe_aws_calls()
    return boto3.client(service, region_name=region, config=client_config())


def client_config() -> Any:
    """Return the botocore Config of every client; three tries fit into the gateway's 29 s."""
    from botocore.config import Config

    return Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        signature_version="v4",
        # A presigned URL must name the region: the global host redirects, which breaks it.
        s3={"addressing_style": "virtual"},
    )


def credentials() -> Any:
    """Return a function that returns the present credentials, frozen, as a role's change."""
    import boto3

    found = boto3.DEFAULT_SESSION or boto3.Session()
    return found.get_credentials().get_frozen_credentials


def bucket_url(s3: Any, bucket: str) -> str:
    """Return a bucket's URL, without a slash at its end, as botocore's rules have it."""
    url: str = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"})
    return url.split("?")[0].removesuffix("/key")


def as_album_error(error: Exception) -> AlbumError | None:
    """Return what a failed AWS call means to a client, or None when it is a bug of ours."""
    from botocore import exceptions
    from pynamodb.exceptions import PynamoDBException

    cause = error.cause if isinstance(error, PynamoDBException) else error
    if isinstance(cause, exceptions.ClientError):
        code = cause.response["Error"].get("Code")
        if code in _THROTTLED:
            return Throttled()
        # PynamoDB keeps the code of a failed call, but not its status.
        status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return Unavailable() if status >= 500 or code in _FAILED else None
    if isinstance(cause, exceptions.HTTPClientError | exceptions.ConnectionError):
        return Unavailable()
    return None
