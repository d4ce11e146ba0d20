"""Restore the photo bucket to one moment, from the versions that it keeps.

S3 records whole seconds. An object that was stored in the second of the moment counts as there,
and one that was deleted in it, too: an item of that moment must never lack its object. Nothing is
lost: what is replaced or deleted here becomes a noncurrent version.
"""

import heapq
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.photos.storage import OWNER_FOLDERS
from infra.errors import OperatorError

_THREADS = 8  # no more than the connections that a client keeps open
_COPY_BATCH = 200
_DELETE_BATCH = 1000  # the most that S3 deletes in one call


@dataclass(frozen=True)
class Version:
    """One version of an object, or the marker of its deletion."""

    key: str
    version_id: str
    written: int  # seconds since the epoch, floored
    is_current: bool
    is_marker: bool = False
    etag: str = ""
    size: int = 0
    storage_class: str = ""

    def counts_at(self, moment: int) -> bool:
        """Return whether it belongs to the state of a moment, in seconds since the epoch."""
        return self.written < moment or (self.written == moment and not self.is_marker)

    def has_content_of(self, other: "Version") -> bool:
        """Return whether two versions have the same bytes: a copy has its source's ETag."""
        return not self.is_marker and (self.etag, self.size) == (other.etag, other.size)


class BucketRestore:
    """The changes that make a bucket's objects those of one moment; each is safe to repeat."""

    def __init__(self, s3: Any, bucket: str, moment: datetime) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._moment = int(moment.timestamp())

    def plan(self) -> tuple[int, int]:
        """Return how many objects have to be brought back, and how many deleted."""
        copies = deletions = 0
        for _, wanted in self._changes():
            copies += wanted is not None
            deletions += wanted is None
        return copies, deletions

    def bring_back(self) -> None:
        """Copy each object that has changed or is gone from the version of the moment."""
        wanted = (version for _, version in self._changes() if version is not None)
        with ThreadPoolExecutor(_THREADS) as threads:
            while batch := list(itertools.islice(wanted, _COPY_BATCH)):
                list(threads.map(self._copy, batch))

    def delete_newer(self) -> None:
        """Delete the objects that did not exist at the moment. Raises OperatorError."""
        newer = (key for key, version in self._changes() if version is None)
        while batch := list(itertools.islice(newer, _DELETE_BATCH)):
            response = self._s3.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True},
            )
            if response.get("Errors"):
                raise OperatorError("S3 did not delete all objects. Run the same command again.")

    def has(self, key: str) -> bool:
        """Return whether an object exists now."""
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return False
            raise
        return True

    def _changes(self) -> Iterator[tuple[str, Version | None]]:
        """Yield each key to change, and the version to bring back, or None to delete the object."""
        for key, found in itertools.groupby(self._versions(), key=lambda version: version.key):
            # S3 records whole seconds: within one, a version counts as newer than a marker.
            newest_first = sorted(
                found, key=lambda one: (not one.is_current, -one.written, one.is_marker)
            )
            current = newest_first[0]
            wanted = next((one for one in newest_first if one.counts_at(self._moment)), None)
            if wanted is None or wanted.is_marker:
                if not current.is_marker:
                    yield key, None
            elif not current.has_content_of(wanted):
                yield key, wanted

    def _versions(self) -> Iterator[Version]:
        """Yield all versions and markers in key order, page by page."""
        pages = self._s3.get_paginator("list_object_versions")
        for prefix in OWNER_FOLDERS:
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                # S3 lists them in one order, but botocore returns them as two lists.
                yield from heapq.merge(
                    map(_version, page.get("Versions", [])),
                    map(_marker, page.get("DeleteMarkers", [])),
                    key=lambda version: version.key,
                )

    def _copy(self, version: Version) -> None:
        """Make a version current again, with its metadata, checksum and tags."""
        self._s3.copy_object(
            Bucket=self._bucket,
            Key=version.key,
            CopySource={
                "Bucket": self._bucket,
                "Key": version.key,
                "VersionId": version.version_id,
            },
            MetadataDirective="COPY",
            TaggingDirective="COPY",
            StorageClass=version.storage_class,  # A copy would be in S3 Standard otherwise.
        )


def require_history(s3: Any, bucket: str) -> None:
    """Raise OperatorError unless a bucket keeps what is overwritten or deleted."""
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise OperatorError(
            f"The bucket {bucket} keeps no deleted objects (KEEP_DELETED_DAYS=0), so that it "
            "cannot be restored."
        )


def _version(listed: dict[str, Any]) -> Version:
    return Version(
        listed["Key"],
        listed["VersionId"],
        int(listed["LastModified"].timestamp()),
        listed["IsLatest"],
        etag=listed["ETag"],
        size=listed["Size"],
        storage_class=listed["StorageClass"],
    )


def _marker(listed: dict[str, Any]) -> Version:
    written = int(listed["LastModified"].timestamp())
    return Version(listed["Key"], listed["VersionId"], written, listed["IsLatest"], is_marker=True)
