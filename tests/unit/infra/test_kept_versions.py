"""The bucket keeps what is deleted, and no function can destroy it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import provision
from infra.choices import CHOICES
from infra.errors import OperatorError
from infra.provision import TEMPLATE

ROOT = Path(__file__).parents[3]
POLICIES = sorted(ROOT.glob(".chalice/policy-*.json"))
# What S3 and DynamoDB keep, these actions can neither remove nor make expire.
HARMLESS = {
    *("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
    *("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem"),
    *("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
    *("dynamodb:Scan", "dynamodb:UpdateItem"),
}


def statements(policy: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(policy.read_text())["Statement"]
    return found


def bucket() -> dict[str, Any]:
    """Return the photo bucket's properties in the template."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def function(loader: Loader, name: str, node: Any) -> dict[str, Any]:
        is_list = isinstance(node, yaml.SequenceNode)
        value = loader.construct_sequence(node, deep=True) if is_list else node.value
        return {name if name == "Ref" else f"Fn::{name}": value}

    Loader.add_multi_constructor("!", function)
    template = yaml.load(TEMPLATE.read_text(), Loader)
    properties: dict[str, Any] = template["Resources"]["PhotoBucket"]["Properties"]
    return properties


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.stem)
def test_no_function_can_destroy_what_the_bucket_and_the_tables_keep(policy: Path) -> None:
    for statement in statements(policy):
        for action in statement["Action"]:
            if action.startswith(("s3:", "dynamodb:")):
                # A tag makes old versions expire after a day, so only renditions may have it.
                is_tag = action == "s3:PutObjectTagging" and statement["Sid"] == "Renditions"
                assert action in HARMLESS or is_tag, action
            assert "*" not in action


def test_api_can_tag_renditions_only() -> None:
    [renditions] = [
        statement
        for policy in POLICIES
        for statement in statements(policy)
        if any("Tagging" in action for action in statement["Action"])
    ]
    assert renditions["Resource"] == [
        f"arn:aws:s3:::cloudalbum-dev-photos-*/photos/*/{folder}/*"
        for folder in ("previews", "thumbnails")
    ]


def test_bucket_keeps_deleted_originals_for_the_chosen_days_and_renditions_for_one() -> None:
    assert bucket()["VersioningConfiguration"] == {
        "Status": {"Fn::If": ["KeepsDeleted", "Enabled", "Suspended"]}
    }
    rules = {rule["Id"]: rule for rule in bucket()["LifecycleConfiguration"]["Rules"]}
    days = {
        name: rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for name, rule in rules.items()
    }
    assert days == {
        "remove-uploads-that-were-never-completed": 1,
        "remove-what-was-deleted": {"Fn::If": ["KeepsDeleted", {"Ref": "KeepDeletedDays"}, 1]},
        "remove-deleted-renditions": 1,
    }
    everything, renditions = rules["remove-what-was-deleted"], rules["remove-deleted-renditions"]
    assert not {"Prefix", "TagFilters"} & set(everything)
    assert everything["ExpiredObjectDeleteMarker"] is True
    assert renditions["TagFilters"] == [{"Key": "kind", "Value": "rendition"}]
    # S3 rejects a rule that has both.
    assert not [
        rule
        for rule in rules.values()
        if "ExpiredObjectDeleteMarker" in rule and {"ExpirationInDays", "TagFilters"} & set(rule)
    ]


def test_what_is_deleted_is_kept_as_long_as_the_tables_history() -> None:
    assert CHOICES["KEEP_DELETED_DAYS"] == "35"


@pytest.mark.parametrize("value", ["36", "-1", "week", "350", "035"])
def test_days_that_the_tables_cannot_be_restored_to_are_rejected(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("KEEP_DELETED_DAYS", value)
    with pytest.raises(OperatorError, match="KEEP_DELETED_DAYS must be a whole number from 0 to"):
        provision.main()
