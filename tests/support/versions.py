"""A bucket with the history that a test writes down, listed as S3 lists versions."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

PAGE = 3  # versions and markers in a page


class VersionedBucket:
    """The calls of an S3 client that a restore makes; time is a number of seconds."""

    def __init__(self) -> None:
        self.now = 0
        self.fails_to_delete = False
        self.copied: list[dict[str, Any]] = []
        # Of each key, oldest first: second, content (None for a marker), storage class.
        self._history: dict[str, list[tuple[int, str | None, str]]] = {}

    def write(self, key: str, second: int, content: str, storage_class: str = "STANDARD") -> None:
        """Store an object at a time."""
        self._history.setdefault(key, []).append((second, content, storage_class))

    def delete(self, key: str, second: int) -> None:
        """Delete an object at a time."""
        self._history.setdefault(key, []).append((second, None, ""))

    def expire(self, key: str) -> None:
        """Remove all versions that are not current, as a lifecycle rule does."""
        del self._history[key][:-1]

    def contents(self) -> dict[str, str]:
        """Return the current objects."""
        current = {key: versions[-1][1] for key, versions in self._history.items()}
        return {key: content for key, content in current.items() if content is not None}

    def versions(self, key: str) -> list[str | None]:
        """Return all contents that a key has had, oldest first, None for a marker."""
        return [content for _, content, _ in self._history[key]]

    # What botocore's client has:

    def get_bucket_versioning(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return {"Status": "Enabled"}

    def get_paginator(self, operation: str) -> "VersionedBucket":
        assert operation == "list_object_versions"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        entries = [
            (key, number, *self._history[key][number])
            for key in sorted(self._history)
            if key.startswith(Prefix)
            for number in reversed(range(len(self._history[key])))
        ]
        for start in range(0, len(entries), PAGE):
            page: dict[str, Any] = {}
            for key, number, second, content, storage_class in entries[start : start + PAGE]:
                listed = {
                    "Key": key,
                    "VersionId": str(number),
                    "IsLatest": number == len(self._history[key]) - 1,
                    "LastModified": datetime.fromtimestamp(second, UTC),
                }
                if content is None:
                    page.setdefault("DeleteMarkers", []).append(listed)
                    continue
                listed |= {"ETag": content, "Size": len(content), "StorageClass": storage_class}
                page.setdefault("Versions", []).append(listed)
            yield page

    def copy_object(self, **parameters: Any) -> None:
        source = parameters["CopySource"]
        _, content, _ = self._history[source["Key"]][int(source["VersionId"])]
        assert content is not None
        self.copied.append(parameters)
        self.write(parameters["Key"], self.now, content, parameters["StorageClass"])

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        if self.fails_to_delete:
            return {"Errors": [{"Code": "InternalError"}]}
        for one in Delete["Objects"]:
            assert set(one) == {"Key"}  # A version would be gone.
            self.delete(one["Key"], self.now)
        return {}

    def head_object(self, Bucket: str, Key: str) -> None:  # noqa: N803
        if Key not in self.contents():
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
