"""The settings, read once and typed.

They are the parameters under one path of Parameter Store. A deployment copies those that are not
secret into the functions' environment, so that a cold start need not read Parameter Store. Only
what needs the secret reads it.
"""

import dataclasses
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.errors import ConfigurationError

DEFAULT_PATH = "/cloudalbum/"

_ENVIRONMENT_VARIABLE = "CLOUDALBUM_SETTINGS"
# An address or, without a local part, a domain. Quoted local parts cannot sign up, and a pattern
# such as *@example.com is rejected rather than compared literally.
_ALLOWED = re.compile(r"[A-Za-z0-9.!#$%&'+/=?^_`{|}~-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
EVERYONE = "*"
# The environment of a Lambda function holds 4 kB, and these settings share it with the others.
_MAX_ALLOWED = 2_500
_CLIENT_SECRET = "COGNITO_CLIENT_SECRET"  # noqa: S105 (the name of a parameter)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")
_LONGEST_URL = 6 * 3600  # seconds


class ParameterStore(Protocol):
    """The part of `aws_parameter_store.AwsParameterStore` that is used."""

    def get_parameters_dict(
        self, namespace: str, decrypt: bool = True, get_flat_dict: bool = False
    ) -> Mapping[str, Any]:
        """Return each parameter's value by its name, parsed as JSON if it is JSON."""
        ...


def _text(value: Any) -> str:
    # The library has parsed every value as JSON: a text such as 123456 is turned back into one.
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, float | list | dict) or not text.strip():
        raise ValueError("must be plain text")
    return text.strip()


def _text_or_dash(value: Any) -> str:
    # Parameter Store has no empty values, so "-" stands for one.
    text = _text(value)
    return "" if text == "-" else text


def _whole_number(lowest: int, highest: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)  # In the environment, every value is a string.
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return value

    return convert


# Those that return an object at once. ONEZONE_IA would lose photos with one data center.
_STORAGE_CLASSES = ("STANDARD", "INTELLIGENT_TIERING", "STANDARD_IA", "GLACIER_IR")


def _storage_class(value: Any) -> str:
    if value not in _STORAGE_CLASSES:
        raise ValueError(f"must be one of {', '.join(_STORAGE_CLASSES)}")
    return str(value)


def _is_by_email(value: Any) -> bool:
    if value not in ("auto", "email"):
        raise ValueError("must be auto or email")
    return bool(value == "email")


def sign_up_rule(value: Any) -> frozenset[str]:
    """Return the addresses and @domains in a comma-separated list, in lower case.

    EVERYONE among them allows every address; "-" and an empty list allow none. Raises ValueError.
    """
    text = "" if value == "" else _text_or_dash(value)
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not all(entry == EVERYONE or _ALLOWED.fullmatch(entry) for entry in entries):
        raise ValueError(
            "must be a comma-separated list of email addresses and @domains, * for everyone, or - "
            "for no one"
        )
    if len(text) > _MAX_ALLOWED:
        raise ValueError(f"must have at most {_MAX_ALLOWED:,} characters: allow @domains instead")
    return frozenset(entry.lower() for entry in entries)


def _parameter(name: str, convert: Callable[[Any], Any], default: Any = None) -> Any:
    """Return a field that is read from the parameter `name`; without a default it is required."""
    return dataclasses.field(metadata={"name": name, "convert": convert, "default": default})


@dataclass(frozen=True)
class Settings:
    """Every setting that is not secret, and the parameter that it is read from."""

    photo_bucket: str = _parameter("S3_PHOTO_BUCKET", _text)
    # A URL ends with the session that signed it: Lambda's last a few hours.
    presigned_url_seconds: int = _parameter("S3_PRESIGNED_EXP", _whole_number(1, _LONGEST_URL))
    pool_id: str = _parameter("COGNITO_POOL_ID", _text)
    client_id: str = _parameter("COGNITO_CLIENT_ID", _text)
    # The host of the pool's hosted pages, or "" if it has none.
    cognito_domain: str = _parameter("COGNITO_DOMAIN", _text_or_dash)
    thumbnail_width: int = _parameter("THUMBNAIL_WIDTH", _whole_number(1, 4096))
    thumbnail_height: int = _parameter("THUMBNAIL_HEIGHT", _whole_number(1, 4096))
    # The longest side of a preview; 4,032, the width of most phones' photos, decodes at half scale.
    preview_size: int = _parameter("PREVIEW_SIZE", _whole_number(1, 4096), 1920)
    region: str = _parameter("AWS_REGION", _text)
    photo_table: str = _parameter("PHOTO_TABLE", _text, "Photo")
    user_table: str = _parameter("USER_TABLE", _text, "User")
    # Where the hosted pages send users after they have signed in.
    callback_url: str = _parameter("CALLBACK_URL", _text, "http://localhost:8080/")
    # Thumbnails are in STANDARD: all of them are read often.
    originals_storage_class: str = _parameter(
        "ORIGINALS_STORAGE_CLASS", _storage_class, "INTELLIGENT_TIERING"
    )
    # The limits of one account: number of photos, and bytes of originals. 0 means no limit.
    max_photos: int = _parameter("MAX_PHOTOS", _whole_number(0, 10**9), 0)
    max_storage_bytes: int = _parameter("MAX_STORAGE_BYTES", _whole_number(0, 10**15), 0)
    # How long photos stay in the trash; 0 keeps them until their owner empties it.
    trash_days: int = _parameter("TRASH_DAYS", _whole_number(0, 36_500), 30)
    # Provisioned units per second of each table; 0 for either means on demand.
    read_units: int = _parameter("DDB_RCU", _whole_number(0, 10**9), 0)
    write_units: int = _parameter("DDB_WCU", _whole_number(0, 10**9), 0)
    # Otherwise an account can sign in as soon as it has signed up.
    confirms_by_email: bool = _parameter("SIGNUP_CONFIRMATION", _is_by_email, False)
    # Who may sign up. A stage that does not say so is closed.
    signup_allowed: frozenset[str] = _parameter("SIGNUP_ALLOWED", sign_up_rule, frozenset())

    @property
    def table_read_units(self) -> int:
        """The read units per second of each table, or 0 if the tables are on demand."""
        return self.read_units if self.write_units else 0

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens, which is also the address of its keys."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"


def parameter_path() -> str:
    """Return the path of all parameters, with a slash at each end. Raises ConfigurationError."""
    path = os.environ.get("CLOUDALBUM_PARAMETER_PATH", DEFAULT_PATH).strip("/")
    if not path:
        # The root of Parameter Store is shared with other apps, and the library cannot read it.
        raise ConfigurationError("CLOUDALBUM_PARAMETER_PATH must be a path such as /cloudalbum/.")
    return f"/{path}/"


def check_parameter(name: str, value: str) -> None:
    """Check the value of a parameter, if it is a setting. Raises ValueError."""
    for field in dataclasses.fields(Settings):
        if field.metadata["name"] == name:
            field.metadata["convert"](value)


def authorizer_ttl_seconds() -> int:
    """Return how many seconds API Gateway caches the authorizer's response.

    With 0, the default, a sign-out takes effect immediately. Raises ConfigurationError.
    """
    text = os.environ.get("AUTHORIZER_TTL_SECONDS", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= 3600):
        raise ConfigurationError("AUTHORIZER_TTL_SECONDS must be a whole number from 0 to 3600.")
    return int(text)


def cors_allow_origin() -> str:
    """Return the web origin that may call the API, or `*` for all. Raises ConfigurationError."""
    origin = os.environ.get("CORS_ALLOW_ORIGIN", "*")
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise ConfigurationError(
            "CORS_ALLOW_ORIGIN must be * or an origin such as https://album.example.com."
        )
    return origin


def settings_from_environment() -> Settings | None:
    """Return the settings that a deployment has put into the environment, or None.

    Raises ConfigurationError.
    """
    text = os.environ.get(_ENVIRONMENT_VARIABLE)
    if text is None:
        return None
    try:
        parameters = json.loads(text)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise ConfigurationError(
            f"{_ENVIRONMENT_VARIABLE} is not a JSON object. Run `make deploy`, or unset it."
        )
    return read_settings(parameters, parameter_path())


def to_environment(parameters: Mapping[str, str], path: str) -> dict[str, str]:
    """Return the environment that carries the parameters that are not secret to the functions.

    Raises ConfigurationError, as the functions would.
    """
    names = [field.metadata["name"] for field in dataclasses.fields(Settings)]
    values = {name: parameters[name] for name in names if name in parameters}
    read_settings(values, path)
    return {_ENVIRONMENT_VARIABLE: json.dumps(values, separators=(",", ":"))}


def load_settings(store: ParameterStore, path: str) -> Settings:
    """Read all parameters under `path`. Raises ConfigurationError."""
    return read_settings(store.get_parameters_dict(path, get_flat_dict=True), path)


def load_client_secret(ssm: Any, path: str) -> str:
    """Read the secret of the app client, which no environment has. Raises ConfigurationError."""
    try:
        found = ssm.get_parameter(Name=path + _CLIENT_SECRET, WithDecryption=True)
    except ssm.exceptions.ParameterNotFound:
        raise _configuration_error({_CLIENT_SECRET: "is missing"}, path) from None
    secret: str = found["Parameter"]["Value"].strip()
    return secret


def read_settings(parameters: Mapping[str, Any], path: str) -> Settings:
    """Return the settings in `parameters`, by their names; others are ignored.

    Raises ConfigurationError with every parameter that is missing or malformed, and the command
    that sets it.
    """
    values, problems = {}, {}
    for field in dataclasses.fields(Settings):
        name, default = field.metadata["name"], field.metadata["default"]
        try:
            if name in parameters:
                values[field.name] = field.metadata["convert"](parameters[name])
            elif default is None:
                problems[name] = "is missing"
            else:
                values[field.name] = default
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise _configuration_error(problems, path)
    return Settings(**values)


def _configuration_error(problems: Mapping[str, str], path: str) -> ConfigurationError:
    listed = "; ".join(f"{path}{name} {problem}" for name, problem in problems.items())
    return ConfigurationError(
        f"{listed}. Set it with `aws ssm put-parameter --type SecureString --overwrite --name "
        f"{path}{next(iter(problems))} --value VALUE`, then run `make deploy` (locally, "
        "`make run` sets it)."
    )
