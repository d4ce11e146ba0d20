"""How large the renditions of an image may be."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """The largest sides of both renditions, in pixels.

    A thumbnail is made from the preview's pixels, so it is never larger than the preview.
    """

    thumbnail_width: int
    thumbnail_height: int
    preview: int  # the longest side
