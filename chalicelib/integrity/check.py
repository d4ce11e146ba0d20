"""The integrity check: do items, objects, counters and accounts agree?

`docs/reliability.md` lists the invariants. Everything is read page by page, one user at a time, and
an original is compared by the checksum that S3 stores with it. As photos are added and deleted
meanwhile, whatever seems wrong is read again before it is reported.
"""

import dataclasses
import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib import dates
from chalicelib.accounts.cognito import UserPool
from chalicelib.accounts.models import User
from chalicelib.accounts.service import AccountService
from chalicelib.errors import NotFound
from chalicelib.integrity.repair import Counters, Repairs
from chalicelib.integrity.report import Finding, IntegrityError, Issue, Summary
from chalicelib.observability import write_line
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX, PhotoState
from chalicelib.photos.service import PhotoService, photo_keys
from chalicelib.photos.storage import (
    OWNER_FOLDERS,
    PhotoStorage,
    StoredObject,
    thumbnail_prefix,
    user_prefixes,
)

# A request takes at most half a minute: no request is still working on anything older than this.
GRACE = timedelta(hours=1)
DAILY_SECONDS = 14 * 60.0  # of the 15 minutes that a function may run
# S3's lifecycle rule deletes what was sent at the second midnight (UTC) after it was sent.
_UPLOAD_LIFE = timedelta(days=2)
_COUNT_TRIES = 5
_THREADS = 8  # no more than the connections that a client keeps open
_BATCH = 200


@dataclass(frozen=True)
class _Listed:
    """What the lists have for one photo ID: its item, and the keys of objects."""

    sub: str
    photo_id: str
    photo: Photo | None
    keys: list[str]


class IntegrityService:
    """Checks the album's invariants, and repairs what can be repaired."""

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
        self._pool = pool
        self._repairs = Repairs(storage, photos, accounts, thumbnail_box)
        self._grace = grace

    def check(
        self,
        report: Callable[[Finding], None],
        repair: bool = False,
        seconds: float | None = None,
        only: str | None = None,
    ) -> Summary:
        """Check everything, or only one user's data, for at most about `seconds`.

        `report` is called with each finding. An issue that cannot be repaired is only reported.
        """
        summary = Summary()
        deadline = None if seconds is None else time.monotonic() + seconds
        if only is None:
            findings = self._check_all(summary, repair, deadline)
        else:
            findings = self._check_user(only, summary, repair)
        for finding in findings:
            summary.add(finding)
            report(finding)
        return summary

    def check_daily(self) -> str:
        """Check everything while a function may run, and return the summary.

        Raises IntegrityError, after one log line for each finding, unless time will resolve them.
        """
        summary = self.check(_log, seconds=DAILY_SECONDS)
        write_line("INFO", integrity=str(summary))
        if summary.needs_attention:
            raise IntegrityError(str(summary))
        return str(summary)

    def _check_all(
        self, summary: Summary, repair: bool, deadline: float | None
    ) -> Iterator[Finding]:
        for sub in self._user_ids():
            if deadline is not None and time.monotonic() > deadline:
                summary.is_complete = False
                return
            yield from self._check_user(sub, summary, repair)
        for folder in OWNER_FOLDERS:
            for entry in self._storage.list_folder(folder):
                # An object next to the users' folders belongs to no user.
                if isinstance(entry, StoredObject) and entry.modified <= self._stale_before():
                    yield self._delete(Issue.ORPHANED_OBJECT, entry.key, repair)

    def _user_ids(self) -> Iterator[str]:
        """Yield each user once: those with an item, then those that only have photos or objects."""
        for user in User.scan(attributes_to_get=["sub"]):
            yield user.sub
        folders = itertools.chain.from_iterable(map(self._storage.list_folder, OWNER_FOLDERS))
        named = (entry for entry in folders if isinstance(entry, str))
        owners = (photo.user_id for photo in Photo.scan(attributes_to_get=["user_id"]))
        seen: set[str] = set()
        for sub, _ in itertools.groupby(itertools.chain(named, owners)):
            if sub not in seen and User.find(sub) is None:
                seen.add(sub)
                yield sub

    def _check_user(self, sub: str, summary: Summary, repair: bool) -> Iterator[Finding]:
        summary.users += 1
        user = User.find(sub)
        if user is not None and user.deleting_at is not None:
            if user.deleting_at > self._stale_before().timestamp():
                return  # The request that deletes the account may still be running.
            if user.deleted_at is None or next(_items(sub), None) is not None:
                if repair:
                    self._repairs.finish_account_deletion(user)
                yield Finding(Issue.UNFINISHED_ACCOUNT_DELETION, f"user {sub}", repair)
                return
        has_photos, counted = False, Counters()
        with ThreadPoolExecutor(_THREADS) as threads:
            for listed, is_suspect in self._check_photos(sub, threads):
                if listed.photo is not None:
                    has_photos = True
                    counted += Counters.of_photo(listed.photo)
                    if listed.photo.state != PhotoState.PENDING:
                        summary.photos += 1
                if is_suspect:
                    yield from self._check_again(listed, repair)
        yield from self._check_uploads(sub, repair)
        if has_photos:
            yield from self._check_account(sub, user, repair)
        stored = _stored_counters(sub)
        if stored is not None and not stored.agree_with(counted):
            yield from self._check_counters(sub, repair)

    def _check_photos(
        self, sub: str, threads: ThreadPoolExecutor
    ) -> Iterator[tuple[_Listed, bool]]:
        """Yield what the lists have for each photo ID, and whether something seems wrong."""
        photos, _ = user_prefixes(sub)
        thumbnails = thumbnail_prefix(sub)
        # All three lists are sorted by photo ID, so that only one page of each is in memory.
        items: Iterator[tuple[str, Any]] = ((item.id, item) for item in _items(sub))
        originals: Iterator[tuple[str, Any]] = (
            (_photo_id_of(one.key), one.key)
            for one in self._storage.list_keys(photos)
            if not one.key.startswith(thumbnails)
        )
        small: Iterator[tuple[str, Any]] = (
            (_photo_id_of(one.key), one.key) for one in self._storage.list_keys(thumbnails)
        )
        merged = heapq.merge(items, originals, small, key=lambda pair: pair[0])
        by_id = itertools.groupby(merged, key=lambda pair: pair[0])
        listed = (
            _listed(sub, photo_id, [found for _, found in group]) for photo_id, group in by_id
        )
        while batch := list(itertools.islice(listed, _BATCH)):
            suspect = threads.map(lambda one: bool(self._findings(one.photo, one.keys)), batch)
            yield from zip(batch, suspect, strict=True)

    def _check_again(self, listed: _Listed, repair: bool) -> Iterator[Finding]:
        """Check one photo by consistent reads, and repair it if requested."""
        photo = Photo.find(listed.sub, listed.photo_id)
        findings = self._findings(photo, listed.keys)
        issues = {finding.issue for finding in findings}
        for finding in findings:
            repaired = repair and self._repairs.repair(finding, photo, issues)
            yield dataclasses.replace(finding, repaired=repaired)
            if repaired and finding.issue == Issue.STALE_UPLOAD and listed.keys:
                # An interrupted completion has left objects, which are orphaned now.
                yield from self._check_again(listed, repair)

    def _findings(self, photo: Photo | None, keys: list[str]) -> list[Finding]:
        """Return what is wrong with a photo and the objects that have its ID."""
        if photo is None:
            return self._orphaned(keys)
        name = f"photo {photo.id} of user {photo.user_id}"
        if photo.state == PhotoState.DELETING:
            return [Finding(Issue.UNFINISHED_DELETION, name)]
        if photo.state == PhotoState.PENDING:
            has_expired = photo.expires_at is None or photo.expires_at <= dates.utc_now()
            return [Finding(Issue.STALE_UPLOAD, name)] if has_expired else []
        original, thumbnail = photo_keys(photo)
        findings = []
        stored = self._storage.head(original)
        if stored is None:
            findings.append(Finding(Issue.MISSING_ORIGINAL, original))
        elif stored.size != photo.filesize or self._sha256(stored) != photo.sha256:
            findings.append(Finding(Issue.DIFFERENT_ORIGINAL, original))
        small = self._storage.head(thumbnail)
        # Photos of earlier versions have no hash of their thumbnail.
        if not (small and small.size) or (
            photo.thumbnail_sha256 not in (None, self._sha256(small))
        ):
            findings.append(Finding(Issue.THUMBNAIL, thumbnail))
        return findings + self._orphaned([key for key in keys if key not in (original, thumbnail)])

    def _orphaned(self, keys: list[str]) -> list[Finding]:
        return [Finding(Issue.ORPHANED_OBJECT, key) for key in keys if self._is_stale(key)]

    def _sha256(self, stored: StoredObject) -> str:
        """Return an object's hash, computed if S3 has none (emulators store none of copies)."""
        try:
            return stored.sha256 or self._storage.sha256(stored.key)
        except NotFound:
            return ""  # It has just been deleted.

    def _is_stale(self, key: str) -> bool:
        stored = self._storage.head(key)
        return stored is not None and stored.modified <= self._stale_before()

    def _stale_before(self) -> datetime:
        return dates.utc_now() - self._grace

    def _check_uploads(self, sub: str, repair: bool) -> Iterator[Finding]:
        _, uploads = user_prefixes(sub)
        oldest = dates.utc_now() - _UPLOAD_LIFE
        for stored in self._storage.list_keys(uploads):
            if stored.modified <= oldest:
                yield self._delete(Issue.STALE_UPLOAD, stored.key, repair)

    def _delete(self, issue: Issue, key: str, repair: bool) -> Finding:
        if repair:
            self._repairs.delete_object(key)
        return Finding(issue, key, repair)

    def _check_account(self, sub: str, user: User | None, repair: bool) -> Iterator[Finding]:
        """Check that a user who has photos is in the user pool and in the table of users."""
        if self._pool.find(sub) is None:
            yield Finding(Issue.DELETED_ACCOUNT, f"user {sub}")
        elif user is None:
            if repair:
                self._repairs.create_user_record(sub)
            yield Finding(Issue.NO_USER_RECORD, f"user {sub}", repair)

    def _check_counters(self, sub: str, repair: bool) -> Iterator[Finding]:
        """Count a user's photos again while nothing changes, and correct the counters."""
        for _ in range(_COUNT_TRIES):
            before = _stored_counters(sub)
            counted = _count(sub)
            if before is None or _stored_counters(sub) != before or _count(sub) != counted:
                continue  # The user is adding or deleting photos.
            if before.agree_with(counted):
                return
            if not repair or self._repairs.correct_counters(sub, before, counted):
                yield Finding(Issue.WRONG_COUNTERS, f"user {sub}", repair)
                return


def _log(finding: Finding) -> None:
    write_line("WARNING", integrity=str(finding))


def _listed(sub: str, photo_id: str, found: list[Any]) -> _Listed:
    photo = next((one for one in found if isinstance(one, Photo)), None)
    return _Listed(sub, photo_id, photo, [one for one in found if isinstance(one, str)])


def _photo_id_of(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _items(sub: str) -> Iterator[Photo]:
    """Return a user's photos in any state, without used Idempotency-Keys."""
    return iter(Photo.query(sub, Photo.id < KEY_PREFIX, consistent_read=True))


def _stored_counters(sub: str) -> Counters | None:
    user = User.find(sub)
    return None if user is None else Counters.of_user(user)


def _count(sub: str) -> Counters:
    # A photo that is being deleted counts until its item is deleted.
    return sum(map(Counters.of_photo, _items(sub)), Counters())
