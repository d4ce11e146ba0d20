"""Each function of the package has every permission that it needs, and no other."""

import base64
import hashlib
import hmac
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.background import ROOT, RunningStack
from tests.support import images
from tests.support.deployed import DeployedStage, photo_bucket
from tests.support.people import PASSWORD, Person, post_to_s3

POLICIES = {"APIHandler": "policy-dev.json", "JwtAuth": "policy-dev-authorizer.json"}
# The emulator does not enforce the first three. The last is for `chalice deploy` only.
NOT_TESTED = {"Logs", "Renditions", "Traces", "Settings"}
# As in .chalice, but on all resources: the emulator authorizes it only so.
READS_SETTINGS = {
    "Sid": "Settings",
    "Effect": "Allow",
    "Action": ["ssm:GetParametersByPath"],
    "Resource": ["*"],
}
# What EventBridge sends.
DAILY_EVENT: dict[str, Any] = dict.fromkeys(
    ("version", "account", "region", "detail-type", "source", "time", "id"), ""
) | {"detail": {}, "resources": []}
_numbers = itertools.count(1)


def enforced(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Return statement and action of each permission that the emulator enforces."""
    return [
        (statement["Sid"], action)
        for statement in policy["Statement"]
        if statement["Sid"] not in NOT_TESTED
        for action in statement["Action"]
    ]


def enforced_permissions() -> Iterator[tuple[str, str, str]]:
    """Return function, statement and action of each permission of the API's functions."""
    for function, name in POLICIES.items():
        for statement, action in enforced(json.loads((ROOT / ".chalice" / name).read_text())):
            yield function, statement, action


@pytest.fixture(scope="module")
def deployed(stack: RunningStack, packaged_url: str) -> DeployedStage:
    return DeployedStage(stack, packaged_url)


def create_unconfirmed_account(stack: RunningStack, email: str) -> None:
    """Create an account as an interrupted sign-up leaves it."""
    ssm = stack.make_client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/cloudalbum/", WithDecryption=True
    )
    settings = {
        one["Name"].split("/")[-1]: one["Value"] for page in pages for one in page["Parameters"]
    }
    client_id = settings["COGNITO_CLIENT_ID"]
    secret = settings["COGNITO_CLIENT_SECRET"].encode()
    digest = hmac.new(secret, (email + client_id).encode(), hashlib.sha256).digest()
    stack.make_client("cognito-idp").sign_up(
        ClientId=client_id,
        SecretHash=base64.b64encode(digest).decode(),
        Username=email,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )


def leave_uncompleted_upload(stack: RunningStack, user_id: str) -> None:
    """Store an object as an upload leaves it that was never completed."""
    stack.make_client("s3").put_object(
        Bucket=photo_bucket(stack), Key=f"uploads/{user_id}/uncompleted", Body=b"left"
    )


def upload_directly(person: Person, image: bytes) -> Iterator[int]:
    """Upload an image directly to S3, and yield the status of each of the last two steps."""
    started = person.begin_upload(len(image))
    if not started.ok:
        yield started.status_code
        return
    yield post_to_s3(started.json()["upload"], image).status_code
    yield person.complete(started).status_code


def use_everything(deployed: DeployedStage) -> Iterator[int]:
    """Use everything that the API offers, step by step, and yield the status of each step."""
    person = Person.at(deployed.url, f"everything-{next(_numbers)}@example.com")
    create_unconfirmed_account(deployed.stack, person.email)
    yield person.sign_up().status_code
    yield person.sign_in().status_code
    first = person.upload(images.jpeg())
    yield first.status_code
    photo = first.json()["photo"]
    path = f"/photos/{photo['id']}"
    yield person.upload(images.jpeg()).status_code
    yield from upload_directly(person, images.jpeg())
    yield person.get("/photos").status_code
    yield person.get(path).status_code
    yield person.send("PATCH", path, tags="sea", favorite=True).status_code
    yield person.send("POST", "/photos/known", sha256=[photo["sha256"]]).status_code
    yield person.post(f"{path}/trash").status_code
    yield person.post(f"{path}/restore").status_code
    yield person.delete("/photos/trash").status_code
    yield requests.get(photo["originalSrc"], timeout=30).status_code
    yield requests.get(photo["thumbSrc"], timeout=30).status_code
    yield person.delete(path).status_code
    yield person.get("/users/me").status_code
    yield person.send("PATCH", "/users/me", username="Other").status_code
    yield person.sign_out().status_code
    yield person.sign_in().status_code
    passwords = {"oldPassword": person.password, "newPassword": person.password + "!"}
    yield person.send("PUT", "/users/me/password", **passwords).status_code
    person.password += "!"
    yield person.sign_in().status_code
    leave_uncompleted_upload(deployed.stack, photo["user_id"])
    yield person.send("DELETE", "/users/me", password=person.password).status_code


SUCCESS = [200] * 4 + [204] + [200] * 18


def everything_works(deployed: DeployedStage) -> bool:
    """Return whether each step succeeds; stop at the first that does not."""
    return all(
        status == expected
        for status, expected in zip(use_everything(deployed), SUCCESS, strict=True)
    )


def test_functions_have_enough_permissions_for_everything(deployed: DeployedStage) -> None:
    assert list(use_everything(deployed)) == SUCCESS


@pytest.mark.parametrize(("function", "statement", "action"), list(enforced_permissions()))
def test_something_fails_without_any_one_permission(
    deployed: DeployedStage, function: str, statement: str, action: str
) -> None:
    with deployed.without_permission(function, statement, action):
        assert not everything_works(deployed)


@pytest.mark.parametrize("function", POLICIES)
def test_function_may_read_all_parameters_only_after_a_plain_chalice_deploy(
    deployed: DeployedStage, function: str
) -> None:
    with deployed.without_settings(function):
        assert not everything_works(deployed)
        with deployed.with_statement(function, READS_SETTINGS):
            assert everything_works(deployed)


@pytest.fixture(scope="module")
def _missing_thumbnail(deployed: DeployedStage) -> None:
    """Delete a photo's thumbnail, which makes the integrity check use all of its permissions."""
    person = Person.registered(deployed.url, f"everything-{next(_numbers)}@example.com")
    photo = person.upload(images.jpeg()).json()["photo"]
    deployed.stack.make_client("s3").delete_object(
        Bucket=photo_bucket(deployed.stack),
        Key=f"photos/{photo['user_id']}/thumbnails/{photo['id']}.jpg",
    )


def daily_check_error(deployed: DeployedStage) -> str:
    """Run the daily integrity check, and return the text of the error that it raises."""
    response = deployed.stack.make_client("lambda").invoke(
        FunctionName=deployed.names["CheckIntegrity"], Payload=json.dumps(DAILY_EVENT)
    )
    error: str = json.load(response["Payload"])["errorMessage"]
    return error


@pytest.mark.usefixtures("_missing_thumbnail")
def test_daily_check_reports_issues_and_needs_each_of_its_permissions(
    deployed: DeployedStage,
) -> None:
    assert " issues, " in daily_check_error(deployed)
    _, policy = deployed.policy("CheckIntegrity")
    permissions = enforced(policy)
    assert len(permissions) == 8
    for statement, action in permissions:
        with deployed.without_permission("CheckIntegrity", statement, action):
            assert " issues, " not in daily_check_error(deployed), (statement, action)


def trash_photo(deployed: DeployedStage, days: int) -> tuple[str, str]:
    """Store a photo that has been in the trash for some days; return its owner and its ID."""
    person = Person.registered(deployed.url, f"trash-{next(_numbers)}@example.com")
    photo_id = person.upload(images.jpeg()).json()["photo_id"]
    photo = person.post(f"/photos/{photo_id}/trash").json()["photo"]
    dynamodb, key = deployed.stack.make_client("dynamodb"), {"user_id": {"S": photo["user_id"]}}
    date = datetime.fromisoformat(photo["trashed_date"])
    earlier = (date - timedelta(days=days)).isoformat(timespec="milliseconds")
    members = [
        key | {"id": {"S": f"key#list#trash#{one}#{photo_id}"}}
        for one in (photo["trashed_date"], earlier)
    ]
    dynamodb.delete_item(TableName="Photo", Key=members[0])
    dynamodb.put_item(TableName="Photo", Item=members[1])
    dynamodb.update_item(
        TableName="Photo",
        Key=key | {"id": {"S": photo_id}},
        UpdateExpression="SET trashed_date = :date",
        ExpressionAttributeValues={":date": {"S": earlier}},
    )
    return photo["user_id"], photo_id


def test_trash_is_emptied_by_age_with_exactly_the_functions_permissions(
    deployed: DeployedStage,
) -> None:
    def run() -> Any:
        response = deployed.stack.make_client("lambda").invoke(
            FunctionName=deployed.names["EmptyTrash"], Payload=json.dumps(DAILY_EVENT)
        )
        return json.load(response["Payload"])

    def exists(sub: str, photo_id: str) -> bool:
        key = {"user_id": {"S": sub}, "id": {"S": photo_id}}
        return "Item" in deployed.stack.make_client("dynamodb").get_item(TableName="Photo", Key=key)

    recent = trash_photo(deployed, 29)
    _, policy = deployed.policy("EmptyTrash")
    permissions = enforced(policy)
    assert len(permissions) == 7
    for statement, action in permissions:
        old = trash_photo(deployed, 31)  # of which nothing has been deleted yet
        with deployed.without_permission("EmptyTrash", statement, action):
            assert "errorMessage" in run(), (statement, action)
            assert exists(*old)
    assert "users with a trash" in run()
    assert (exists(*recent), exists(*old)) == (True, False)
    objects = deployed.stack.make_client("s3").list_objects_v2(
        Bucket=photo_bucket(deployed.stack), Prefix=f"photos/{old[0]}/"
    )
    assert objects["KeyCount"] == 0


def test_chalice_plans_the_same_permissions(stack: RunningStack) -> None:
    chalice = Path(sys.executable).parent / "chalice"
    # It reads which log groups exist, so it needs some AWS, but changes nothing there.
    run = subprocess.run(
        [str(chalice), "dev", "plan"],
        cwd=ROOT,
        env=os.environ | stack.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for name in (*POLICIES.values(), "policy-dev-integrity.json", "policy-dev-trash.json"):
        policy = json.loads((ROOT / ".chalice" / name).read_text())
        for statement in policy["Statement"]:
            assert statement["Action"][0] in run.stdout
