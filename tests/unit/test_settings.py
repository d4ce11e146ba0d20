"""Settings from Parameter Store, or from the environment."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.errors import ConfigurationError
from chalicelib.settings import (
    EVERYONE,
    authorizer_ttl_seconds,
    cors_allow_origin,
    load_client_secret,
    load_settings,
    parameter_path,
    settings_from_environment,
    sign_up_rule,
    to_environment,
)
from tests.support.stubs import stubbed

VALUES: dict[str, Any] = {
    "S3_PHOTO_BUCKET": "pictures",
    "S3_PRESIGNED_EXP": 3600,
    "COGNITO_POOL_ID": "eu-west-1_Pool",
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_DOMAIN": "album.auth.eu-west-1.amazoncognito.com",
    "THUMBNAIL_WIDTH": 300,
    "THUMBNAIL_HEIGHT": 200,
    "AWS_REGION": "eu-west-1",
}


class FakeStore:
    """Returns what aws_parameter_store does, which parses each value as JSON if it can."""

    def __init__(self, **values: Any) -> None:
        self.values = VALUES | values

    def get_parameters_dict(
        self, namespace: str, decrypt: bool = True, get_flat_dict: bool = False
    ) -> Mapping[str, Any]:
        assert namespace == "/cloudalbum/"
        assert decrypt
        assert get_flat_dict
        return {name: value for name, value in self.values.items() if value is not None}


def test_parameters_become_typed_settings() -> None:
    settings = load_settings(FakeStore(), "/cloudalbum/")
    assert settings.photo_bucket == "pictures"
    assert settings.presigned_url_seconds == 3600
    assert (settings.thumbnail_width, settings.thumbnail_height) == (300, 200)
    assert settings.preview_size == 1920
    assert settings.originals_storage_class == "INTELLIGENT_TIERING"
    assert settings.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"


@pytest.mark.parametrize("parsed", [123456, True])
def test_text_that_looks_like_json_is_kept_as_it_was_written(parsed: Any) -> None:
    settings = load_settings(FakeStore(COGNITO_CLIENT_ID=parsed), "/cloudalbum/")
    assert settings.client_id == str(parsed).lower()


def test_dash_means_that_the_pool_has_no_domain() -> None:
    assert load_settings(FakeStore(COGNITO_DOMAIN="-"), "/cloudalbum/").cognito_domain == ""


@pytest.mark.parametrize("name", VALUES)
def test_missing_parameter_is_reported_with_the_command_that_sets_it(name: str) -> None:
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
        ("S3_PRESIGNED_EXP", 6 * 3600 + 1),
        ("THUMBNAIL_WIDTH", 300.5),
        ("THUMBNAIL_HEIGHT", True),
        ("MAX_PHOTOS", -1),
        ("MAX_STORAGE_BYTES", 10**15 + 1),
        ("ORIGINALS_STORAGE_CLASS", "GLACIER"),
        ("ORIGINALS_STORAGE_CLASS", "ONEZONE_IA"),
        ("SIGNUP_CONFIRMATION", "sms"),
        ("SIGNUP_ALLOWED", "mario"),
        ("SIGNUP_ALLOWED", "example.com"),
        ("SIGNUP_ALLOWED", "@example"),
        ("SIGNUP_ALLOWED", "@example.com."),
        ("SIGNUP_ALLOWED", "*@example.com"),
        ("SIGNUP_ALLOWED", "a@example.com b@example.com"),
        ("SIGNUP_ALLOWED", '"a"@example.com'),
        ("SIGNUP_ALLOWED", "@ex\u00e4mple.com"),
        ("SIGNUP_ALLOWED", ["@example.com"]),
        ("S3_PHOTO_BUCKET", " "),
        ("COGNITO_CLIENT_ID", ["a", "list"]),
    ],
)
def test_malformed_parameter_is_reported(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"/cloudalbum/{name} must be"):
        load_settings(FakeStore(**{name: value}), "/cloudalbum/")


def test_lifetime_of_a_signed_url_is_at_most_six_hours() -> None:
    store = FakeStore(S3_PRESIGNED_EXP=21_600)
    assert load_settings(store, "/cloudalbum/").presigned_url_seconds == 21_600
    with pytest.raises(ConfigurationError, match="S3_PRESIGNED_EXP must be .* from 1 to 21600"):
        to_environment(STORED | {"S3_PRESIGNED_EXP": "21601"}, "/cloudalbum/")


def test_all_problems_are_reported_at_once() -> None:
    store = FakeStore(AWS_REGION=None, MAX_PHOTOS="many")
    with pytest.raises(ConfigurationError, match="AWS_REGION is missing.*MAX_PHOTOS must be"):
        load_settings(store, "/cloudalbum/")


def test_other_parameters_are_ignored() -> None:
    # Parameter Store also has parameters that only the deployment reads.
    store = FakeStore(PACKAGE_BUCKET="any", AUTHORIZER_TTL_SECONDS=-1, COGNITO_DOMAIN="-")
    assert load_settings(store, "/cloudalbum/") == load_settings(
        FakeStore(COGNITO_DOMAIN="-"), "/cloudalbum/"
    )


@pytest.mark.parametrize(
    ("read", "write", "units"), [(10, 5, 10), (10, 0, 0), (0, 5, 0), (None, None, 0)]
)
def test_tables_are_on_demand_unless_both_read_and_write_units_are_set(
    read: int | None, write: int | None, units: int
) -> None:
    settings = load_settings(FakeStore(DDB_RCU=read, DDB_WCU=write), "/cloudalbum/")
    assert settings.table_read_units == units


@pytest.mark.parametrize("written", ["/album-prod/", "/album-prod", "album-prod"])
def test_path_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("CLOUDALBUM_PARAMETER_PATH", written)
    assert parameter_path() == "/album-prod/"


def test_root_of_parameter_store_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDALBUM_PARAMETER_PATH", "/")
    with pytest.raises(ConfigurationError, match="CLOUDALBUM_PARAMETER_PATH"):
        parameter_path()


def test_authorizer_is_not_cached_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AUTHORIZER_TTL_SECONDS", raising=False)
    assert authorizer_ttl_seconds() == 0
    monkeypatch.setenv("AUTHORIZER_TTL_SECONDS", "3600")
    assert authorizer_ttl_seconds() == 3600


@pytest.mark.parametrize("text", ["3601", "-1", "", "an hour", "0.5", "²"])
def test_invalid_authorizer_ttl_is_rejected(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AUTHORIZER_TTL_SECONDS", text)
    with pytest.raises(ConfigurationError, match="AUTHORIZER_TTL_SECONDS"):
        authorizer_ttl_seconds()


@pytest.mark.parametrize("origin", ["*", "https://album.example.com", "http://localhost:8080"])
def test_cors_can_allow_every_origin_or_one(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", origin)
    assert cors_allow_origin() == origin


@pytest.mark.parametrize("origin", ["", "example.com", "https://a.com/", "https://a.com, *", "'"])
def test_invalid_cors_origin_is_rejected(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", origin)
    with pytest.raises(ConfigurationError, match="CORS_ALLOW_ORIGIN"):
        cors_allow_origin()


def test_table_names_have_defaults() -> None:
    assert load_settings(FakeStore(), "/cloudalbum/").photo_table == "Photo"
    store = FakeStore(PHOTO_TABLE="Photo-prod", USER_TABLE="User-prod")
    settings = load_settings(store, "/cloudalbum/")
    assert (settings.photo_table, settings.user_table) == ("Photo-prod", "User-prod")


STORED = {name: str(value) for name, value in VALUES.items()}


def deploy(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Put settings into the environment, as a deployment does."""
    for name, value in to_environment(STORED | values, "/cloudalbum/").items():
        monkeypatch.setenv(name, value)


def test_settings_in_the_environment_equal_those_in_parameter_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    optional = {"PHOTO_TABLE": "Photo-x", "USER_TABLE": "User-x", "CALLBACK_URL": "https://a.b/"}
    optional |= {"MAX_PHOTOS": "7", "MAX_STORAGE_BYTES": "9"}
    optional |= {"ORIGINALS_STORAGE_CLASS": "STANDARD"}
    deploy(monkeypatch, **optional, SIGNUP_CONFIRMATION="email")
    settings = settings_from_environment()
    stored = load_settings(FakeStore(**optional, SIGNUP_CONFIRMATION="email"), "/cloudalbum/")
    assert settings is not None
    assert stored == settings
    assert settings.confirms_by_email
    assert settings.max_photos == 7


def test_environment_has_every_setting_but_no_secret_and_no_other_parameter() -> None:
    given = STORED | {"COGNITO_CLIENT_SECRET": "secret", "SOMETHING_ELSE": "private"}
    [text] = to_environment(given, "/cloudalbum/").values()
    assert json.loads(text).keys() == STORED.keys()


def test_client_secret_is_read_alone() -> None:
    name = "/cloudalbum/COGNITO_CLIENT_SECRET"
    with stubbed("ssm") as stubber:
        request = {"Name": name, "WithDecryption": True}
        stubber.add_response("get_parameter", {"Parameter": {"Value": "123456"}}, request)
        assert load_client_secret(stubber.client, "/cloudalbum/") == "123456"
        stubber.add_client_error("get_parameter", "ParameterNotFound")
        with pytest.raises(ConfigurationError, match=f"{name} is missing. Set it with"):
            load_client_secret(stubber.client, "/cloudalbum/")


def test_without_a_deployment_the_environment_has_no_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CLOUDALBUM_SETTINGS", raising=False)
    assert settings_from_environment() is None


def test_deployment_reports_a_missing_parameter() -> None:
    with pytest.raises(ConfigurationError, match="/x/THUMBNAIL_WIDTH is missing"):
        to_environment({name: STORED[name] for name in STORED if name != "THUMBNAIL_WIDTH"}, "/x/")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}"])
def test_invalid_environment_is_rejected(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CLOUDALBUM_SETTINGS", text)
    with pytest.raises(ConfigurationError, match="CLOUDALBUM_SETTINGS|is missing"):
        settings_from_environment()


def test_accounts_have_no_limits_by_default() -> None:
    settings = load_settings(FakeStore(), "/cloudalbum/")
    assert (settings.max_photos, settings.max_storage_bytes) == (0, 0)
    store = FakeStore(MAX_PHOTOS=1_000, MAX_STORAGE_BYTES=10**12)
    settings = load_settings(store, "/cloudalbum/")
    assert (settings.max_photos, settings.max_storage_bytes) == (1_000, 10**12)


@pytest.mark.parametrize("value", [None, "-", "", " - ", ",", " , "])
def test_nobody_may_sign_up_without_a_list(value: str | None) -> None:
    settings = load_settings(FakeStore(SIGNUP_ALLOWED=value), "/cloudalbum/")
    assert settings.signup_allowed == frozenset()


def test_list_of_who_may_sign_up_ignores_case_and_spaces() -> None:
    written = " Mario@Example.com ,@ALBUM.example.com,, +o'b@x.y, "
    settings = load_settings(FakeStore(SIGNUP_ALLOWED=written), "/cloudalbum/")
    assert settings.signup_allowed == {"mario@example.com", "@album.example.com", "+o'b@x.y"}


def test_list_of_who_may_sign_up_fits_the_environment_of_a_function() -> None:
    longest = "@" + "a" * 2_495 + ".com"
    assert len(sign_up_rule(longest)) == 1
    with pytest.raises(ValueError, match="2,500 characters"):
        sign_up_rule(longest + "a")


def test_deployment_copies_who_may_sign_up(monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(monkeypatch, SIGNUP_ALLOWED="*")
    settings = settings_from_environment()
    assert settings is not None
    assert settings.signup_allowed == {EVERYONE}
    deploy(monkeypatch, SIGNUP_ALLOWED="-")
    settings = settings_from_environment()
    assert settings is not None
    assert settings.signup_allowed == frozenset()
