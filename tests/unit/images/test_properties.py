"""Properties of reading EXIF that hold for any bytes."""

import io
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chalicelib.images.exif import read_exif, read_orientation
from tests.support.images import jpeg

SMALL = jpeg(8, 8)
EXIF_VALUES = st.binary(max_size=12) | st.integers(0, 2**32 - 1).map(lambda n: struct.pack("<L", n))


@pytest.mark.filterwarnings("ignore")  # Pillow warns about broken EXIF.
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [0x010F, 0x0110, 0x0112, 0x0132, 0x8769, 0x8825, 0x9003, 0x9010, 0x9011]
            )
            | st.integers(0, 30),
            st.integers(0, 14),
            st.integers(0, 4) | st.sampled_from([2**16, 2**31, 2**32 - 1]),
            EXIF_VALUES,
        ),
        max_size=12,
    ),
    st.binary(max_size=64),
    st.sampled_from("<>"),
)
def test_any_bytes_are_read_as_exif_without_an_error(
    entries: list[tuple[int, int, int, bytes]], rest: bytes, order: str
) -> None:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)
    directory = struct.pack(order + "H", len(entries)) + b"".join(
        struct.pack(order + "HHL", tag, kind, count) + value[:4].ljust(4, b"\0")
        for tag, kind, count, value in entries
    )
    tiff = head + directory + bytes(4) + rest
    segment = b"Exif\0\0" + tiff
    marked = b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    with Image.open(io.BytesIO(SMALL[:2] + marked + SMALL[2:])) as image:
        assert 1 <= read_orientation(image) <= 8
        exif = read_exif(image)
    assert (exif.latitude is None) == (exif.longitude is None)
    for name in (exif.make, exif.model):
        assert name is None or (name.isprintable() and 0 < len(name) <= 200)
    if exif.taken:
        assert exif.taken.year >= 1826
        assert exif.taken.replace(tzinfo=UTC) < datetime.now(UTC) + timedelta(days=2)
