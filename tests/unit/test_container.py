"""The container creates each service once, whatever its threads do, and reads settings again."""

import json
import threading
import time
from typing import Any

import pytest
from botocore.stub import Stubber

from chalicelib import settings
from chalicelib.container import Container
from chalicelib.errors import ConfigurationError, NotSignedIn
from chalicelib.settings import Settings
from tests.support.people import at_once
from tests.support.tokens import POOL, Signer, claims

VALUES = {
    "S3_PHOTO_BUCKET": "album",
    "S3_PRESIGNED_EXP": "3600",
    "COGNITO_POOL_ID": "eu-west-1_Pool",
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_DOMAIN": "-",
    "THUMBNAIL_WIDTH": "300",
    "THUMBNAIL_HEIGHT": "200",
    "AWS_REGION": "eu-west-1",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    deploy(monkeypatch)


def deploy(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Put settings into the environment, as a deployment does."""
    monkeypatch.setenv("CLOUDALBUM_SETTINGS", json.dumps(VALUES | values))


def test_threads_share_one_instance_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    read = settings.settings_from_environment
    reads: list[int] = []

    def read_slowly() -> Settings | None:
        reads.append(1)
        time.sleep(0.05)
        return read()

    monkeypatch.setattr(settings, "settings_from_environment", read_slowly)
    container = Container()
    found = at_once(*[lambda: container.storage] * 8)
    assert len({id(storage) for storage in found}) == 1
    assert len(reads) == 1


def test_threads_create_different_services_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # They use one botocore session, which is not thread-safe.
    running, overlaps = threading.Lock(), []

    def find_endpoint(service: str) -> None:
        if not running.acquire(blocking=False):
            overlaps.append(service)
            return
        time.sleep(0.05)
        running.release()

    monkeypatch.setattr("chalicelib.clients.endpoint_url", find_endpoint)
    container = Container()
    _ = container.settings
    at_once(lambda: container.storage, lambda: container.sessions)
    assert overlaps == []


def test_two_containers_share_no_service() -> None:
    assert Container().storage is not Container().storage


def test_settings_are_read_again_after_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = Container()
    deploy(monkeypatch, THUMBNAIL_WIDTH="wide")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="THUMBNAIL_WIDTH"):
            _ = container.storage
    deploy(monkeypatch)
    assert container.storage is container.storage
    assert container.settings.thumbnail_width == 300


def test_parameter_store_is_read_again_after_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored: dict[str, Any] = dict(VALUES)

    class Store:
        def get_parameters_dict(self, path: str, **_: Any) -> dict[str, Any]:
            return stored

    monkeypatch.delenv("CLOUDALBUM_SETTINGS")
    monkeypatch.setattr("chalicelib.clients.parameter_store", lambda region: Store())
    container = Container()
    del stored["COGNITO_POOL_ID"]
    with pytest.raises(ConfigurationError, match="COGNITO_POOL_ID is missing"):
        _ = container.settings
    stored["COGNITO_POOL_ID"] = "eu-west-1_Pool"
    assert container.settings is container.settings
    assert container.settings.pool_id == "eu-west-1_Pool"


def test_client_secret_is_read_once_and_only_by_what_needs_it() -> None:
    container = Container()
    with Stubber(container.clients.get("cognito-idp")) as cognito:
        cognito.add_client_error("admin_get_user", "UserNotFoundException")
        # What the daily check asks of the pool. The client of Parameter Store is not even created.
        assert container.user_pool.find("sub-1") is None
        assert not container.clients.is_created("ssm")
        ssm = Stubber(container.clients.get("ssm"))
        request = {"Name": "/cloudalbum/COGNITO_CLIENT_SECRET", "WithDecryption": True}
        ssm.add_response("get_parameter", {"Parameter": {"Value": "secret"}}, request)
        with ssm:
            for _ in range(2):
                cognito.add_response("forgot_password", {})
                container.user_pool.forgot_password("mario@example.com")
        ssm.assert_no_pending_responses()
        cognito.assert_no_pending_responses()


def test_signed_url_needs_no_client() -> None:
    container = Container()
    assert "X-Amz-Signature" in container.storage.url("photos/sub-1/id-1.jpg")
    assert not container.clients.is_created("s3")


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (None, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"),
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566/eu-west-1_Pool"),
    ],
    ids=["AWS", "emulator"],
)
def test_sessions_fetch_keys_where_the_pool_is(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, url: str
) -> None:
    fetched: list[str] = []

    def fetch(address: str) -> list[Any]:
        fetched.append(address)
        return [POOL.web_key]

    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setattr("chalicelib.accounts.tokens.fetch_keys", fetch)
    with pytest.raises(NotSignedIn):
        Container().sessions.authenticate(Signer(POOL.kid).sign(claims()))
    assert set(fetched) == {f"{url}/.well-known/jwks.json"}
