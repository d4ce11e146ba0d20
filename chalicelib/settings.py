"""The settings, read once and typed.

They are the parameters under one path of Parameter Store. What is no secret, a deployment may copy
into the functions' environment, so that a cold start need not ask for it.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.errors import ConfigurationError

DEFAULT_PATH = "/cloudalbum/"
# All parameters but COGNITO_CLIENT_SECRET, which stays in Parameter Store.
NOT_SECRET = (
    "S3_PHOTO_BUCKET",
    "S3_PRESIGNED_EXP",
    "COGNITO_POOL_ID",
    "COGNITO_CLIENT_ID",
    "COGNITO_DOMAIN",
    "THUMBNAIL_WIDTH",
    "THUMBNAIL_HEIGHT",
    "AWS_REGION",
    "DDB_RCU",
    "DDB_WCU",
    "PHOTO_TABLE",
    "USER_TABLE",
    "CALLBACK_URL",
    "MAX_PHOTOS",
    "MAX_STORAGE_BYTES",
    "SIGNUP_CONFIRMATION",
)
_ENVIRONMENT_VARIABLE = "CLOUDALBUM_SETTINGS"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")


class ParameterStore(Protocol):
    """What is asked of `aws_parameter_store.AwsParameterStore`."""

    def get_parameters_dict(
        self, namespace: str, decrypt: bool = True, get_flat_dict: bool = False
    ) -> Mapping[str, Any]:
        """Return each parameter's value, parsed as JSON where it can be, by its name."""
        ...


@dataclass(frozen=True)
class Settings:
    """Everything the app is told about its surroundings, except what is secret."""

    photo_bucket: str
    presigned_url_seconds: int
    pool_id: str
    client_id: str
    cognito_domain: str  # host of the pool's hosted pages, or "" where there are none
    thumbnail_width: int
    thumbnail_height: int
    region: str
    read_capacity_units: int  # 0 means on demand
    write_capacity_units: int  # 0 means on demand
    photo_table: str
    user_table: str
    callback_url: str  # where the hosted pages send a person who has signed in
    max_photos: int  # of one account; 0 means no limit
    max_storage_bytes: int  # of one account's originals; 0 means no limit
    confirms_by_email: bool  # else an account can sign in as soon as it has signed up

    @property
    def thumbnail_box(self) -> tuple[int, int]:
        """The width and height, in pixels, that a thumbnail fits."""
        return self.thumbnail_width, self.thumbnail_height

    @property
    def issuer(self) -> str:
        """The `iss` of every token of the pool, which is also where its keys are."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"


@dataclass(frozen=True)
class StoredSettings(Settings):
    """All that Parameter Store knows."""

    client_secret: str


def parameter_path() -> str:
    """Return the path all parameters live under, with a slash at each end."""
    path = os.environ.get("CLOUDALBUM_PARAMETER_PATH", DEFAULT_PATH).strip("/")
    if not path:
        # The root of Parameter Store holds everybody's parameters, and the library cannot read it.
        raise ConfigurationError("CLOUDALBUM_PARAMETER_PATH must name a path such as /cloudalbum/.")
    return f"/{path}/"


def authorizer_ttl_seconds() -> int:
    """Return how long API Gateway may remember the authorizer's answer, in seconds.

    0, the default, makes a sign-out count at once. Raises ConfigurationError.
    """
    text = os.environ.get("AUTHORIZER_TTL_SECONDS", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= 3600):
        raise ConfigurationError("AUTHORIZER_TTL_SECONDS must be a whole number from 0 to 3600.")
    return int(text)


def cors_allow_origin() -> str:
    """Return the web origin that may call the API, or `*` for all. Raises ConfigurationError."""
    origin = os.environ.get("CORS_ALLOW_ORIGIN", "*")
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise ConfigurationError("CORS_ALLOW_ORIGIN must be * or such as https://album.example.com")
    return origin


def settings_from_environment() -> Settings | None:
    """Return the settings that a deployment has put into the environment, or None.

    Raises ConfigurationError.
    """
    told = os.environ.get(_ENVIRONMENT_VARIABLE)
    if told is None:
        return None
    try:
        parameters = json.loads(told)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise ConfigurationError(
            f"{_ENVIRONMENT_VARIABLE} is no JSON object: deploy again, or remove it."
        )
    reader = _Reader(parameters, parameter_path())
    settings = Settings(**_fields(reader))
    reader.finish()
    return settings


def to_environment(parameters: Mapping[str, str], path: str) -> dict[str, str]:
    """Return the environment that tells functions what is no secret of all parameters.

    Raises ConfigurationError, as the functions would.
    """
    told = {name: parameters[name] for name in NOT_SECRET if name in parameters}
    reader = _Reader(told, path)
    _fields(reader)
    reader.finish()
    return {_ENVIRONMENT_VARIABLE: json.dumps(told, separators=(",", ":"))}


def load_settings(store: ParameterStore, path: str) -> StoredSettings:
    """Read all parameters under `path`.

    Raises ConfigurationError, naming every parameter that is missing or malformed, and the command
    that sets it.
    """
    reader = _Reader(store.get_parameters_dict(path, get_flat_dict=True), path)
    secret = reader.read("COGNITO_CLIENT_SECRET", _text)
    settings = StoredSettings(client_secret=secret, **_fields(reader))
    reader.finish()
    return settings


class _Reader:
    """Reads parameters one by one, and gathers what is wrong with them."""

    def __init__(self, parameters: Mapping[str, Any], path: str) -> None:
        self._parameters = parameters
        self._path = path
        self._problems: list[str] = []

    def read(self, name: str, convert: Callable[[Any], Any], default: Any = None) -> Any:
        """Return one parameter, or None when it is missing or malformed."""
        if name not in self._parameters:
            if default is None:
                self._problems.append(f"{self._path}{name} is missing")
            return default
        try:
            return convert(self._parameters[name])
        except ValueError as error:
            self._problems.append(f"{self._path}{name} {error}")
            return None

    def finish(self) -> None:
        """Raise ConfigurationError if anything was wrong."""
        if self._problems:
            example = self._problems[0].split(" ", 1)[0]
            raise ConfigurationError(
                "; ".join(self._problems) + ". Set it with: aws ssm put-parameter --type "
                f"SecureString --overwrite --name {example} --value VALUE, and then make deploy "
                "(on your own machine, `make run` does)"
            )


def _fields(reader: _Reader) -> dict[str, Any]:
    """Return the fields of `Settings`."""
    read = reader.read
    return {
        "photo_bucket": read("S3_PHOTO_BUCKET", _text),
        # S3 refuses presigned URLs that live longer than a week.
        "presigned_url_seconds": read("S3_PRESIGNED_EXP", _whole_number(1, 7 * 24 * 3600)),
        "pool_id": read("COGNITO_POOL_ID", _text),
        "client_id": read("COGNITO_CLIENT_ID", _text),
        "cognito_domain": read("COGNITO_DOMAIN", _text_or_none),
        "thumbnail_width": read("THUMBNAIL_WIDTH", _whole_number(1, 4096)),
        "thumbnail_height": read("THUMBNAIL_HEIGHT", _whole_number(1, 4096)),
        "region": read("AWS_REGION", _text),
        "read_capacity_units": read("DDB_RCU", _whole_number(0, 40_000)),
        "write_capacity_units": read("DDB_WCU", _whole_number(0, 40_000)),
        "photo_table": read("PHOTO_TABLE", _text, "Photo"),
        "user_table": read("USER_TABLE", _text, "User"),
        "callback_url": read("CALLBACK_URL", _text, "http://localhost:8080/"),
        "max_photos": read("MAX_PHOTOS", _whole_number(0, 10**9), 0),
        "max_storage_bytes": read("MAX_STORAGE_BYTES", _whole_number(0, 10**15), 0),
        "confirms_by_email": read("SIGNUP_CONFIRMATION", _one_of("auto", "email"), "auto")
        == "email",
    }


def _text(value: Any) -> str:
    # The library has run every value through json.loads: what came out of it goes back as it was.
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, float | list | dict) or not text.strip():
        raise ValueError("is not a plain text")
    return text.strip()


def _text_or_none(value: Any) -> str:
    # Parameter Store has no empty values, so "-" stands for one.
    text = _text(value)
    return "" if text == "-" else text


def _one_of(*choices: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return str(value)

    return convert


def _whole_number(lowest: int, highest: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)  # as the environment tells it
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError(f"is not a whole number from {lowest} to {highest}")
        return value

    return convert
