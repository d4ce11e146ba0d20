"""What a photo's row is to whoever reads one; lists do so without PynamoDB, unlike `models`."""

from enum import StrEnum

BY_TAKEN = "by_taken"  # the index of ready photos by when they were taken

# What a row and the photo object of the API have in common, under the same names.
SHOWN = (
    *("id", "user_id", "filename", "filename_orig", "filesize", "content_type", "sha256"),
    *("width", "height", "tags", "desc", "make", "model", "city", "nation", "address"),
    *("geotag_lat", "geotag_lng", "taken_date", "upload_date"),
)


class PhotoState(StrEnum):
    """Where a photo is in its life; only a ready one is ever shown."""

    PENDING = "pending"
    READY = "ready"
    DELETING = "deleting"
