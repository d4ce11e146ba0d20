"""Parts of the data stack's template that no emulator has."""

from typing import Any

import pytest
import yaml
from moto.cloudformation.utils import yaml_tag_constructor

from infra.provision import TEMPLATE


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    Loader.add_multi_constructor("", yaml_tag_constructor)
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader)
    return loaded


def test_owner_is_emailed_at_80_percent_of_the_budget_and_at_a_forecast_of_100(
    template: dict[str, Any],
) -> None:
    budget = template["Resources"]["Budget"]["Properties"]
    assert budget["Budget"] == {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": {"Ref": "BudgetUsd"}, "Unit": "USD"},
    }
    owner = {"SubscriptionType": "EMAIL", "Address": {"Ref": "OwnerEmail"}}
    warnings = []
    for one in budget["NotificationsWithSubscribers"]:
        assert one["Subscribers"] == [owner]
        assert one["Notification"]["ThresholdType"] == "PERCENTAGE"
        assert one["Notification"]["ComparisonOperator"] == "GREATER_THAN"
        warnings.append((one["Notification"]["NotificationType"], one["Notification"]["Threshold"]))
    assert warnings == [("ACTUAL", 80), ("FORECASTED", 100)]


def test_stack_without_an_owner_or_a_budget_creates_none(template: dict[str, Any]) -> None:
    assert template["Resources"]["Budget"]["Condition"] == "HasBudget"
    without = [("OwnerEmail", ""), ("BudgetUsd", 0)]
    assert template["Conditions"]["HasBudget"] == {
        "Fn::And": [
            {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, empty]}]} for name, empty in without
        ]
    }
    # A stack that is created without these parameters has neither.
    assert [template["Parameters"][name]["Default"] for name, _ in without] == ["", 0]


def test_bucket_of_photos_rejects_plain_http_and_is_encrypted(template: dict[str, Any]) -> None:
    [statement] = template["Resources"]["PhotoBucketPolicy"]["Properties"]["PolicyDocument"][
        "Statement"
    ]
    assert statement["Effect"] == "Deny"
    assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    # Only the embedded AWS, which has no HTTPS, turns it off.
    assert template["Parameters"]["TlsOnly"]["Default"] == "true"
    bucket = template["Resources"]["PhotoBucket"]["Properties"]
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@pytest.mark.parametrize("bucket", ["PhotoBucket", "PackageBucket"])
def test_bucket_cannot_be_made_public(template: dict[str, Any], bucket: str) -> None:
    properties = template["Resources"][bucket]["Properties"]
    access = properties["PublicAccessBlockConfiguration"]
    assert len(access) == 4
    assert all(access.values())
    # ACLs are off.
    [rule] = properties["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "BucketOwnerEnforced"


@pytest.mark.parametrize("table", ["PhotoTable", "UserTable"])
def test_table_can_be_restored_to_any_second_of_its_history(
    template: dict[str, Any], table: str
) -> None:
    recovery = template["Resources"][table]["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
