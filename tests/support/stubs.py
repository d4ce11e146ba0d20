"""Stubs that respond as AWS does, where the emulators differ."""

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.stub import Stubber


@contextlib.contextmanager
def stubbed(service: str, **options: Any) -> Iterator[Stubber]:
    """Return a stubbed client of a service; every response added to it must be used."""
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
