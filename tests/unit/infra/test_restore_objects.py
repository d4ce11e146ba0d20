"""Which version of an object a restore brings back."""

from datetime import UTC, datetime

import pytest

from infra.errors import OperatorError
from infra.restore_objects import BucketRestore, require_history
from tests.support.stubs import stubbed
from tests.support.versions import PAGE, VersionedBucket

MOMENT = 1_000
KEY = "photos/mario/1.jpg"


@pytest.fixture
def bucket() -> VersionedBucket:
    bucket = VersionedBucket()
    bucket.now = 5_000
    return bucket


def restored(bucket: VersionedBucket, moment: int = MOMENT) -> BucketRestore:
    """Restore a bucket, twice: the second time must find nothing to do."""
    restore = BucketRestore(bucket, "bucket", datetime.fromtimestamp(moment, UTC))
    copies, _ = restore.plan()
    restore.bring_back()
    assert len(bucket.copied) == copies
    restore.delete_newer()
    assert restore.plan() == (0, 0)
    return restore


def test_deleted_object_is_brought_back(bucket: VersionedBucket) -> None:
    bucket.write(KEY, 10, "original")
    bucket.delete(KEY, MOMENT + 1)
    restored(bucket)
    assert bucket.contents() == {KEY: "original"}


def test_overwritten_object_gets_the_bytes_of_the_moment(bucket: VersionedBucket) -> None:
    for second in (10, 20, MOMENT + 5, MOMENT + 6):
        bucket.write(KEY, second, f"of {second}")
    restored(bucket)
    assert bucket.contents() == {KEY: "of 20"}
    # Nothing that was newer is lost.
    assert bucket.versions(KEY) == ["of 10", "of 20", "of 1005", "of 1006", "of 20"]


def test_object_that_is_newer_than_the_moment_is_deleted_with_a_marker(
    bucket: VersionedBucket,
) -> None:
    bucket.write(KEY, MOMENT + 1, "newer")
    restored(bucket)
    assert bucket.contents() == {}
    assert bucket.versions(KEY) == ["newer", None]


def test_object_that_was_deleted_before_the_moment_stays_deleted(bucket: VersionedBucket) -> None:
    bucket.write(KEY, 10, "original")
    bucket.delete(KEY, MOMENT - 1)
    bucket.write("photos/mario/2.jpg", 10, "first")
    bucket.delete("photos/mario/2.jpg", MOMENT - 1)
    bucket.write("photos/mario/2.jpg", MOMENT + 1, "stored again")
    restored(bucket)
    assert bucket.contents() == {}


def test_object_that_has_not_changed_is_not_copied(bucket: VersionedBucket) -> None:
    bucket.write(KEY, 10, "original")
    restored(bucket)
    assert bucket.copied == []


@pytest.mark.parametrize("second", [MOMENT - 1, MOMENT])
def test_object_that_was_stored_until_the_second_of_the_moment_is_there(
    bucket: VersionedBucket, second: int
) -> None:
    bucket.write(KEY, second, "original")
    bucket.write(KEY, MOMENT + 1, "newer")
    restored(bucket)
    assert bucket.contents() == {KEY: "original"}


def test_object_that_was_deleted_in_the_second_of_the_moment_is_there(
    bucket: VersionedBucket,
) -> None:
    # Its item may have been read just before: it must not lack its object.
    bucket.write(KEY, 10, "original")
    bucket.delete(KEY, MOMENT)
    restored(bucket)
    assert bucket.contents() == {KEY: "original"}


def test_last_of_two_versions_in_the_second_of_the_moment_is_brought_back(
    bucket: VersionedBucket,
) -> None:
    bucket.write(KEY, MOMENT, "first")
    bucket.write(KEY, MOMENT, "second")
    bucket.delete(KEY, MOMENT + 1)
    restored(bucket)
    assert bucket.contents() == {KEY: "second"}


def test_version_counts_as_newer_than_a_marker_of_the_same_second(bucket: VersionedBucket) -> None:
    bucket.write(KEY, 10, "original")
    bucket.delete(KEY, 10)
    bucket.write(KEY, MOMENT + 1, "newer")
    restored(bucket)
    assert bucket.contents() == {KEY: "original"}


def test_current_marker_counts_as_newer_than_a_version_of_the_same_second(
    bucket: VersionedBucket,
) -> None:
    bucket.write(KEY, 10, "original")
    bucket.delete(KEY, 10)
    restored(bucket)
    assert bucket.contents() == {}


def test_object_that_was_deleted_in_the_second_in_which_it_was_brought_back_is_brought_back(
    bucket: VersionedBucket,
) -> None:
    bucket.write(KEY, 10, "original")
    bucket.write(KEY, MOMENT + 1, "original")
    bucket.delete(KEY, MOMENT + 1)
    restored(bucket)
    assert bucket.contents() == {KEY: "original"}


def test_object_whose_version_has_expired_is_deleted(bucket: VersionedBucket) -> None:
    # A thumbnail that was replaced: the check creates the right one again.
    bucket.write(KEY, 10, "original")
    bucket.write(KEY, MOMENT + 1, "newer")
    bucket.expire(KEY)
    restored(bucket)
    assert bucket.contents() == {}


def test_restore_can_be_undone_by_restoring_to_the_moment_before_it(
    bucket: VersionedBucket,
) -> None:
    bucket.write(KEY, 10, "original")
    bucket.write(KEY, MOMENT + 1, "edited")
    bucket.write("photos/mario/2.jpg", MOMENT + 1, "newer")
    before = bucket.contents()
    restored(bucket)
    bucket.now += 100
    bucket.copied.clear()
    restored(bucket, bucket.now - 101)
    assert bucket.contents() == before


def test_versions_of_many_keys_are_read_over_page_boundaries(bucket: VersionedBucket) -> None:
    for number in range(10):
        for second in range(PAGE + number):
            bucket.write(f"photos/mario/{number}.jpg", second * 400, f"{number} at {second}")
        bucket.write(f"uploads/mario/{number}", 10, "upload")
        bucket.delete(f"uploads/mario/{number}", MOMENT + 1)
    bucket.write("other/key", MOMENT + 1, "not the album's")
    restored(bucket)
    expected = {f"photos/mario/{number}.jpg": f"{number} at 2" for number in range(10)}
    expected |= {f"uploads/mario/{number}": "upload" for number in range(10)}
    assert bucket.contents() == expected | {"other/key": "not the album's"}


def test_copy_keeps_headers_tags_and_storage_class(bucket: VersionedBucket) -> None:
    bucket.write(KEY, 10, "original", "INTELLIGENT_TIERING")
    bucket.delete(KEY, MOMENT + 1)
    restored(bucket)
    assert bucket.copied == [
        {
            "Bucket": "bucket",
            "Key": KEY,
            "CopySource": {"Bucket": "bucket", "Key": KEY, "VersionId": "0"},
            "MetadataDirective": "COPY",
            "TaggingDirective": "COPY",
            "StorageClass": "INTELLIGENT_TIERING",
        }
    ]


def test_objects_that_s3_does_not_delete_are_an_error(bucket: VersionedBucket) -> None:
    bucket.write(KEY, MOMENT + 1, "newer")
    bucket.fails_to_delete = True
    restore = BucketRestore(bucket, "bucket", datetime.fromtimestamp(MOMENT, UTC))
    with pytest.raises(OperatorError, match="Run the same command again"):
        restore.delete_newer()


def test_only_a_missing_object_counts_as_missing(bucket: VersionedBucket) -> None:
    bucket.write(KEY, 10, "original")
    restore = restored(bucket)
    assert restore.has(KEY)
    assert not restore.has("photos/mario/missing.jpg")
    with stubbed("s3") as s3:
        s3.add_client_error("head_object", "403", http_status_code=403)
        forbidden = BucketRestore(s3.client, "bucket", datetime.fromtimestamp(MOMENT, UTC))
        with pytest.raises(s3.client.exceptions.ClientError):
            forbidden.has(KEY)


@pytest.mark.parametrize("answer", [{}, {"Status": "Suspended"}])
def test_bucket_that_keeps_nothing_cannot_be_restored(answer: dict[str, str]) -> None:
    with stubbed("s3") as s3:
        s3.add_response("get_bucket_versioning", answer)
        with pytest.raises(OperatorError, match="KEEP_DELETED_DAYS=0"):
            require_history(s3.client, "bucket")
