"""The container of the services: each is created on first use, with its clients, and kept.

Importing this module imports no library: a cold start pays for what it uses, when it uses it.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from chalicelib.accounts.cognito import UserPool
    from chalicelib.accounts.service import AccountService
    from chalicelib.accounts.sessions import Sessions
    from chalicelib.clients import Clients
    from chalicelib.images.sizes import Sizes
    from chalicelib.integrity.check import IntegrityService
    from chalicelib.photos.batch import PhotoBatches
    from chalicelib.photos.counts import PhotoCounts
    from chalicelib.photos.known import KnownImages
    from chalicelib.photos.lists import PhotoLists
    from chalicelib.photos.query import ItemReader
    from chalicelib.photos.service import PhotoService
    from chalicelib.photos.signed_urls import UrlSigner
    from chalicelib.photos.storage import PhotoStorage
    from chalicelib.photos.transactions import PhotoTransactions
    from chalicelib.photos.trash import Trash
    from chalicelib.photos.uploads import UploadService
    from chalicelib.settings import Settings

T = TypeVar("T")


class shared(functools.cached_property[T]):  # noqa: N801 (used as a decorator)
    """A cached property that is created only once, whatever the container's threads do."""

    def __get__(self, container: Any, owner: type[Any] | None = None) -> T:  # type: ignore[override]
        with container.lock:
            value: T = super().__get__(container, owner)
            return value


class Container:
    """The services of one process; a test creates its own."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    @shared
    def settings(self) -> Settings:
        """The settings. Raises ConfigurationError, and reads them again next time."""
        from chalicelib.settings import settings_from_environment

        return settings_from_environment() or self._stored_settings()

    def _stored_settings(self) -> Settings:
        """Read the settings from Parameter Store, as after a plain `chalice deploy`."""
        from chalicelib.clients import parameter_store
        from chalicelib.settings import load_settings, parameter_path

        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return load_settings(parameter_store(region), parameter_path())

    @shared
    def _client_secret(self) -> str:
        """The secret of the app client, which only the API may read."""
        from chalicelib.settings import load_client_secret, parameter_path

        return load_client_secret(self.clients.get("ssm"), parameter_path())

    @shared
    def clients(self) -> Clients:
        """The AWS clients."""
        from chalicelib.clients import Clients

        return Clients(lambda: self.settings.region)

    @shared
    def photos(self) -> PhotoService:
        """What the photo routes call."""
        from chalicelib.photos.service import PhotoService

        self._connect_models()
        return PhotoService(self.storage, self.transactions, self.sizes)

    @shared
    def uploads(self) -> UploadService:
        """What the upload routes call."""
        from chalicelib.photos.uploads import UploadService

        return UploadService(self.photos, self.storage, self.transactions, self.sizes)

    @shared
    def batches(self) -> PhotoBatches:
        """What acts on many photos."""
        from chalicelib.photos.batch import PhotoBatches

        return PhotoBatches(self.storage, self.transactions)

    @shared
    def trash(self) -> Trash:
        """What empties the trash."""
        from chalicelib.photos.trash import Trash

        return Trash(self.batches, self.settings.trash_days)

    @shared
    def lists(self) -> PhotoLists:
        """What the list routes call."""
        from chalicelib.photos.cursors import Cursors
        from chalicelib.photos.lists import PhotoLists

        cursors = Cursors(lambda: self._client_secret)
        return PhotoLists(self._items, self.storage.with_urls, cursors)

    @shared
    def counts(self) -> PhotoCounts:
        """What the timeline and the list of tags call."""
        from chalicelib.photos.counts import PhotoCounts

        return PhotoCounts(self._items)

    @shared
    def known_images(self) -> KnownImages:
        """What finds images that a user already has."""
        from chalicelib.photos.known import KnownImages

        return KnownImages(self._items)

    @shared
    def _items(self) -> ItemReader:
        """What reads photo items for lists."""
        from chalicelib.photos.query import ItemReader

        return ItemReader(self.clients.get("dynamodb"), self.settings.photo_table)

    @shared
    def storage(self) -> PhotoStorage:
        """The photo bucket."""
        from chalicelib.clients import LazyClient
        from chalicelib.photos.storage import PhotoStorage

        settings = self.settings
        return PhotoStorage(
            LazyClient(lambda: self.clients.get("s3")),
            settings.photo_bucket,
            self._url_signer,
            copy_client=LazyClient(self.clients.for_copies),
            originals_class=settings.originals_storage_class,
        )

    @shared
    def _url_signer(self) -> UrlSigner:
        from chalicelib.clients import bucket_url, credentials, endpoint_url
        from chalicelib.photos.signed_urls import UrlSigner

        settings = self.settings
        url = bucket_url(settings.photo_bucket, settings.region, endpoint_url("s3"))
        return UrlSigner(url, settings.region, settings.presigned_url_seconds, credentials())

    @shared
    def transactions(self) -> PhotoTransactions:
        """What writes photo items and counters."""
        from chalicelib.clients import transaction_connection
        from chalicelib.photos.quota import Quota
        from chalicelib.photos.transactions import PhotoTransactions

        self._connect_models()
        quota = Quota(self.settings.max_photos, self.settings.max_storage_bytes)
        return PhotoTransactions(transaction_connection(self.settings.region), quota)

    @shared
    def accounts(self) -> AccountService:
        """What the user routes call."""
        from chalicelib.accounts.service import AccountService

        self._connect_models()
        settings = self.settings
        return AccountService(
            self.user_pool,
            settings.signup_allowed,
            settings.confirms_by_email,
            settings.cognito_domain,
            settings.callback_url,
        )

    @shared
    def user_pool(self) -> UserPool:
        """The Cognito user pool."""
        from chalicelib.accounts.cognito import UserPool

        return UserPool(
            self.clients.get("cognito-idp"),
            self.settings.pool_id,
            self.settings.client_id,
            lambda: self._client_secret,
        )

    @shared
    def sessions(self) -> Sessions:
        """What the authorizer calls."""
        from chalicelib.accounts import tokens
        from chalicelib.accounts.sessions import Sessions
        from chalicelib.clients import endpoint_url

        settings = self.settings
        # An emulator serves the keys at its own address; the issuer is the AWS URL everywhere.
        emulator = endpoint_url("cognito-idp")
        url = f"{emulator}/{settings.pool_id}" if emulator else settings.issuer
        keys = tokens.KeySet(lambda: tokens.fetch_keys(f"{url}/.well-known/jwks.json"))
        verifier = tokens.TokenVerifier(keys, settings.issuer, settings.client_id)
        return Sessions(verifier, self.clients.get("dynamodb"), settings.user_table)

    @shared
    def integrity(self) -> IntegrityService:
        """What checks and repairs the stored data."""
        from chalicelib.clients import create_client
        from chalicelib.integrity.check import Capacity, IntegrityService

        settings = self.settings
        # A client of its own, as the lists' reader keeps botocore from parsing what queries return.
        client = create_client("dynamodb", settings.region)
        return IntegrityService(
            self.storage,
            self.photos,
            self.accounts,
            self.user_pool,
            Capacity(client, settings.photo_table, settings.user_table, settings.table_read_units),
            self.sizes,
        )

    @shared
    def sizes(self) -> Sizes:
        """How large the renditions of a photo may be."""
        from chalicelib.images.sizes import Sizes

        settings = self.settings
        return Sizes(settings.thumbnail_width, settings.thumbnail_height, settings.preview_size)

    def _connect_models(self) -> None:
        from chalicelib.accounts.models import User
        from chalicelib.observability import count_aws_calls
        from chalicelib.photos.models import DerivedItem, Photo, UploadKey

        count_aws_calls()
        settings = self.settings
        tables: dict[Any, str] = {
            Photo: settings.photo_table,
            UploadKey: settings.photo_table,
            DerivedItem: settings.photo_table,
            User: settings.user_table,
        }
        for model, name in tables.items():
            model.Meta.table_name = name
            model.Meta.region = settings.region
