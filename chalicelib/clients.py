"""The only module that creates AWS clients: lazily, once each, with the same timeouts.

They are botocore's own: boto3 would add its resources' import to every cold start.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

from chalicelib.errors import AlbumError, Throttled, Unavailable
from chalicelib.observability import count_aws_calls

# The time limits of every client but the one that copies: two attempts of 2.5 s and a pause of at
# most a second (and for an object, a second each in which S3 may reject it before its bytes are
# sent) turn a service that does not answer into Unavailable within 10 s, far below the gateway's
# 29 s.
CONNECT_SECONDS = 2
READ_SECONDS = 2.5
ATTEMPTS = 2
# S3 responds to a copy when it has finished, which takes seconds for 100 MB. One attempt, with the
# time to connect, leaves the rest of the gateway's 29 s for reading and decoding the image.
COPY_SECONDS = 20
COPY_ATTEMPTS = 1
# Connections kept open by each client; one request at a time needs one.
POOL_CONNECTIONS = 10

# After how many seconds each kind of throttled call may be repeated.
_THROTTLED = {
    "LimitExceededException": 3600,  # Cognito: attempts of one user, or emails of the account
    "ProvisionedThroughputExceededException": 5,
    "RequestLimitExceeded": 5,
    "ThrottlingException": 5,
    "TooManyRequestsException": 2,  # Cognito: calls per second
    "TransactionConflictException": 5,
    "TransactionInProgressException": 5,
}
# The third line has what Cognito reports when a trigger of the pool does not run or respond. The
# last three mean that the request did not arrive intact, or not in time.
_FAILED = {
    *("InternalServerError", "InternalFailure", "InternalErrorException", "ServiceUnavailable"),
    *("InvalidLambdaResponseException", "UnexpectedLambdaException"),
    "UserLambdaValidationException",
    *("BadDigest", "RequestTimeout", "XAmzContentChecksumMismatch"),
}
# Parameters of S3's endpoint rules, as `client_config` has them.
_NO_VARIANT = {
    "UseFIPS": False,
    "UseDualStack": False,
    "Accelerate": False,
    "ForcePathStyle": False,
}

_COPIES = "s3 for copies"


class Clients:
    """The AWS clients of one container, each created on first use and then kept.

    `region` is called when the first client is created.
    """

    def __init__(self, region: Callable[[], str]) -> None:
        self._region = region
        self._clients: dict[str, Any] = {}
        # A botocore session creates clients in one thread only, and `chalice local` has many.
        self._lock = threading.RLock()

    def get(self, service: str) -> Any:
        """Return the client of a service such as `s3`."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = create_client(service, self._region())
            return self._clients[service]

    def for_copies(self) -> Any:
        """Return the S3 client that waits until S3 has copied a large object."""
        with self._lock:
            if _COPIES not in self._clients:
                config = client_config(COPY_SECONDS, COPY_ATTEMPTS)
                self._clients[_COPIES] = create_client("s3", self._region(), config)
            return self._clients[_COPIES]

    def is_created(self, service: str) -> bool:
        """Return whether a client has been needed so far."""
        return service in self._clients


class LazyClient:
    """A client that is created by its first call; signing URLs makes none."""

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create

    def __getattr__(self, name: str) -> Any:
        return getattr(self._create(), name)


class TableMeta:
    """What all PynamoDB models share: the timeouts of every other client.

    The container sets `region`, and the models' `table_name`, from the settings.
    """

    region: str | None = None
    connect_timeout_seconds = CONNECT_SECONDS
    read_timeout_seconds = READ_SECONDS
    max_retry_attempts = ATTEMPTS - 1
    max_pool_connections = POOL_CONNECTIONS


def create_client(service: str, region: str | None, config: Any = None) -> Any:
    """Return a new client. It takes long: `Clients` keeps one for each service."""
    config = config or client_config()
    return _session().create_client(service, region_name=region, config=config)


def transaction_connection(region: str) -> Any:
    """Return the PynamoDB connection of transactions, with the timeouts of `TableMeta`."""
    from pynamodb.connection import Connection

    return Connection(
        region=region,
        connect_timeout_seconds=TableMeta.connect_timeout_seconds,
        read_timeout_seconds=TableMeta.read_timeout_seconds,
        max_retry_attempts=TableMeta.max_retry_attempts,
        max_pool_connections=TableMeta.max_pool_connections,
    )


def parameter_store(region: str | None) -> Any:
    """Return the reader of Parameter Store; it is not thread-safe."""
    from aws_parameter_store import AwsParameterStore

    return AwsParameterStore(region, config=client_config())


@functools.cache
def _session() -> Any:
    """Return the one session, which caches credentials and service models."""
    import botocore.session

    count_aws_calls()
    return botocore.session.get_session()


def client_config(read_seconds: float | None = None, attempts: int = ATTEMPTS) -> Any:
    """Return the botocore Config of a client; PynamoDB creates its own from `TableMeta`."""
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds or READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=POOL_CONNECTIONS,
        signature_version="v4",
        # A presigned URL must name the region: the global host redirects, which breaks it.
        s3={"addressing_style": "virtual"},
    )


def credentials() -> Any:
    """Return a function that returns the current credentials, frozen: a role's change."""
    return _session().get_credentials().get_frozen_credentials


def endpoint_url(service: str) -> str | None:
    """Return the endpoint that the environment or the AWS profile sets for a service, or None."""
    from botocore.configprovider import ConfiguredEndpointProvider

    session = _session()
    url: str | None = ConfiguredEndpointProvider(
        session.full_config, session.get_scoped_config(), service
    ).provide()
    return url


def bucket_url(bucket: str, region: str, endpoint: str | None) -> str:
    """Return a bucket's URL as botocore's clients would use it, without a trailing slash.

    It evaluates botocore's own rules without an S3 client, which takes ten times as long to create.
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
    """Return what a failed AWS call means to a client, or None if it is a bug of ours."""
    from botocore import exceptions
    from pynamodb.exceptions import PynamoDBException

    cause = error.cause if isinstance(error, PynamoDBException) else error
    if isinstance(cause, exceptions.ClientError):
        code = cause.response["Error"].get("Code")
        if code in _THROTTLED:
            return Throttled(_THROTTLED[code])
        # PynamoDB keeps the code of a failed call, but not its status.
        status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return Unavailable() if status >= 500 or code in _FAILED else None
    if isinstance(cause, exceptions.HTTPClientError | exceptions.ConnectionError):
        return Unavailable()
    return None


def condition_failed(error: Exception) -> bool:
    """Return whether DynamoDB rejected a PynamoDB write because its condition does not hold."""
    from botocore.exceptions import ClientError

    # `cause_response_code` fails on a timeout, whose response is None.
    cause = getattr(error, "cause", None)
    return (
        isinstance(cause, ClientError)
        and cause.response["Error"]["Code"] == "ConditionalCheckFailedException"
    )
