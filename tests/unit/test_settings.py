"""Settings from Parameter Store, or from the environment."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.errors import ConfigurationError
from chalicelib.settings import (
    NOT_SECRET,
    authorizer_ttl_seconds,
    cors_allow_origin,
    load_settings,
    parameter_path,
    settings_from_environment,
    to_environment,
)

VALUES: dict[str, Any] = {
    "S3_PHOTO_BUCKET": "pictures",
    "S3_PRESIGNED_EXP": 3600,
    "COGNITO_POOL_ID": "eu-west-1_Pool",
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_CLIENT_SECRET": "secret",
    "COGNITO_DOMAIN": "album.auth.eu-west-1.amazoncognito.com",
    "THUMBNAIL_WIDTH": 300,
    "THUMBNAIL_HEIGHT": 200,
    "AWS_REGION": "eu-west-1",
    "DDB_RCU": 10,
    "DDB_WCU": 10,
}


class FakeStore:
    """Answers like aws_parameter_store, which has parsed each value as JSON where it could."""

    def __init__(self, **values: Any) -> None:
        self.values = VALUES | values

    def get_parameters_dict(
        self, namespace: str, decrypt: bool = True, get_flat_dict: bool = False
    ) -> Mapping[str, Any]:
        assert namespace == "/cloudalbum/"
        assert decrypt
        assert get_flat_dict
        return {name: value for name, value in self.values.items() if value is not None}


def test_all_parameters_become_typed_settings() -> None:
    settings = load_settings(FakeStore(), "/cloudalbum/")
    assert settings.photo_bucket == "pictures"
    assert settings.presigned_url_seconds == 3600
    assert (settings.thumbnail_width, settings.thumbnail_height) == (300, 200)
    assert settings.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"


@pytest.mark.parametrize("parsed", [123456, True])
def test_a_text_that_looks_like_json_comes_back_as_it_was_written(parsed: Any) -> None:
    settings = load_settings(FakeStore(COGNITO_CLIENT_SECRET=parsed), "/cloudalbum/")
    assert settings.client_secret == str(parsed).lower()


def test_a_dash_stands_for_a_pool_without_a_domain() -> None:
    assert load_settings(FakeStore(COGNITO_DOMAIN="-"), "/cloudalbum/").cognito_domain == ""


@pytest.mark.parametrize("name", VALUES)
def test_a_missing_parameter_is_named_with_the_command_that_sets_it(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(FakeStore(**{name: None}), "/cloudalbum/")
    assert f"/cloudalbum/{name} is missing" in str(error.value)
    assert (
        f"aws ssm put-parameter --type SecureString --overwrite --name /cloudalbum/{name}"
        in str(error.value)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("S3_PRESIGNED_EXP", "an hour"),
        ("S3_PRESIGNED_EXP", 0),
        ("S3_PRESIGNED_EXP", 7 * 24 * 3600 + 1),
        ("THUMBNAIL_WIDTH", 300.5),
        ("THUMBNAIL_HEIGHT", True),
        ("DDB_RCU", -1),
        ("S3_PHOTO_BUCKET", " "),
        ("COGNITO_CLIENT_ID", ["a", "list"]),
    ],
)
def test_a_malformed_parameter_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"/cloudalbum/{name} is not"):
        load_settings(FakeStore(**{name: value}), "/cloudalbum/")


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"AWS_REGION is missing.*DDB_RCU is not|DDB_RCU"):
        load_settings(FakeStore(AWS_REGION=None, DDB_RCU="many"), "/cloudalbum/")


@pytest.mark.parametrize("written", ["/album-prod/", "/album-prod", "album-prod"])
def test_the_path_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("CLOUDALBUM_PARAMETER_PATH", written)
    assert parameter_path() == "/album-prod/"


def test_the_root_of_the_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDALBUM_PARAMETER_PATH", "/")
    with pytest.raises(ConfigurationError, match="CLOUDALBUM_PARAMETER_PATH"):
        parameter_path()


def test_the_authorizers_answer_is_not_remembered_unless_somebody_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AUTHORIZER_TTL_SECONDS", raising=False)
    assert authorizer_ttl_seconds() == 0
    monkeypatch.setenv("AUTHORIZER_TTL_SECONDS", "3600")
    assert authorizer_ttl_seconds() == 3600


@pytest.mark.parametrize("text", ["3601", "-1", "", "an hour", "0.5", "²"])
def test_another_authorizer_ttl_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AUTHORIZER_TTL_SECONDS", text)
    with pytest.raises(ConfigurationError, match="AUTHORIZER_TTL_SECONDS"):
        authorizer_ttl_seconds()


@pytest.mark.parametrize("origin", ["*", "https://album.example.com", "http://localhost:8080"])
def test_the_api_may_be_narrowed_to_one_web_origin(
    monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", origin)
    assert cors_allow_origin() == origin


@pytest.mark.parametrize("origin", ["", "example.com", "https://a.com/", "https://a.com, *", "'"])
def test_what_is_no_web_origin_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", origin)
    with pytest.raises(ConfigurationError, match="CORS_ALLOW_ORIGIN"):
        cors_allow_origin()


def test_tables_have_their_plain_names_unless_parameters_say_otherwise() -> None:
    assert load_settings(FakeStore(), "/cloudalbum/").photo_table == "Photo"
    store = FakeStore(PHOTO_TABLE="Photo-prod", USER_TABLE="User-prod")
    settings = load_settings(store, "/cloudalbum/")
    assert (settings.photo_table, settings.user_table) == ("Photo-prod", "User-prod")


STORED = {name: str(value) for name, value in VALUES.items()}


def told(monkeypatch: pytest.MonkeyPatch, **values: str | None) -> None:
    """Put settings into the environment, as a deployment does."""
    given = {name: value for name, value in (STORED | values).items() if value is not None}
    for name, value in to_environment(given, "/cloudalbum/").items():
        monkeypatch.setenv(name, value)


def test_what_a_deployment_tells_is_what_parameter_store_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    optional = {"PHOTO_TABLE": "Photo-x", "USER_TABLE": "User-x", "CALLBACK_URL": "https://a.b/"}
    optional |= {"MAX_PHOTOS": "7", "MAX_STORAGE_BYTES": "9"}
    told(monkeypatch, **optional, SIGNUP_CONFIRMATION="email")
    settings = settings_from_environment()
    stored = load_settings(FakeStore(**optional, SIGNUP_CONFIRMATION="email"), "/cloudalbum/")
    assert settings is not None
    assert vars(stored) == vars(settings) | {"client_secret": "secret"}
    assert not hasattr(settings, "client_secret")


def test_a_deployment_tells_every_setting_but_no_secret_and_nothing_unknown() -> None:
    given = STORED | {"SOMETHING_ELSE": "private"}
    [text] = to_environment(given, "/cloudalbum/").values()
    assert json.loads(text).keys() == STORED.keys() - {"COGNITO_CLIENT_SECRET"}
    assert set(STORED) - {"COGNITO_CLIENT_SECRET"} <= set(NOT_SECRET)


def test_without_a_deployment_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDALBUM_SETTINGS", raising=False)
    assert settings_from_environment() is None


def test_a_deployment_that_lacks_a_parameter_says_which() -> None:
    with pytest.raises(ConfigurationError, match="/x/THUMBNAIL_WIDTH is missing"):
        to_environment({name: STORED[name] for name in STORED if name != "THUMBNAIL_WIDTH"}, "/x/")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}"])
def test_an_environment_that_tells_nonsense_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CLOUDALBUM_SETTINGS", text)
    with pytest.raises(ConfigurationError, match="CLOUDALBUM_SETTINGS|is missing"):
        settings_from_environment()


def test_an_account_may_store_any_amount_unless_parameters_say_otherwise() -> None:
    settings = load_settings(FakeStore(), "/cloudalbum/")
    assert (settings.max_photos, settings.max_storage_bytes) == (0, 0)
    store = FakeStore(MAX_PHOTOS=1_000, MAX_STORAGE_BYTES=10**12)
    settings = load_settings(store, "/cloudalbum/")
    assert (settings.max_photos, settings.max_storage_bytes) == (1_000, 10**12)
    with pytest.raises(ConfigurationError, match="MAX_PHOTOS is not a whole number"):
        load_settings(FakeStore(MAX_PHOTOS=-1), "/cloudalbum/")
