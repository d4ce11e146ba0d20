"""The services, each made on first use with its clients, and kept for the container's life.

Importing this module imports no library at all: a cold start pays for what it uses, when it does.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from chalicelib.accounts import AccountService
    from chalicelib.cognito import UserPool
    from chalicelib.integrity import IntegrityService
    from chalicelib.ledger import Ledger
    from chalicelib.lists import PhotoLists
    from chalicelib.photos import PhotoService
    from chalicelib.presign import UrlSigner
    from chalicelib.sessions import Sessions
    from chalicelib.settings import Settings, StoredSettings
    from chalicelib.storage import PhotoStorage
    from chalicelib.uploads import UploadService

T = TypeVar("T")

_made: dict[str, Any] = {}
_making = (
    threading.RLock()
)  # a session makes clients in one thread only, and `chalice local` has many


def _once(make: Callable[[], T]) -> Callable[[], T]:
    @functools.wraps(make)
    def get() -> T:
        with _making:
            if make.__name__ not in _made:
                _made[make.__name__] = make()
            made: T = _made[make.__name__]
            return made

    return get


@_once
def settings() -> Settings:
    """Return the settings. Raises ConfigurationError, and reads them again next time."""
    from chalicelib.settings import told_settings

    return told_settings() or _stored_settings()


@_once
def _stored_settings() -> StoredSettings:
    """Return what Parameter Store knows: all settings, and the secret."""
    from aws_parameter_store import AwsParameterStore

    from chalicelib.aws import client_config
    from chalicelib.settings import load_settings, parameter_path

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return load_settings(AwsParameterStore(region, config=client_config()), parameter_path())


@_once
def photos() -> PhotoService:
    """Return what the photo routes call."""
    from chalicelib.photos import PhotoService

    _connect_tables()
    return PhotoService(storage(), ledger(), settings().thumbnail_box)


@_once
def uploads() -> UploadService:
    """Return what the routes call that make photos."""
    from chalicelib.uploads import UploadService

    return UploadService(photos(), storage(), ledger(), settings().thumbnail_box)


@_once
def storage() -> PhotoStorage:
    """Return the bucket of pictures."""
    from chalicelib.storage import PhotoStorage

    return PhotoStorage(_LaterClient("s3"), settings().photo_bucket, signer())


@_once
def signer() -> UrlSigner:
    """Return what signs the pictures' URLs."""
    from chalicelib.aws import bucket_url, credentials, endpoint_url
    from chalicelib.presign import UrlSigner

    config = settings()
    url = bucket_url(config.photo_bucket, config.region, endpoint_url("s3"))
    return UrlSigner(url, config.region, config.presigned_url_seconds, credentials())


@_once
def ledger() -> Ledger:
    """Return what writes photos' rows and counters."""
    from pynamodb.connection import Connection

    from chalicelib.ledger import Ledger
    from chalicelib.models import TableMeta
    from chalicelib.quotas import Quota

    connection = Connection(
        region=settings().region,
        connect_timeout_seconds=TableMeta.connect_timeout_seconds,
        read_timeout_seconds=TableMeta.read_timeout_seconds,
        max_retry_attempts=TableMeta.max_retry_attempts,
        max_pool_connections=TableMeta.max_pool_connections,
    )
    return Ledger(connection, Quota(settings().max_photos, settings().max_storage_bytes))


@_once
def lists() -> PhotoLists:
    """Return what the routes of lists call."""
    from chalicelib.cursors import Cursors
    from chalicelib.lists import PhotoLists
    from chalicelib.row_reader import RowReader

    rows = RowReader(_client("dynamodb"), settings().photo_table)
    cursors = Cursors(lambda: _stored_settings().client_secret)
    return PhotoLists(rows, storage().with_urls, cursors)


@_once
def accounts() -> AccountService:
    """Return what the user routes call."""
    from chalicelib.accounts import AccountService

    _connect_tables()
    config = settings()
    return AccountService(
        pool(), config.confirms_by_email, config.cognito_domain, config.callback_url
    )


@_once
def pool() -> UserPool:
    """Return the user pool."""
    from chalicelib.cognito import UserPool

    config = settings()
    secret = _stored_settings().client_secret
    return UserPool(_client("cognito-idp"), config.pool_id, config.client_id, secret)


@_once
def integrity() -> IntegrityService:
    """Return what checks that nothing is lost."""
    from chalicelib.integrity import IntegrityService

    return IntegrityService(storage(), photos(), accounts(), pool(), settings().thumbnail_box)


@_once
def sessions() -> Sessions:
    """Return what the authorizer calls."""
    from chalicelib import tokens
    from chalicelib.aws import endpoint_url
    from chalicelib.sessions import Sessions

    config = settings()
    # An emulator has the keys at its own address; the issuer's is that of AWS everywhere.
    emulator = endpoint_url("cognito-idp")
    url = f"{emulator}/{config.pool_id}" if emulator else config.issuer
    keys = tokens.KeySet(lambda: tokens.fetch_keys(f"{url}/.well-known/jwks.json"))
    verifier = tokens.TokenVerifier(keys, config.issuer, config.client_id)
    return Sessions(verifier, _client("dynamodb"), config.user_table)


def _client(service: str) -> Any:
    from chalicelib.aws import make_client

    with _making:
        if service not in _made:
            _made[service] = make_client(service, settings().region)
        return _made[service]


class _LaterClient:
    """A client that is made when it is first asked something; who signs URLs asks it nothing."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(_client(self._service), name)


def _connect_tables() -> None:
    from chalicelib.models import Photo, UploadKey, User
    from chalicelib.tracing import observe_aws_calls

    observe_aws_calls()
    config = settings()
    photo_table, user_table = config.photo_table, config.user_table
    for model, name in ((Photo, photo_table), (UploadKey, photo_table), (User, user_table)):
        model.Meta.table_name = name
        model.Meta.region = config.region
