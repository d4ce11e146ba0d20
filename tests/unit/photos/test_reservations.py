"""How long an upload is pending, compared with what else depends on it."""

from datetime import timedelta
from typing import Any

import yaml

from chalicelib.integrity import check
from chalicelib.photos.models import KEY_LIFE
from chalicelib.photos.quota import MAX_PENDING
from chalicelib.photos.reservations import PENDING_LIFE
from infra.provision import TEMPLATE


def lifecycle_rules() -> list[dict[str, Any]]:
    """Return the lifecycle rules of the photo bucket."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    # CloudFormation's functions, such as !Ref, are not needed here.
    Loader.add_multi_constructor("!", lambda *_: None)
    template = yaml.load(TEMPLATE.read_text(), Loader)
    properties = template["Resources"]["PhotoBucket"]["Properties"]
    rules: list[dict[str, Any]] = properties["LifecycleConfiguration"]["Rules"]
    return rules


def test_s3_keeps_what_was_sent_as_long_as_it_can_be_completed_and_deletes_it_within_two_days() -> (
    None
):
    [rule] = [one for one in lifecycle_rules() if one.get("Prefix") == "uploads/"]
    kept = timedelta(days=rule["ExpirationInDays"])
    assert kept == PENDING_LIFE
    # S3 waits for the next midnight.
    assert kept + timedelta(days=1) == check._UPLOAD_LIFE


def test_upload_can_be_completed_as_long_as_its_idempotency_key_is_remembered() -> None:
    assert PENDING_LIFE == KEY_LIFE == timedelta(days=1)


def test_account_may_have_a_thousand_pending_uploads() -> None:
    assert MAX_PENDING == 1000
