"""The integrity check of photos: their items, originals, previews and thumbnails."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from chalicelib import dates
from chalicelib.errors import NotFound
from chalicelib.integrity.lists import Listed, has_expired
from chalicelib.integrity.repair import Repairs
from chalicelib.integrity.report import Finding, Issue
from chalicelib.integrity.tables import Tables
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import STORED_STATES, PhotoState
from chalicelib.photos.service import photo_keys
from chalicelib.photos.storage import PhotoStorage, StoredObject

_THREADS = 8  # no more than the connections that a client keeps open
_BATCH = 200


class PhotoCheck:
    """Checks photos, and repairs them if there are `repairs`."""

    def __init__(
        self,
        storage: PhotoStorage,
        tables: Tables,
        repairs: Repairs | None,
        grace: timedelta,
    ) -> None:
        self._storage = storage
        self._tables = tables
        self._repairs = repairs
        self._grace = grace

    def stale_before(self) -> datetime:
        """Return the moment before which no request began that is still running."""
        return dates.utc_now() - self._grace

    def is_stale(self, stored: StoredObject) -> bool:
        """Return whether an object is so old that its item would exist if it had one."""
        return stored.modified <= self.stale_before()

    def suspects(
        self, listed: Iterator[Listed], verify_hashes: bool
    ) -> Iterator[tuple[Listed, bool]]:
        """Yield what the lists have for each photo ID, and whether something seems wrong.

        Raises TimeIsUp.
        """

        def is_suspect(one: Listed) -> bool:
            if one.seems_wrong(self.stale_before()):
                return True
            if not verify_hashes or one.photo is None or one.photo.state not in STORED_STATES:
                return False
            return bool(self._different(one.photo))

        with ThreadPoolExecutor(_THREADS) as threads:
            while batch := list(itertools.islice(listed, _BATCH)):
                self._tables.check_time()
                # Without hashes to verify, nothing has to be waited for.
                found = threads.map(is_suspect, batch) if verify_hashes else map(is_suspect, batch)
                yield from zip(batch, found, strict=True)

    def check_again(self, sub: str, listed: Listed) -> Iterator[Finding]:
        """Check one photo by consistent reads. Raises TimeIsUp."""
        photo = self._tables.photo(sub, listed.photo_id)
        keys = [one.key for one in listed.objects]
        findings = self._findings(photo, keys)
        issues = {finding.issue for finding in findings}
        for finding in findings:
            repaired = self._repairs is not None and self._repairs.repair(finding, photo, issues)
            yield dataclasses.replace(finding, repaired=repaired)
            if repaired and finding.issue == Issue.STALE_UPLOAD and keys:
                # An interrupted completion has left objects, which are orphaned now.
                yield from self.check_again(sub, listed)

    def _findings(self, photo: Photo | None, keys: Iterable[str]) -> list[Finding]:
        """Return what is wrong with a photo and the objects that have its ID."""
        if photo is None:
            return self._orphaned(keys)
        name = f"photo {photo.id} of user {photo.user_id}"
        if photo.state == PhotoState.DELETING:
            return [Finding(Issue.UNFINISHED_DELETION, name)]
        if photo.state == PhotoState.PENDING:
            return [Finding(Issue.STALE_UPLOAD, name)] if has_expired(photo) else []
        own = photo_keys(photo)
        return self._different(photo) + self._orphaned(key for key in keys if key not in own)

    def _different(self, photo: Photo) -> list[Finding]:
        """Return in what a ready photo's objects differ from its item."""
        original, preview, thumbnail = photo_keys(photo)
        findings = []
        stored = self._storage.head(original)
        if stored is None:
            findings.append(Finding(Issue.MISSING_ORIGINAL, original))
        elif stored.size != photo.filesize or self._sha256(stored) != photo.sha256:
            findings.append(Finding(Issue.DIFFERENT_ORIGINAL, original))
        # Photos of earlier versions have no hash of their thumbnail, and no preview.
        if not self._is_intact(thumbnail, photo.thumbnail_sha256):
            findings.append(Finding(Issue.THUMBNAIL, thumbnail))
        if photo.preview_sha256 is None:
            findings.append(Finding(Issue.NO_PREVIEW, preview))
        elif not self._is_intact(preview, photo.preview_sha256):
            findings.append(Finding(Issue.PREVIEW, preview))
        return findings

    def _is_intact(self, rendition: str, sha256: str | None) -> bool:
        """Return whether a rendition exists, and has a hash if that is known."""
        stored = self._storage.head(rendition)
        if not (stored and stored.size):
            return False
        return sha256 is None or self._sha256(stored) == sha256

    def _orphaned(self, keys: Iterable[str]) -> list[Finding]:
        stored = filter(None, map(self._storage.head, keys))
        return [Finding(Issue.ORPHANED_OBJECT, one.key) for one in stored if self.is_stale(one)]

    def _sha256(self, stored: StoredObject) -> str:
        """Return an object's hash, computed if S3 has none (emulators store none of copies)."""
        try:
            return stored.sha256 or self._storage.sha256(stored.key)
        except NotFound:
            return ""  # It has just been deleted.
