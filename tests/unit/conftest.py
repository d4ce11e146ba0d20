"""Unit tests open no connection."""

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(no_sockets: None) -> None:
    pass
