"""The settings under one path of Parameter Store, read once and typed."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.errors import ConfigurationError

DEFAULT_PATH = "/cloudalbum/"
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
    """Everything the app is told about its surroundings."""

    photo_bucket: str
    presigned_url_seconds: int
    pool_id: str
    client_id: str
    client_secret: str
    cognito_domain: str  # host of the pool's hosted pages, or "" where there are none
    thumbnail_width: int
    thumbnail_height: int
    region: str
    read_capacity_units: int  # 0 means on demand
    write_capacity_units: int  # 0 means on demand
    photo_table: str
    user_table: str
    callback_url: str  # where the hosted pages send a person who has signed in
    confirms_by_email: bool  # else an account can sign in as soon as it has signed up

    @property
    def thumbnail_box(self) -> tuple[int, int]:
        """The width and height, in pixels, that a thumbnail fits."""
        return self.thumbnail_width, self.thumbnail_height

    @property
    def issuer(self) -> str:
        """The `iss` of every token of the pool."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"


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


def load_settings(store: ParameterStore, path: str) -> Settings:
    """Read all parameters under `path` into `Settings`.

    Raises ConfigurationError, naming every parameter that is missing or malformed, and the command
    that sets it.
    """
    parameters = store.get_parameters_dict(path, get_flat_dict=True)
    problems: list[str] = []

    def read(name: str, convert: Callable[[Any], Any], default: Any = None) -> Any:
        if name not in parameters:
            if default is not None:
                return default
            problems.append(f"{path}{name} is missing")
            return None
        try:
            return convert(parameters[name])
        except ValueError as error:
            problems.append(f"{path}{name} {error}")

    settings = Settings(
        photo_bucket=read("S3_PHOTO_BUCKET", _text),
        # S3 refuses presigned URLs that live longer than a week.
        presigned_url_seconds=read("S3_PRESIGNED_EXP", _whole_number(1, 7 * 24 * 3600)),
        pool_id=read("COGNITO_POOL_ID", _text),
        client_id=read("COGNITO_CLIENT_ID", _text),
        client_secret=read("COGNITO_CLIENT_SECRET", _text),
        cognito_domain=read("COGNITO_DOMAIN", _text_or_none),
        thumbnail_width=read("THUMBNAIL_WIDTH", _whole_number(1, 4096)),
        thumbnail_height=read("THUMBNAIL_HEIGHT", _whole_number(1, 4096)),
        region=read("AWS_REGION", _text),
        read_capacity_units=read("DDB_RCU", _whole_number(0, 40_000)),
        write_capacity_units=read("DDB_WCU", _whole_number(0, 40_000)),
        photo_table=read("PHOTO_TABLE", _text, "Photo"),
        user_table=read("USER_TABLE", _text, "User"),
        callback_url=read("CALLBACK_URL", _text, "http://localhost:8080/"),
        confirms_by_email=read("SIGNUP_CONFIRMATION", _one_of("auto", "email"), "auto") == "email",
    )
    if problems:
        example = problems[0].split(" ", 1)[0]
        raise ConfigurationError(
            "; ".join(problems) + ". Set it with: aws ssm put-parameter --type SecureString "
            f"--overwrite --name {example} --value VALUE (on your own machine, `make run` does)"
        )
    return settings


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
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError(f"is not a whole number from {lowest} to {highest}")
        return value

    return convert
