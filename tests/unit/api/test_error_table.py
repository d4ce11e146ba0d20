"""Errors as HTTP responses."""

from collections.abc import Iterator

import pytest

from chalicelib import errors
from chalicelib.api.error_table import STATUS_AND_CODE


def subclasses(kind: type[errors.AlbumError]) -> Iterator[type[errors.AlbumError]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


@pytest.mark.parametrize("kind", sorted(subclasses(errors.AlbumError), key=str))
def test_each_error_has_a_status_unless_it_is_a_base_class(kind: type[errors.AlbumError]) -> None:
    is_abstract = bool(kind.__subclasses__())
    assert (kind in STATUS_AND_CODE) is not is_abstract
