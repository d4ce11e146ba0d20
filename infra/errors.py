"""Errors of commands, each printed as one line that says what is wrong and what to do."""

import contextlib
import sys
from collections.abc import Callable

from botocore import exceptions


class OperatorError(Exception):
    """Why a command cannot continue, in one line."""


_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


def exit_code(command: Callable[[], None]) -> int:
    """Run a command, print its error as one line, and return its exit code."""
    try:
        command()
    except Exception as error:
        line = _one_line(error)
        if line is None:
            raise
        with contextlib.suppress(OSError):  # The terminal is closed.
            print(line, file=sys.stderr)
        return 1
    return 0


def _one_line(error: Exception) -> str | None:
    """Return what to tell the operator about `error`, or None for a bug."""
    if isinstance(error, OperatorError):
        return str(error)
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return "AWS credentials are missing: run `aws configure`, or set AWS_PROFILE."
    if isinstance(error, exceptions.NoRegionError):
        return "The AWS region is missing: set AWS_DEFAULT_REGION, such as eu-west-1."
    if isinstance(error, exceptions.ClientError):
        return _rejection(error)
    if isinstance(error, exceptions.WaiterError):
        return f"AWS did not finish: {error}"
    if isinstance(error, exceptions.BotoCoreError):
        return f"AWS cannot be reached with these settings: {error}"
    return None


def _rejection(error: exceptions.ClientError) -> str:
    code, message = (error.response["Error"].get(name, "") for name in ("Code", "Message"))
    if code in _BAD_CREDENTIALS:
        return f"AWS rejected the credentials ({code}). Sign in to AWS again."
    if code in _DENIED:
        return f"A permission is missing for {error.operation_name}: {message}"
    return f"AWS rejected {error.operation_name} ({code}): {message}"
