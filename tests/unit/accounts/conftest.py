"""A user pool whose client is stubbed."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from chalicelib.accounts.cognito import UserPool
from tests.support.stubs import stubbed


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """Return the stub of the Cognito client."""
    with stubbed("cognito-idp") as stubber:
        yield stubber


@pytest.fixture
def pool(stub: Stubber) -> UserPool:
    """Return a user pool on that client."""
    return UserPool(stub.client, "eu-west-1_Pool", "client", lambda: "secret-of-the-client-24chars")
