"""The AWS account and the stage that a command works on."""

import os

import boto3

from infra.errors import OperatorError
from infra.stages import Stage


def session() -> boto3.Session:
    """Return a session whose region is set and whose credentials AWS accepts.

    Raises OperatorError, or a botocore error that `infra.errors` explains.
    """
    found = boto3.Session()
    if found.region_name is None:
        raise OperatorError("The AWS region is missing: set AWS_DEFAULT_REGION, such as eu-west-1.")
    found.client("sts").get_caller_identity()
    return found


def stage() -> Stage:
    """Return the stage that STAGE names."""
    return Stage(os.environ.get("STAGE", "dev"))


def emulated() -> bool:
    """Return whether AWS is the embedded one: without HTTPS, and with a few gaps."""
    return os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
