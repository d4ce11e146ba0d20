"""Cognito's errors as the album's own."""

import contextlib
import functools
import re
from collections.abc import Iterator

from botocore.exceptions import ClientError

from chalicelib.errors import AlbumError, ConfigurationError, InvalidInput

# What a password must have, by how Cognito names the rule that it breaks: "Password did not conform
# with policy: Password must have uppercase characters". The pool is defined in infra/data.yaml.
PASSWORD_RULES = {
    "long|length": "at least 8 characters",
    "uppercase": "an uppercase letter",
    "lowercase": "a lowercase letter",
    "numeric": "a digit",
    "symbol": "a symbol (such as - or !)",
}


@contextlib.contextmanager
def translate(translation: AlbumError | None, *codes: str) -> Iterator[None]:
    """Raise `translation`, None for nothing, instead of Cognito's errors with one of these codes.

    A wrong client secret is no fault of the user: it raises ConfigurationError.
    """
    try:
        yield
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code == "NotAuthorizedException" and "secret" in text.lower():
            raise ConfigurationError(
                "COGNITO_CLIENT_SECRET is not the secret of COGNITO_CLIENT_ID: correct it."
            ) from error
        if code not in codes:
            raise
        if translation:
            raise translation from None


ignore = functools.partial(translate, None)


@contextlib.contextmanager
def translate_password_errors(subject: str) -> Iterator[None]:
    """Raise InvalidInput, with the rule that it breaks, for a new password that is rejected."""
    try:
        yield
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code == "InvalidPasswordException":
            broken = [rule for name, rule in PASSWORD_RULES.items() if re.search(name, text)]
            rules = " and ".join(broken) or "more characters, of more kinds"
            raise InvalidInput(f"{subject} is too weak: it must have {rules}.") from None
        if code == "PasswordHistoryPolicyViolationException":
            raise InvalidInput(f"{subject} was used before. Choose another one.") from None
        raise
