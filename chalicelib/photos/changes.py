"""What each change makes of a photo's item: a new version, which `transactions` then writes."""

from collections.abc import Mapping
from typing import Any

from chalicelib import dates
from chalicelib.errors import NotFound
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import (
    EMPTY,
    LIMITS,
    PhotoState,
    computed_fields,
    folded,
    is_id,
    require_tags,
    require_whole_position,
    split_tags,
)

NO_SUCH_PHOTO = "This photo does not exist."


def existing_photo(user_id: str, photo_id: str) -> Photo:
    """Return a photo from the album or the trash. Raises NotFound, also for another user's."""
    photo = deletable_photo(user_id, photo_id)
    if photo.state == PhotoState.DELETING:
        raise NotFound(NO_SUCH_PHOTO)
    return photo


def deletable_photo(user_id: str, photo_id: str) -> Photo:
    """Return a photo that exists or is already being deleted. Raises NotFound."""
    photo = Photo.find(user_id, photo_id) if is_id(photo_id) else None
    if photo is None or photo.state == PhotoState.PENDING:
        raise NotFound(NO_SUCH_PHOTO)
    return photo


def edited(photo: Photo, changes: Mapping[str, Any]) -> Photo:
    """Return a photo with other metadata, None clearing a field.

    Raises InvalidInput if only half a position would remain.
    """
    values = {name: EMPTY.get(name) if value is None else value for name, value in changes.items()}
    new = _changed(photo, values)
    if LIMITS.keys() & values.keys():
        require_whole_position(new.geotag_lat, new.geotag_lng)
    computed = computed_fields(new)
    if photo.taken_key and new.taken_date == photo.taken_date:
        # Earlier versions stored it with more digits; a cursor would meet the photo twice.
        del computed["taken_key"]
    return _changed(new, computed)


def tagged(photo: Photo, tags: str) -> Photo:
    """Return a photo with more tags. Raises InvalidInput if it then has too many."""
    present = split_tags(photo.tags)
    known = set(map(folded, present))
    added = [tag for tag in split_tags(tags) if folded(tag) not in known]
    if not added:
        return photo
    together = ",".join([*present, *added])
    require_tags(together)
    return edited(photo, {"tags": together})


def untagged(photo: Photo, tags: str) -> Photo:
    """Return a photo without some tags, however they are written."""
    removed = set(map(folded, split_tags(tags)))
    present = split_tags(photo.tags)
    left = [tag for tag in present if folded(tag) not in removed]
    return photo if left == present else edited(photo, {"tags": ",".join(left)})


def trashed(photo: Photo) -> Photo:
    """Return a photo in the trash, since now unless it is already there."""
    if photo.state == PhotoState.TRASHED:
        return photo
    now = dates.utc_now().isoformat(timespec="milliseconds")
    return _changed(photo, {"state": PhotoState.TRASHED, "taken_key": None, "trashed_date": now})


def restored(photo: Photo) -> Photo:
    """Return a photo out of the trash, as it was before."""
    if photo.state == PhotoState.READY:
        return photo
    new = _changed(photo, {"state": PhotoState.READY, "trashed_date": None})
    return _changed(new, computed_fields(new))


def marked_deleting(photo: Photo) -> Photo:
    """Return a photo whose deletion has begun."""
    return _changed(photo, {"state": PhotoState.DELETING, "taken_key": None})


def _changed(photo: Photo, values: Mapping[str, Any]) -> Photo:
    return Photo(**{**photo.attribute_values, **values})
