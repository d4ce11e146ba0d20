"""Uploads of images that their owner has already stored."""

from dataclasses import dataclass
from typing import Any

from chalicelib.photos.derived import hash_id
from chalicelib.photos.known import MOST_READ
from chalicelib.photos.models import DerivedItem, Photo
from chalicelib.photos.photo import PhotoState


@dataclass(frozen=True)
class Stored:
    """The photo object of an upload; if it is a duplicate, that of an earlier one."""

    photo: dict[str, Any]
    is_duplicate: bool = False


def stored_photo(user_id: str, sha256: str) -> Photo | None:
    """Return the oldest photo with these bytes, one in the trash if there is no other, or None."""
    named = DerivedItem.find(user_id, hash_id(sha256))
    in_trash = None
    for photo_id in sorted(named.photo_ids or ())[:MOST_READ] if named else ():
        photo = Photo.find(user_id, photo_id)
        if photo is not None and photo.state == PhotoState.READY:
            return photo
        if photo is not None and photo.state == PhotoState.TRASHED:
            in_trash = in_trash or photo
    return in_trash
