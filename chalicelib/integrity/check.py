"""The integrity check: do items, objects, counters and accounts agree?

`docs/reliability.md` lists the invariants. Everything is read page by page, one user at a time. As
photos are added and deleted meanwhile, whatever seems wrong is read again before it is reported.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib import dates
from chalicelib.accounts.cognito import UserPool
from chalicelib.accounts.models import User
from chalicelib.accounts.service import AccountService
from chalicelib.images.sizes import Sizes
from chalicelib.integrity.derived import DerivedData, DerivedSums, check_again, sums_of_items
from chalicelib.integrity.lists import (
    SHARES,
    Listed,
    due_blocks,
    is_due,
    merged,
    photo_objects,
    share_of_today,
)
from chalicelib.integrity.pace import Pace, TimeIsUp
from chalicelib.integrity.photos import PhotoCheck
from chalicelib.integrity.repair import Counters, Repairs
from chalicelib.integrity.report import Finding, IntegrityError, Issue, Summary
from chalicelib.integrity.tables import Tables
from chalicelib.observability import write_line
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import STORED_STATES, PhotoState
from chalicelib.photos.service import PhotoService
from chalicelib.photos.storage import OWNER_FOLDERS, PhotoStorage, StoredObject, user_prefixes

# A request takes at most half a minute: no request is still working on anything older than this.
GRACE = timedelta(hours=1)
DAILY_SECONDS = 14 * 60.0  # of the 15 minutes that a function may run
# S3's lifecycle rule deletes what was sent at the second midnight (UTC) after it was sent.
_UPLOAD_LIFE = timedelta(days=2)
_COUNT_TRIES = 5


@dataclass(frozen=True)
class Capacity:
    """How the check reads the tables: with which client, which ones, and what they can take."""

    client: Any  # of DynamoDB
    photo_table: str
    user_table: str
    units: int  # read units per second of each table; 0 if they are on demand

    def tables(self, deadline: float | None) -> Tables:
        """Return the tables at half of their speed: the other half is for the album's users."""
        rate = self.units / 2 if self.units else None
        names = self.photo_table, self.user_table
        return Tables(self.client, names, lambda: Pace(rate, deadline))


class IntegrityService:
    """Checks the album's invariants, and repairs what can be repaired."""

    def __init__(
        self,
        storage: PhotoStorage,
        photos: PhotoService,
        accounts: AccountService,
        pool: UserPool,
        capacity: Capacity,
        sizes: Sizes,
        grace: timedelta = GRACE,
    ) -> None:
        self._storage = storage
        self._pool = pool
        self.capacity = capacity
        self._repairs = Repairs(storage, photos, accounts, sizes)
        self._grace = grace

    def check(
        self,
        report: Callable[[Finding], None],
        repair: bool = False,
        seconds: float | None = None,
        only: str | None = None,
        share: int | None = None,
    ) -> Summary:
        """Check everything, or only one user's data, for at most about `seconds`.

        With a `share`, a number below SHARES, only the hashes of that share are verified. `report`
        is called with each finding. An issue that cannot be repaired is only reported.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        tables = self.capacity.tables(deadline)
        repairs = self._repairs if repair else None
        photos = PhotoCheck(self._storage, tables, repairs, self._grace)
        check = _Check(self._storage, self._pool, tables, photos, repairs, share)
        findings = check.everything() if only is None else check.user(only)
        try:
            for finding in findings:
                check.summary.add(finding)
                report(finding)
        except TimeIsUp:
            check.summary.is_complete = False
            check.summary.is_behind = not check.has_finished_share
        return check.summary

    def check_daily(self) -> str:
        """Check as much as a function may run, one share completely; return the summary.

        Raises IntegrityError, after one log line for each finding, unless time will resolve them.
        """
        summary = self.check(_log, seconds=DAILY_SECONDS, share=share_of_today())
        write_line("INFO" if summary.is_complete else "WARNING", integrity=str(summary))
        if summary.needs_attention:
            raise IntegrityError(str(summary))
        return str(summary)


class _Check:
    """One run of the check. Its methods raise TimeIsUp."""

    def __init__(
        self,
        storage: PhotoStorage,
        pool: UserPool,
        tables: Tables,
        photos: PhotoCheck,
        repairs: Repairs | None,
        share: int | None,
    ) -> None:
        self.summary = Summary()
        self.has_finished_share = False
        self._storage = storage
        self._pool = pool
        self._tables = tables
        self._photos = photos
        self._repairs = repairs
        self._share = share

    def everything(self) -> Iterator[Finding]:
        """Check all data: first what belongs to the share, so that no run is too short for it."""
        reported = set[Finding]()
        if self._share is not None:
            for finding in self._verify_share(self._share):
                reported.add(finding)
                yield finding
        for finding in self._compare_lists():
            if finding not in reported:
                yield finding

    def _verify_share(self, share: int) -> Iterator[Finding]:
        """Check the photos of a share completely, of every user who has objects."""
        photos, _ = OWNER_FOLDERS
        for sub in self._storage.list_folder(photos):
            if not isinstance(sub, str) or self._is_being_deleted(self._tables.user(sub)):
                continue
            for block in due_blocks(photo_objects(self._storage, sub), share):
                items = self._tables.photos(sub, block.first, block.before)
                for _, findings in self._check_photos(sub, merged(items, block.objects), True):
                    yield from findings

    def _compare_lists(self) -> Iterator[Finding]:
        for sub in self._tables.user_ids():
            if is_due(sub, self._share):
                yield from self.user(sub)
        for sub in self._users_without_item():
            yield from self.user(sub)
        for folder in OWNER_FOLDERS:
            for entry in self._storage.list_folder(folder):
                # An object next to the users' folders belongs to no user.
                if isinstance(entry, StoredObject) and self._photos.is_stale(entry):
                    yield self._delete(Issue.ORPHANED_OBJECT, entry.key)
        self.has_finished_share = True
        if self._share is not None:
            for sub in self._tables.user_ids():
                if not is_due(sub, self._share):
                    yield from self.user(sub)

    def _users_without_item(self) -> Iterator[str]:
        """Yield each user once who only has objects or photos.

        A share has one segment of the photos' items, as a scan reads all of their bytes.
        """
        folders = itertools.chain.from_iterable(map(self._storage.list_folder, OWNER_FOLDERS))
        named = (entry for entry in folders if isinstance(entry, str))
        segment = (0, 1) if self._share is None else (self._share, SHARES)
        owners = self._tables.owners(*segment)
        seen: set[str] = set()
        for sub, _ in itertools.groupby(itertools.chain(named, owners)):
            if sub not in seen and self._tables.user(sub) is None:
                seen.add(sub)
                yield sub

    def user(self, sub: str) -> Iterator[Finding]:
        """Check one user's data by the lists, and without a share also by hashes."""
        self.summary.users += 1
        user = self._tables.user(sub)
        if user is not None and self._is_being_deleted(user):
            yield from self._check_account_deletion(user)
            return
        has_photos, counted, wanted = False, Counters(), DerivedSums()
        listed = merged(self._tables.photos(sub), photo_objects(self._storage, sub))
        for photo, findings in self._check_photos(sub, listed, self._share is None):
            if photo is not None:
                has_photos = True
                counted += Counters.of_photo(photo)
                wanted.add(DerivedData.of_photos([photo]))
                if photo.state != PhotoState.PENDING:
                    self.summary.photos += 1
            yield from findings
        yield from self._check_uploads(sub)
        if has_photos:
            yield from self._check_account(sub, user)
        stored = self._stored_counters(sub)
        if stored is not None and not stored.agree_with(counted):
            yield from self._check_counters(sub)
        if sums_of_items(self._tables.derived_items(sub)) != wanted:
            correct = self._repairs.correct_derived if self._repairs else None
            for issue, is_repaired in check_again(self._tables, sub, correct).items():
                yield Finding(issue, f"user {sub}", is_repaired)

    def _check_photos(
        self, sub: str, listed: Iterator[Listed], verify_hashes: bool
    ) -> Iterator[tuple[Photo | None, Iterator[Finding]]]:
        """Yield the item of each photo ID in the lists, or None, and the findings about it."""
        for one, is_suspect in self._photos.suspects(listed, verify_hashes):
            if verify_hashes and one.photo is not None:
                self.summary.verified += one.photo.state in STORED_STATES
            yield one.photo, self._photos.check_again(sub, one) if is_suspect else iter(())

    def _is_being_deleted(self, user: User | None) -> bool:
        return user is not None and user.deleting_at is not None

    def _check_account_deletion(self, user: User) -> Iterator[Finding]:
        if user.deleting_at > self._photos.stale_before().timestamp():
            return  # The request that deletes the account may still be running.
        if user.deleted_at is None or next(self._tables.photos(user.sub), None) is not None:
            if self._repairs:
                self._repairs.finish_account_deletion(user)
            yield self._finding(Issue.UNFINISHED_ACCOUNT_DELETION, f"user {user.sub}")

    def _check_uploads(self, sub: str) -> Iterator[Finding]:
        _, uploads = user_prefixes(sub)
        oldest = dates.utc_now() - _UPLOAD_LIFE
        for stored in self._storage.list_keys(uploads):
            if stored.modified <= oldest:
                yield self._delete(Issue.STALE_UPLOAD, stored.key)

    def _delete(self, issue: Issue, key: str) -> Finding:
        if self._repairs:
            self._repairs.delete_object(key)
        return self._finding(issue, key)

    def _check_account(self, sub: str, user: User | None) -> Iterator[Finding]:
        """Check that a user who has photos is in the user pool and in the table of users."""
        if self._pool.find(sub) is None:
            yield Finding(Issue.DELETED_ACCOUNT, f"user {sub}")
        elif user is None:
            if self._repairs:
                self._repairs.create_user_record(sub)
            yield self._finding(Issue.NO_USER_RECORD, f"user {sub}")

    def _check_counters(self, sub: str) -> Iterator[Finding]:
        """Count a user's photos again while nothing changes, and correct the counters."""
        for _ in range(_COUNT_TRIES):
            before = self._stored_counters(sub)
            counted = self._count(sub)
            is_stable = self._stored_counters(sub) == before and self._count(sub) == counted
            if before is None or not is_stable:
                continue  # The user is adding or deleting photos.
            if before.agree_with(counted):
                return
            if not self._repairs or self._repairs.correct_counters(sub, before, counted):
                yield self._finding(Issue.WRONG_COUNTERS, f"user {sub}")
                return

    def _stored_counters(self, sub: str) -> Counters | None:
        user = self._tables.user(sub)
        return None if user is None else Counters.of_user(user)

    def _count(self, sub: str) -> Counters:
        # A photo that is being deleted counts until its item is deleted.
        photos = self._tables.photos(sub, consistent=True)
        return sum(map(Counters.of_photo, photos), Counters())

    def _finding(self, issue: Issue, where: str) -> Finding:
        """Return a finding that was repaired if anything is."""
        return Finding(issue, where, self._repairs is not None)


def _log(finding: Finding) -> None:
    write_line("WARNING", integrity=str(finding))
