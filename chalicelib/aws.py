"""What all AWS clients share: how they are made, how long they wait, what their failures mean.

They are botocore's own: boto3 would add its resources' import to every cold start.
"""

import functools
from typing import Any

from chalicelib.errors import AlbumError, Throttled, Unavailable
from chalicelib.tracing import observe_aws_calls

# How long a call may take, chosen here for every client: two attempts of 2.5 s and a pause of at
# most a second (and for an object, a second each in which S3 may refuse it before its bytes are
# sent) make a service that does not answer Unavailable within 10 s, far below the gateway's 29 s.
CONNECT_SECONDS = 2
READ_SECONDS = 2.5
ATTEMPTS = 2
# Connections that are kept open, per client; one request at a time needs one.
POOL = 10

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
# The last three say that what was sent did not arrive as it was, or not in time.
_FAILED = {
    *("InternalServerError", "InternalFailure", "InternalErrorException", "ServiceUnavailable"),
    *("BadDigest", "RequestTimeout", "XAmzContentChecksumMismatch"),
}
# Parameters of S3's endpoint rules, as `client_config` has them.
_NO_VARIANT = {
    "UseFIPS": False,
    "UseDualStack": False,
    "Accelerate": False,
    "ForcePathStyle": False,
}


def make_client(service: str, region: str | None) -> Any:
    """Return a new client. Only `services` calls it, once each: one takes long to make."""
    return _session().create_client(service, region_name=region, config=client_config())


@functools.cache
def _session() -> Any:
    """Return the one session, which keeps what it has read of credentials and service models."""
    import botocore.session

    observe_aws_calls()
    return botocore.session.get_session()


def client_config() -> Any:
    """Return the botocore Config of every client; PynamoDB makes its own of `models.TableMeta`."""
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=POOL,
        signature_version="v4",
        # A presigned URL must name the region: the global host redirects, which breaks it.
        s3={"addressing_style": "virtual"},
    )


def credentials() -> Any:
    """Return a function that returns the present credentials, frozen, as a role's change."""
    return _session().get_credentials().get_frozen_credentials


def endpoint_url(service: str) -> str | None:
    """Return where the environment or the AWS profile says that a service is, if they do."""
    from botocore.configprovider import ConfiguredEndpointProvider

    session = _session()
    url: str | None = ConfiguredEndpointProvider(
        session.full_config, session.get_scoped_config(), service
    ).provide()
    return url


def bucket_url(bucket: str, region: str, endpoint: str | None) -> str:
    """Return a bucket's URL, without a slash at its end, as botocore's clients have it.

    It evaluates botocore's own rules without an S3 client, which takes ten times as long to make.
    """
    from botocore.endpoint_provider import EndpointProvider

    loader = _session().get_component("data_loader")
    rules = EndpointProvider(
        loader.load_service_model("s3", "endpoint-rule-set-1"), loader.load_data("partitions")
    )
    given = {"Endpoint": endpoint} if endpoint else {}
    # A client of us-east-1 still signs for the host without a region in its name.
    is_global = region == "us-east-1" and not endpoint
    found = rules.resolve_endpoint(
        Bucket=bucket, Region=region, UseGlobalEndpoint=is_global, **_NO_VARIANT, **given
    )
    url: str = found.url
    return url.rstrip("/")


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
