"""What the integrity check reports, by IDs and keys alone: it is read by operators and logged."""

import collections
from dataclasses import dataclass, field
from enum import StrEnum


class Issue(StrEnum):
    """What can be wrong. `docs/reliability.md` explains each, and how it is repaired."""

    MISSING_ORIGINAL = "original missing"
    DIFFERENT_ORIGINAL = "original differs from its record (size or hash)"
    THUMBNAIL = "thumbnail missing or different"
    PREVIEW = "preview missing or different"
    NO_PREVIEW = "no preview yet (photo of an earlier version)"
    ORPHANED_OBJECT = "orphaned object"
    UNFINISHED_DELETION = "unfinished deletion"
    WRONG_COUNTERS = "wrong counters"
    WRONG_MONTHS = "wrong counters of months"
    WRONG_TAGS = "wrong counters of tags"
    WRONG_LISTS = "wrong members of favorites, albums or trash"
    WRONG_HASHES = "wrong list of known images"
    STALE_UPLOAD = "stale upload"
    UNFINISHED_ACCOUNT_DELETION = "unfinished account deletion"
    NO_USER_RECORD = "photos without a user record"
    DELETED_ACCOUNT = "photos of a deleted account"


# These issues raise no alarm: DynamoDB's TTL and S3's lifecycle rules are lazy by design, and
# without a preview, the original is shown.
_HARMLESS = {Issue.STALE_UPLOAD, Issue.NO_PREVIEW}


@dataclass(frozen=True)
class Finding:
    """One issue, and the photo, user or object that has it."""

    issue: Issue
    where: str
    repaired: bool = False

    def __str__(self) -> str:
        return f"{self.issue}: {self.where}{' (repaired)' if self.repaired else ''}"


@dataclass
class Summary:
    """How much was checked, and how many issues were found."""

    users: int = 0
    photos: int = 0
    verified: int = 0  # photos whose hashes were compared, and not only the lists
    found: collections.Counter[Issue] = field(default_factory=collections.Counter)
    remaining: collections.Counter[Issue] = field(default_factory=collections.Counter)
    is_complete: bool = True  # False if time was up
    is_behind: bool = False  # True if time was up even before the share of this day was complete

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        self.found[finding.issue] += 1
        if not finding.repaired:
            self.remaining[finding.issue] += 1

    @property
    def is_healthy(self) -> bool:
        """Whether everything was checked, and no issue remains."""
        return self.is_complete and not self.remaining

    @property
    def needs_attention(self) -> bool:
        """Whether an operator must act, because what remains is not harmless."""
        return self.is_behind or bool(set(self.remaining) - _HARMLESS)

    def __str__(self) -> str:
        found, repaired = self.found.total(), self.found.total() - self.remaining.total()
        early = "" if self.is_complete else " (stopped early: time was up)"
        if not self.is_complete and not self.is_behind:
            early = " (stopped early: time was up after the share of this day)"
        return (
            f"{self.users} users, {self.photos} photos, {self.verified} verified by their hashes: "
            f"{found} issues, {repaired} repaired{early}"
        )


class IntegrityError(Exception):
    """Issues that need an operator's attention. For the operator, never for a client."""
