"""AWS's own answers, for what the emulators answer in another way."""

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.stub import Stubber


@contextlib.contextmanager
def stubbed(service: str, **options: Any) -> Iterator[Stubber]:
    """Stub a client of a service; every answer that is arranged must be asked for."""
    client = boto3.client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        **options,
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
