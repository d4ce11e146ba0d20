"""Whether rows, objects, counters and accounts agree; and what can be mended where they do not.

`docs/reliability.md` lists the invariants. Everything is read page by page, one user at a time, and
an original is judged by the checksum that S3 keeps of it. What looks wrong is looked at once more
before it is told, as photos come and go meanwhile.
"""

import collections
import contextlib
import hashlib
import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import DeleteError, UpdateError

from chalicelib import dates
from chalicelib.accounts.cognito import UserPool
from chalicelib.accounts.models import User
from chalicelib.accounts.service import AccountService
from chalicelib.clients import condition_failed
from chalicelib.errors import AlbumError, NotFound
from chalicelib.images.decoding import read_image
from chalicelib.observability import write_line
from chalicelib.photos.models import KEY_PREFIX, Photo
from chalicelib.photos.photo import PhotoState
from chalicelib.photos.service import PhotoService, photo_keys
from chalicelib.photos.storage import (
    OWNER_FOLDERS,
    PhotoStorage,
    StoredObject,
    thumbnail_prefix,
    upload_key,
    user_prefixes,
)

# No request lives longer than half a minute: what is older than this is in nobody's hands.
GRACE = timedelta(hours=1)
_UPLOAD_LIFE = timedelta(days=2)
_COUNTS = 5
_AT_ONCE = 8  # no more than a client keeps connections
_BATCH = 200
_WATCH_SECONDS = 14 * 60.0  # of the 15 minutes that a function may have


class Issue(StrEnum):
    """What can be wrong, as it is told to an operator."""

    NO_ORIGINAL = "a photo without its original"
    OTHER_ORIGINAL = "an original of another size or hash than its row says"
    THUMBNAIL = "a photo without its thumbnail, or with another than its row says"
    ORPHAN = "an object that no row names"
    DELETION = "a photo whose deletion is not finished"
    COUNTERS = "counters that are not the sums of the photos"
    UPLOAD = "an upload older than two days"
    LEAVING = "an account whose deletion is not finished"
    NO_ROW = "photos of an account without a row"
    NO_ACCOUNT = "photos of somebody who is gone from the user pool"


# DynamoDB's TTL and S3's lifecycle rules come late by design, so these are no reason for an alarm.
_COMES_LATE = {Issue.UPLOAD}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, named by ids and keys alone."""

    damage: Issue
    where: str
    repaired: bool = False

    def __str__(self) -> str:
        return f"{self.damage}: {self.where}{' (mended)' if self.repaired else ''}"


@dataclass
class Summary:
    """How much was looked at, and how much of it is wrong."""

    users: int = 0
    photos: int = 0
    found: collections.Counter[Issue] = field(default_factory=collections.Counter)
    left: collections.Counter[Issue] = field(default_factory=collections.Counter)
    complete: bool = True  # else the time was up

    @property
    def healthy(self) -> bool:
        """Tell whether everything was looked at, and nothing is wrong any more."""
        return self.complete and not self.left

    @property
    def needs_attention(self) -> bool:
        """Tell whether somebody has to look, and not only to wait."""
        return not self.complete or bool(set(self.left) - _COMES_LATE)

    def __str__(self) -> str:
        wrong, mended = self.found.total(), self.found.total() - self.left.total()
        whole = "" if self.complete else "; the time was up before everything was looked at"
        return f"{self.users} users, {self.photos} photos: {wrong} wrong, {mended} mended{whole}"


class IntegrityError(Exception):
    """Something is wrong that will not mend itself. For the operator, never for a client."""


class IntegrityService:
    """Checks the album's invariants, and mends what it can without losing anything.

    An original that the row of a photo names is never removed, unless its owner began to.
    """

    def __init__(
        self,
        storage: PhotoStorage,
        photos: PhotoService,
        accounts: AccountService,
        pool: UserPool,
        thumbnail_box: tuple[int, int],
        grace: timedelta = GRACE,
    ) -> None:
        self._storage = storage
        self._photos = photos
        self._accounts = accounts
        self._pool = pool
        self._thumbnail_box = thumbnail_box
        self._grace = grace

    def check(
        self,
        tell: Callable[[Finding], None],
        repair: bool = False,
        seconds: float | None = None,
        only: str | None = None,
    ) -> Summary:
        """Look at everything, or at what `only` one user has, for no longer than `seconds`.

        `tell` hears of each thing that is wrong.
        """
        summary = Summary()
        deadline = None if seconds is None else time.monotonic() + seconds
        findings = (
            self._everywhere(summary, repair, deadline)
            if only is None
            else self._user(only, summary, repair)
        )
        for finding in findings:
            summary.found[finding.damage] += 1
            if not finding.repaired:
                summary.left[finding.damage] += 1
            tell(finding)
        return summary

    def check_daily(self) -> str:
        """Look at everything while a function may run, and return the summary.

        Raises IntegrityError, after one log line for each issue, unless time will repair it.
        """
        summary = self.check(_log, seconds=_WATCH_SECONDS)
        write_line("INFO", integrity=str(summary))
        if summary.needs_attention:
            raise IntegrityError(str(summary))
        return str(summary)

    def _everywhere(
        self, summary: Summary, repair: bool, deadline: float | None
    ) -> Iterator[Finding]:
        for sub in self._owners():
            if deadline is not None and time.monotonic() > deadline:
                summary.complete = False
                return
            yield from self._user(sub, summary, repair)
        for prefix in OWNER_FOLDERS:
            lost = (
                one for one in self._storage.list_folder(prefix) if isinstance(one, StoredObject)
            )
            yield from self._orphans(lost, repair)

    def _owners(self) -> Iterator[str]:
        """Return each user once: those who have a row, and those of whom only photos tell."""
        for user in User.scan(attributes_to_get=["sub"]):
            yield user.sub
        without: set[str] = set()
        prefixes = itertools.chain.from_iterable(map(self._storage.list_folder, OWNER_FOLDERS))
        named = (one for one in prefixes if isinstance(one, str))
        in_rows = (photo.user_id for photo in Photo.scan(attributes_to_get=["user_id"]))
        for sub, _ in itertools.groupby(itertools.chain(named, in_rows)):
            if sub not in without and User.find(sub) is None:
                without.add(sub)
                yield sub

    def _user(self, sub: str, summary: Summary, repair: bool) -> Iterator[Finding]:
        summary.users += 1
        user = User.find(sub)
        if user is not None and user.deleting_at is not None:
            if user.deleting_at > (dates.utc_now() - self._grace).timestamp():
                return  # Whoever is leaving may be at it in this very moment.
            if user.deleted_at is None or next(iter(_rows(sub)), None) is not None:
                if repair:
                    self._leave(sub, user)
                yield Finding(Issue.LEAVING, f"user {sub}", repair)
                return
        has_photos, counted = False, Counters(0, 0)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for look in self._photos_of(sub, threads):
                if look.photo is not None:
                    has_photos = True
                    if look.photo.state != PhotoState.PENDING:
                        summary.photos += 1
                        counted += _counters_of(look.photo)
                if look.is_suspect:
                    yield from self._once_more(look, repair)
        yield from self._old_uploads(sub, repair)
        if has_photos:
            if self._pool.describe(sub) is None:
                yield Finding(Issue.NO_ACCOUNT, f"user {sub}")
            elif user is None:
                if repair:
                    User.create(sub)
                yield Finding(Issue.NO_ROW, f"user {sub}", repair)
        if _counters(sub) not in (None, counted):
            yield from self._miscounted(sub, repair)

    def _photos_of(self, sub: str, threads: ThreadPoolExecutor) -> Iterator["_Look"]:
        """Return what rows and objects say of each id."""
        photos, _ = user_prefixes(sub)
        thumbnails = thumbnail_prefix(sub)
        # All three come sorted by the photo's id, so that no more than a page of each is kept.
        rows: Iterator[tuple[str, Any]] = ((row.id, row) for row in _rows(sub))
        originals: Iterator[tuple[str, Any]] = (
            (_id_in(one.key), one.key)
            for one in self._storage.list_keys(photos)
            if not one.key.startswith(thumbnails)
        )
        small: Iterator[tuple[str, Any]] = (
            (_id_in(one.key), one.key) for one in self._storage.list_keys(thumbnails)
        )
        merged = heapq.merge(rows, originals, small, key=lambda one: one[0])
        looks = (
            _Look(sub, photo_id, [what for _, what in group])
            for photo_id, group in itertools.groupby(merged, key=lambda one: one[0])
        )
        while batch := list(itertools.islice(looks, _BATCH)):
            yield from threads.map(self._first, batch)

    def _first(self, look: "_Look") -> "_Look":
        look.is_suspect = bool(self._wrong(look.photo, look.keys))
        return look

    def _once_more(self, look: "_Look", repair: bool) -> Iterator[Finding]:
        """Look at one photo as it is now, and mend it if that is wanted."""
        photo = Photo.find(look.sub, look.photo_id)
        wrong = self._wrong(photo, look.keys)
        for damage, where in wrong:
            repaired = repair and self._repair(damage, where, photo, dict(wrong))
            yield Finding(damage, where, repaired)
            if repaired and damage == Issue.UPLOAD and look.keys:
                # A completion that broke has left objects that no row names any more.
                yield from self._once_more(look, repair)

    def _wrong(self, photo: Photo | None, keys: list[str]) -> list[tuple[Issue, str]]:
        """Return what is wrong with a photo and the objects that have its id."""
        if photo is None:
            return [(Issue.ORPHAN, key) for key in keys if self._is_stale(key)]
        row = f"photo {photo.id} of user {photo.user_id}"
        if photo.state == PhotoState.DELETING:
            return [(Issue.DELETION, row)]
        if photo.state == PhotoState.PENDING:
            is_late = photo.expires_at is None or photo.expires_at <= dates.utc_now()
            return [(Issue.UPLOAD, row)] if is_late else []
        original, thumbnail = photo_keys(photo)
        wrong = []
        stored = self._storage.head(original)
        if stored is None:
            wrong.append((Issue.NO_ORIGINAL, original))
        elif stored.size != photo.filesize or self._sha256(stored) != photo.sha256:
            wrong.append((Issue.OTHER_ORIGINAL, original))
        small = self._storage.head(thumbnail)
        # Photos of earlier versions have no hash of their thumbnail.
        if not (small and small.size) or (
            photo.thumbnail_sha256 not in (None, self._sha256(small))
        ):
            wrong.append((Issue.THUMBNAIL, thumbnail))
        others = [key for key in keys if key not in (original, thumbnail)]
        return wrong + [(Issue.ORPHAN, key) for key in others if self._is_stale(key)]

    def _sha256(self, stored: StoredObject) -> str:
        """Return an object's hash; it is read only if S3 keeps none, as emulators do of copies."""
        try:
            return stored.sha256 or self._storage.sha256(stored.key)
        except NotFound:
            return ""  # It was deleted in this very moment.

    def _is_stale(self, key: str) -> bool:
        stored = self._storage.head(key)
        return stored is not None and stored.modified <= dates.utc_now() - self._grace

    def _repair(
        self, damage: Issue, where: str, photo: Photo | None, wrong: dict[Issue, str]
    ) -> bool:
        """Mend what is wrong; return whether that was possible."""
        if damage == Issue.ORPHAN:
            self._storage.delete([where])
            return True
        if photo is None:
            return False
        if damage == Issue.DELETION:
            with contextlib.suppress(NotFound):  # its owner was faster
                self._photos.delete(photo.user_id, photo.id)
            return True
        if damage == Issue.UPLOAD:
            _forget_upload(photo)
            self._storage.delete([upload_key(photo.user_id, photo.id)])
            return True
        has_original = not {Issue.NO_ORIGINAL, Issue.OTHER_ORIGINAL} & wrong.keys()
        return damage == Issue.THUMBNAIL and has_original and self._make_thumbnail(photo)

    def _make_thumbnail(self, photo: Photo) -> bool:
        """Make the thumbnail of a photo anew from its original."""
        original, thumbnail = photo_keys(photo)
        try:
            data, _ = self._storage.fetch(original, int(photo.filesize))
            small = read_image(data, self._thumbnail_box).thumbnail
        except AlbumError:
            return False
        digest = hashlib.sha256(small)
        self._storage.put(thumbnail, small, "image/jpeg", digest.digest())
        try:
            photo.update(
                actions=[Photo.thumbnail_sha256.set(digest.hexdigest())],
                condition=(Photo.state == PhotoState.READY) & (Photo.sha256 == photo.sha256),
            )
        except UpdateError as error:
            if not condition_failed(error):
                raise
            self._storage.delete([thumbnail])  # The photo was deleted meanwhile.
        return True

    def _old_uploads(self, sub: str, repair: bool) -> Iterator[Finding]:
        _, uploads = user_prefixes(sub)
        oldest = dates.utc_now() - _UPLOAD_LIFE
        for stored in self._storage.list_keys(uploads):
            if stored.modified <= oldest:
                if repair:
                    self._storage.delete([stored.key])
                yield Finding(Issue.UPLOAD, stored.key, repair)

    def _orphans(self, lost: Iterable[StoredObject], repair: bool) -> Iterator[Finding]:
        for stored in lost:
            if stored.modified <= dates.utc_now() - self._grace:
                if repair:
                    self._storage.delete([stored.key])
                yield Finding(Issue.ORPHAN, stored.key, repair)

    def _leave(self, sub: str, user: User) -> None:
        """Finish the deletion of an account that its owner began."""
        while self._photos.delete_all(sub):
            pass
        if user.deleted_at is None:
            self._accounts.finish_deletion(sub)

    def _miscounted(self, sub: str, repair: bool) -> Iterator[Finding]:
        """Count a user's photos once more, without anybody adding any, and correct the counters."""
        for _ in range(_COUNTS):
            before = _counters(sub)
            counted = _count(sub)
            if before is None or _counters(sub) != before or _count(sub) != counted:
                continue  # The user is at work.
            if before == counted:
                return
            if not repair or _correct(sub, before, counted):
                yield Finding(Issue.COUNTERS, f"user {sub}", repair)
                return


class _Look:
    """What rows and objects say of one id."""

    def __init__(self, sub: str, photo_id: str, found: list[Any]) -> None:
        self.sub = sub
        self.photo_id = photo_id
        self.photo: Photo | None = next((one for one in found if isinstance(one, Photo)), None)
        self.keys: list[str] = [one for one in found if isinstance(one, str)]
        self.is_suspect = False


@dataclass(frozen=True)
class Counters:
    """How many photos a user has, and how many bytes their originals."""

    photos: int
    size: int

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(self.photos + other.photos, self.size + other.size)


def _log(finding: Finding) -> None:
    write_line("WARNING", integrity=str(finding))


def _id_in(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _rows(sub: str) -> Iterator[Photo]:
    """Return a user's photos in any state, without used Idempotency-Keys."""
    return iter(Photo.query(sub, Photo.id < KEY_PREFIX, consistent_read=True))


def _counters_of(photo: Photo) -> Counters:
    return Counters(1, int(photo.filesize))


def _counters(sub: str) -> Counters | None:
    user = User.find(sub)
    if user is None:
        return None
    return Counters(int(user.photo_count or 0), int(user.storage_bytes or 0))


def _count(sub: str) -> Counters:
    # A photo that is being deleted is discounted together with its row.
    counted = (photo for photo in _rows(sub) if photo.state != PhotoState.PENDING)
    return sum(map(_counters_of, counted), Counters(0, 0))


def _correct(sub: str, before: Counters, counted: Counters) -> bool:
    """Set a user's counters, unless they have changed since; return whether they had not."""

    def still(attribute: Any, value: int) -> Any:
        is_same = attribute == value
        return is_same if value else is_same | attribute.does_not_exist()

    try:
        User(sub).update(
            actions=[
                User.photo_count.set(counted.photos),
                User.storage_bytes.set(counted.size),
            ],
            condition=User.sub.exists()
            & User.deleting_at.does_not_exist()
            & still(User.photo_count, before.photos)
            & still(User.storage_bytes, before.size),
        )
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True


def _forget_upload(pending: Photo) -> None:
    """Remove the row of a photo to be, unless it has become one."""
    try:
        pending.delete(condition=Photo.state == PhotoState.PENDING)
    except DeleteError as error:
        if not condition_failed(error):
            raise
