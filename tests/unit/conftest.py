"""Unit tests open no socket."""

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(no_sockets: None) -> None:
    pass
