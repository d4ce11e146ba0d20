"""Each permission of the deployed functions: together they are sufficient, and each is needed."""

import base64
import contextlib
import copy
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import requests

from infra import stacks
from infra.background import ROOT, RunningStack
from infra.stages import Stage
from tests.support import images
from tests.support.people import Person

pytestmark = pytest.mark.xdist_group("packaged")

POLICIES = {"APIHandler": "policy-dev.json", "JwtAuth": "policy-dev-authorizer.json"}
ROLES = {
    "APIHandler": "ApiHandlerRole",
    "CheckIntegrity": "CheckIntegrityRole",
    "JwtAuth": "JwtAuthRole",
}
# MiniStack does not check these.
NOT_ENFORCED = {"Logs", "Traces"}


def enforced_actions() -> Iterator[tuple[str, str, str]]:
    """Return (function, statement, action) for every permission that MiniStack enforces."""
    for function, name in POLICIES.items():
        policy = json.loads((ROOT / ".chalice" / name).read_text())
        for statement in policy["Statement"]:
            if statement["Sid"] not in NOT_ENFORCED:
                for action in statement["Action"]:
                    yield function, statement["Sid"], action


class Deployed:
    """The functions of the deployed stage, whose permissions can be changed."""

    def __init__(self, stack: RunningStack, url: str) -> None:
        self.stack = stack
        self.url = url
        self._iam = stack.make_client("iam")
        resources = stack.make_client("cloudformation").describe_stack_resources(
            StackName=Stage("dev").app_stack
        )["StackResources"]
        self.names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}

    def policy(self, function: str) -> tuple[str, dict[str, Any]]:
        """Return the name and the document of a function's policy."""
        role = self.names[ROLES[function]]
        [name] = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        return name, self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

    def put_policy(self, function: str, name: str, document: dict[str, Any]) -> None:
        """Change a function's permissions from its next start, which is a cold one."""
        self._iam.put_role_policy(
            RoleName=self.names[ROLES[function]],
            PolicyName=name,
            PolicyDocument=json.dumps(document),
        )
        self.restart(function)

    def restart(self, function: str, **changed: str | None) -> str | None:
        """Make the next call of a function a cold start, with changes to its environment.

        Return the settings that were in its environment before.
        """
        client, name = self.stack.make_client("lambda"), self.names[function]
        before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        after = before | {"RESTARTS": str(int(before.get("RESTARTS", "0")) + 1)} | changed
        variables = {key: value for key, value in after.items() if value is not None}
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        settings: str | None = before.get("CLOUDALBUM_SETTINGS")
        return settings

    @contextlib.contextmanager
    def without_settings(self, *functions: str) -> Iterator[None]:
        """Remove the settings from the environment of functions, as after `chalice deploy`."""
        removed = {name: self.restart(name, CLOUDALBUM_SETTINGS=None) for name in functions}
        try:
            yield
        finally:
            for name, settings in removed.items():
                assert settings is not None
                self.restart(name, CLOUDALBUM_SETTINGS=settings)

    @contextlib.contextmanager
    def without(self, function: str, statement: str, action: str) -> Iterator[None]:
        """Remove one permission from a function until the block ends."""
        name, document = self.policy(function)
        reduced = copy.deepcopy(document)
        [found] = [one for one in reduced["Statement"] if one["Sid"] == statement]
        found["Action"].remove(action)
        reduced["Statement"] = [one for one in reduced["Statement"] if one["Action"]]
        self.put_policy(function, name, reduced)
        try:
            yield
        finally:
            self.put_policy(function, name, document)


@pytest.fixture(scope="module")
def deployed(stack: RunningStack, packaged_url: str) -> Deployed:
    return Deployed(stack, packaged_url)


_count = iter(range(1000))


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
        Password="Secret-2026",
        UserAttributes=[{"Name": "email", "Value": email}],
    )


def create_incomplete_upload(stack: RunningStack, user_id: str) -> str:
    """Create an upload that is never completed, and return its key."""
    key = f"uploads/{user_id}/unfinished"
    stack.make_client("s3").put_object(Bucket=photo_bucket(stack), Key=key, Body=b"incomplete")
    return key


def photo_bucket(stack: RunningStack) -> str:
    outputs = stacks.outputs(stack.make_client("cloudformation"), Stage("dev").data_stack)
    assert outputs is not None
    return outputs["PhotoBucketName"]


def sign_in_with_new_password(person: Person) -> requests.Response:
    person.password += "!"
    return person.sign_in()


def upload_directly_to_s3(person: Person, picture: bytes) -> tuple[int, int]:
    """Upload with a presigned POST, and return its status and that of the completion."""
    started = person.send("POST", "/photos/uploads", filesize=len(picture))
    if not started.ok:
        return started.status_code, 0
    form = started.json()["upload"]
    posted = requests.post(form["url"], data=form["fields"], files={"file": picture}, timeout=30)
    completed = person.request("POST", f"/photos/uploads/{started.json()['photo_id']}/complete")
    return posted.status_code, completed.status_code


def full_session(stack: RunningStack, url: str) -> Iterator[int]:
    """Call everything the API can do, step by step, and yield the status of each."""
    person = Person.at(url, f"session-{next(_count)}@example.com")
    create_unconfirmed_account(stack, person.email)
    yield person.sign_up().status_code
    yield person.sign_in().status_code
    first = person.upload(images.jpeg())
    yield first.status_code
    photo = first.json()["photo"]
    path = f"/photos/{photo['id']}"
    yield person.upload(images.jpeg()).status_code
    yield from upload_directly_to_s3(person, images.jpeg())
    yield person.get("/photos").status_code
    yield person.get(path).status_code
    yield requests.get(photo["originalSrc"], timeout=30).status_code
    yield requests.get(photo["thumbSrc"], timeout=30).status_code
    yield person.request("DELETE", path).status_code
    yield person.get("/users/me").status_code
    yield person.send("PATCH", "/users/me", username="Other").status_code
    yield person.sign_out().status_code
    yield person.sign_in().status_code
    passwords = {"oldPassword": person.password, "newPassword": person.password + "!"}
    yield person.send("PUT", "/users/me/password", **passwords).status_code
    yield sign_in_with_new_password(person).status_code
    create_incomplete_upload(stack, photo["user_id"])
    yield person.send("DELETE", "/users/me", password=person.password).status_code


SUCCESS = [200] * 4 + [204] + [200] * 13


def succeeds(session: Iterator[int]) -> bool:
    """Return whether all steps of a session succeed, and stop at the first that does not."""
    return all(status == expected for status, expected in zip(session, SUCCESS, strict=True))


def test_permissions_are_sufficient(deployed: Deployed) -> None:
    assert list(full_session(deployed.stack, deployed.url)) == SUCCESS


@pytest.mark.parametrize(("function", "statement", "action"), list(enforced_actions()))
def test_every_permission_is_needed(
    deployed: Deployed, function: str, statement: str, action: str
) -> None:
    # With its settings in the environment, a function does not always read the parameters.
    settings = deployed.without_settings(function) if statement == "Settings" else nullcontext()
    with settings, deployed.without(function, statement, action):
        assert not succeeds(full_session(deployed.stack, deployed.url))


def test_functions_without_settings_read_the_parameters(
    deployed: Deployed,
) -> None:
    with deployed.without_settings("APIHandler", "JwtAuth"):
        assert list(full_session(deployed.stack, deployed.url)) == SUCCESS


def test_authorizer_with_settings_in_the_environment_reads_no_parameters(
    deployed: Deployed,
) -> None:
    with deployed.without("JwtAuth", "Settings", "ssm:GetParametersByPath"):
        assert list(full_session(deployed.stack, deployed.url)) == SUCCESS


@pytest.fixture(scope="module")
def lost_thumbnail(deployed: Deployed) -> None:
    """Delete a thumbnail, so that the daily check has something to confirm."""
    person = Person.at(deployed.url, f"session-{next(_count)}@example.com")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    photo = person.upload(images.jpeg()).json()["photo"]
    deployed.stack.make_client("s3").delete_object(
        Bucket=photo_bucket(deployed.stack),
        Key=f"photos/{photo['user_id']}/thumbnails/{photo['id']}.jpg",
    )


def daily_check(deployed: Deployed) -> str:
    """Return the message of the error that the daily check raises."""
    response = deployed.stack.make_client("lambda").invoke(
        FunctionName=deployed.names["CheckIntegrity"], Payload=json.dumps(DAILY)
    )
    raised: str = json.load(response["Payload"])["errorMessage"]
    return raised


# What EventBridge sends.
DAILY: dict[str, Any] = dict.fromkeys(
    ("version", "account", "region", "detail-type", "source", "time", "id"), ""
) | {"detail": {}, "resources": []}


@pytest.mark.usefixtures("lost_thumbnail")
def test_daily_check_reports_lost_data_and_needs_each_of_its_permissions(
    deployed: Deployed,
) -> None:
    assert " wrong, " in daily_check(deployed)
    name, document = deployed.policy("CheckIntegrity")
    permissions = [
        (statement["Sid"], action)
        for statement in document["Statement"]
        if statement["Sid"] not in NOT_ENFORCED
        for action in statement["Action"]
    ]
    assert len(permissions) == 9
    for sid, action in permissions:
        reduced = copy.deepcopy(document)
        [found] = [one for one in reduced["Statement"] if one["Sid"] == sid]
        found["Action"].remove(action)
        reduced["Statement"] = [one for one in reduced["Statement"] if one["Action"]]
        deployed.put_policy("CheckIntegrity", name, reduced)
        assert " wrong, " not in daily_check(deployed), (sid, action)
    deployed.put_policy("CheckIntegrity", name, document)


def test_chalice_deploy_would_use_the_same_permissions(stack: RunningStack) -> None:
    chalice = Path(sys.executable).parent / "chalice"
    # It reads log groups from an AWS account, but changes nothing.
    run = subprocess.run(
        [str(chalice), "dev", "plan"],
        cwd=ROOT,
        env=os.environ | stack.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for name in (*POLICIES.values(), "policy-dev-integrity.json"):
        policy = json.loads((ROOT / ".chalice" / name).read_text())
        for statement in policy["Statement"]:
            assert statement["Action"][0] in run.stdout
