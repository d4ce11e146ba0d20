"""The package as AWS runs it: under its own rights, behind its own gateway, stage beside stage."""

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

from infra import deploy, package, stacks
from infra.background import ROOT, RunningStack
from infra.stages import Stage
from tests.support import images
from tests.support.people import HttpTransport, Person

pytestmark = pytest.mark.xdist_group("packaged")

POLICIES = {"APIHandler": "policy-dev.json", "JwtAuth": "policy-dev-authorizer.json"}
ROLES = {
    "APIHandler": "ApiHandlerRole",
    "CheckIntegrity": "CheckIntegrityRole",
    "JwtAuth": "JwtAuthRole",
}
# The emulator does not ask for these.
NOT_ENFORCED = {"Logs", "Traces"}


def enforced_actions() -> Iterator[tuple[str, str, str]]:
    """Return (function, statement, action) for every right that the emulator enforces."""
    for function, name in POLICIES.items():
        policy = json.loads((ROOT / ".chalice" / name).read_text())
        for statement in policy["Statement"]:
            if statement["Sid"] not in NOT_ENFORCED:
                for action in statement["Action"]:
                    yield function, statement["Sid"], action


class Deployed:
    """The functions of the deployed stage, whose rights can be changed."""

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
        """Change a function's rights, from its next, cold start on."""
        self._iam.put_role_policy(
            RoleName=self.names[ROLES[function]],
            PolicyName=name,
            PolicyDocument=json.dumps(document),
        )
        self.restart(function)

    def restart(self, function: str, **changed: str | None) -> str | None:
        """Make the next call of a function a cold start, perhaps with an environment changed.

        Return the settings it was told before.
        """
        client, name = self.stack.make_client("lambda"), self.names[function]
        before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        after = before | {"RESTARTS": str(int(before.get("RESTARTS", "0")) + 1)} | changed
        variables = {key: value for key, value in after.items() if value is not None}
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        told: str | None = before.get("CLOUDALBUM_SETTINGS")
        return told

    @contextlib.contextmanager
    def told_nothing(self, *functions: str) -> Iterator[None]:
        """Leave it to functions to find their settings, as after a plain `chalice deploy`."""
        told = {name: self.restart(name, CLOUDALBUM_SETTINGS=None) for name in functions}
        try:
            yield
        finally:
            for name, settings in told.items():
                assert settings is not None
                self.restart(name, CLOUDALBUM_SETTINGS=settings)

    @contextlib.contextmanager
    def without(self, function: str, statement: str, action: str) -> Iterator[None]:
        """Take one right from a function for a while."""
        name, document = self.policy(function)
        less = copy.deepcopy(document)
        [found] = [one for one in less["Statement"] if one["Sid"] == statement]
        found["Action"].remove(action)
        less["Statement"] = [one for one in less["Statement"] if one["Action"]]
        self.put_policy(function, name, less)
        try:
            yield
        finally:
            self.put_policy(function, name, document)


@pytest.fixture(scope="module")
def deployed(stack: RunningStack, packaged_url: str) -> Deployed:
    return Deployed(stack, packaged_url)


_count = iter(range(1000))


def left_unconfirmed(stack: RunningStack, email: str) -> None:
    """Leave an account as a sign-up leaves it that broke halfway."""
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


def left_in_uploads(stack: RunningStack, user_id: str) -> str:
    """Leave an upload that was never completed, and return its key."""
    key = f"uploads/{user_id}/unfinished"
    stack.make_client("s3").put_object(Bucket=photo_bucket(stack), Key=key, Body=b"left")
    return key


def photo_bucket(stack: RunningStack) -> str:
    outputs = stacks.outputs(stack.make_client("cloudformation"), Stage("dev").data_stack)
    assert outputs is not None
    return outputs["PhotoBucketName"]


def signed_in_again(person: Person) -> requests.Response:
    person.password += "!"
    return person.sign_in()


def sent_straight_to_s3(person: Person, picture: bytes) -> tuple[int, int]:
    """Upload by a presigned POST, and return the status of that and of the completion."""
    asked = person.send("POST", "/photos/uploads", filesize=len(picture))
    if not asked.ok:
        return asked.status_code, 0
    form = asked.json()["upload"]
    posted = requests.post(form["url"], data=form["fields"], files={"file": picture}, timeout=30)
    completed = person.request("POST", f"/photos/uploads/{asked.json()['photo_id']}/complete")
    return posted.status_code, completed.status_code


def whole_life(stack: RunningStack, url: str) -> Iterator[int]:
    """Do everything the API can do, step by step, and yield the status of each."""
    person = Person.at(url, f"life-{next(_count)}@example.com")
    left_unconfirmed(stack, person.email)
    yield person.sign_up().status_code
    yield person.sign_in().status_code
    first = person.upload(images.jpeg())
    yield first.status_code
    photo = first.json()["photo"]
    path = f"/photos/{photo['id']}"
    yield person.upload(images.jpeg()).status_code
    yield from sent_straight_to_s3(person, images.jpeg())
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
    yield signed_in_again(person).status_code
    left_in_uploads(stack, photo["user_id"])
    yield person.send("DELETE", "/users/me", password=person.password).status_code


GOOD_LIFE = [200] * 4 + [204] + [200] * 13


def is_good(life: Iterator[int]) -> bool:
    """Tell whether a life is good, and end it where it is not."""
    return all(is_as == was for is_as, was in zip(life, GOOD_LIFE, strict=True))


def test_the_rights_are_enough(deployed: Deployed) -> None:
    assert list(whole_life(deployed.stack, deployed.url)) == GOOD_LIFE


@pytest.mark.parametrize(("function", "statement", "action"), list(enforced_actions()))
def test_every_right_is_needed(
    deployed: Deployed, function: str, statement: str, action: str
) -> None:
    # A function that is told its settings does not always need to read them.
    untold = deployed.told_nothing(function) if statement == "Settings" else nullcontext()
    with untold, deployed.without(function, statement, action):
        assert not is_good(whole_life(deployed.stack, deployed.url))


def test_functions_that_are_told_nothing_find_their_settings_themselves(
    deployed: Deployed,
) -> None:
    with deployed.told_nothing("APIHandler", "JwtAuth"):
        assert list(whole_life(deployed.stack, deployed.url)) == GOOD_LIFE


def test_an_authorizer_that_is_told_its_settings_never_asks_for_them(deployed: Deployed) -> None:
    with deployed.without("JwtAuth", "Settings", "ssm:GetParametersByPath"):
        assert list(whole_life(deployed.stack, deployed.url)) == GOOD_LIFE


@pytest.fixture(scope="module")
def unwell(deployed: Deployed) -> None:
    """Let a photo have lost its thumbnail, so that the daily check has to look twice."""
    person = Person.at(deployed.url, f"life-{next(_count)}@example.com")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    photo = person.upload(images.jpeg()).json()["photo"]
    deployed.stack.make_client("s3").delete_object(
        Bucket=photo_bucket(deployed.stack),
        Key=f"photos/{photo['user_id']}/thumbnails/{photo['id']}.jpg",
    )


def daily_check(deployed: Deployed) -> str:
    """Return what the daily check raises."""
    answer = deployed.stack.make_client("lambda").invoke(
        FunctionName=deployed.names["CheckIntegrity"], Payload=json.dumps(DAILY)
    )
    raised: str = json.load(answer["Payload"])["errorMessage"]
    return raised


# What EventBridge sends.
DAILY: dict[str, Any] = dict.fromkeys(
    ("version", "account", "region", "detail-type", "source", "time", "id"), ""
) | {"detail": {}, "resources": []}


@pytest.mark.usefixtures("unwell")
def test_the_daily_check_tells_what_is_lost_and_has_the_rights_it_needs_and_no_more(
    deployed: Deployed,
) -> None:
    assert " wrong, " in daily_check(deployed)
    name, document = deployed.policy("CheckIntegrity")
    rights = [
        (statement["Sid"], action)
        for statement in document["Statement"]
        if statement["Sid"] not in NOT_ENFORCED
        for action in statement["Action"]
    ]
    assert len(rights) == 9
    for sid, action in rights:
        less = copy.deepcopy(document)
        [found] = [one for one in less["Statement"] if one["Sid"] == sid]
        found["Action"].remove(action)
        less["Statement"] = [one for one in less["Statement"] if one["Action"]]
        deployed.put_policy("CheckIntegrity", name, less)
        assert " wrong, " not in daily_check(deployed), (sid, action)
    deployed.put_policy("CheckIntegrity", name, document)


def test_an_upload_needs_the_forms_type_among_the_binary_ones(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    assert stack.run("infra.provision", STAGE="text").returncode == 0
    built = package.build(Stage("text"), tmp_path)
    gateway = built.template["Resources"]["RestAPI"]["Properties"]
    gateway["BinaryMediaTypes"].remove("multipart/form-data")
    gateway["DefinitionBody"]["x-amazon-apigateway-binary-media-types"].remove(
        "multipart/form-data"
    )
    person = Person.at(deploy.deploy(stack.make_client, Stage("text"), built), "mario@example.com")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    # The gateway has taken the bytes for text.
    assert person.upload(images.jpeg()).status_code == 415


def test_two_stages_live_side_by_side_and_one_may_go(stack: RunningStack) -> None:
    people = []
    for stage in ("blue", "green"):
        person = Person.at(stack.deploy(stage), "mario@example.com")
        assert person.sign_up().status_code == 200
        assert person.sign_in().status_code == 200
        assert person.upload(images.jpeg()).status_code == 200
        people.append(person)
    blue, green = people
    assert green.request("GET", "/photos", headers=blue_token(blue)).status_code == 403

    done = stack.run("infra.destroy", STAGE="blue")
    assert done.returncode == 0, done.stderr
    assert "kept the stack cloudalbum-blue-data" in done.stdout
    [photo] = green.get("/photos").json()["photos"]
    assert requests.get(photo["originalSrc"], timeout=30).status_code == 200

    # What was kept comes back with the next deployment.
    blue.transport = HttpTransport(stack.deploy("blue"))
    assert blue.sign_in().status_code == 200
    assert len(blue.get("/photos").json()["photos"]) == 1

    wrong = stack.run("infra.destroy", STAGE="blue", DATA="delete", INPUT="cloudalbum-green-data\n")
    assert (wrong.returncode, wrong.stderr) == (1, "That is not its name: nothing was removed.\n")
    assert len(blue.get("/photos").json()["photos"]) == 1

    for _ in range(2):  # safe to repeat
        right = {"DATA": "delete", "INPUT": "cloudalbum-blue-data\n"}
        done = stack.run("infra.destroy", STAGE="blue", **right)
        assert done.returncode == 0, done.stderr
    buckets = [one["Name"] for one in stack.make_client("s3").list_buckets()["Buckets"]]
    assert not any("-blue-" in name for name in buckets)
    assert "Photo-blue" not in stack.make_client("dynamodb").list_tables()["TableNames"]
    pools = stack.make_client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    assert "cloudalbum-blue" not in [pool["Name"] for pool in pools]
    assert len(green.get("/photos").json()["photos"]) == 1


def blue_token(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}"}


def test_a_built_client_is_published_with_its_types_and_times(
    stack: RunningStack, packaged_url: str, tmp_path: Path
) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Album</title>")
    (tmp_path / "js" / "app.3f2a1b9c.js").write_text("1")
    for _ in range(2):  # safe to repeat
        done = stack.run("infra.publish", DIST=str(tmp_path))
        assert done.returncode == 0, done.stderr
    url = done.stdout.splitlines()[0].split()[-1]
    assert packaged_url in done.stdout
    page = requests.get(url, timeout=30)  # as a stranger
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    script = requests.get(url.replace("index.html", "js/app.3f2a1b9c.js"), timeout=30)
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in script.headers["Cache-Control"]


def test_parameters_are_kept_unless_they_are_to_be_replaced(stack: RunningStack) -> None:
    ssm, name = stack.make_client("ssm"), "/cloudalbum-kept/THUMBNAIL_WIDTH"
    assert f"wrote {name}" in stack.run("infra.provision", STAGE="kept").stdout
    kept = stack.run("infra.provision", STAGE="kept", THUMBNAIL_WIDTH="400").stdout
    assert f"kept {name}" in kept
    assert ssm.get_parameter(Name=name)["Parameter"]["Type"] == "SecureString"
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "300"
    replaced = stack.run("infra.provision", STAGE="kept", THUMBNAIL_WIDTH="400", OVERWRITE="1")
    assert f"wrote {name}" in replaced.stdout
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "400"
    # A run that chooses nothing keeps what was chosen, even if it may replace it.
    again = stack.run("infra.provision", STAGE="kept", OVERWRITE="1")
    assert name not in again.stdout
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "400"


def test_pool_and_app_agree_how_accounts_are_confirmed(stack: RunningStack) -> None:
    def pool_mails_codes() -> bool:
        cognito = stack.make_client("cognito-idp")
        pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
        [pool_id] = [pool["Id"] for pool in pools if pool["Name"] == "cloudalbum-agree"]
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        return "email" in pool.get("AutoVerifiedAttributes", [])

    stack.run("infra.provision", STAGE="agree")
    stack.run("infra.provision", STAGE="agree", SIGNUP_CONFIRMATION="email")
    assert not pool_mails_codes()  # the parameter was kept, so the pool was, too
    stack.run("infra.provision", STAGE="agree", SIGNUP_CONFIRMATION="email", OVERWRITE="1")
    assert pool_mails_codes()
    stack.run("infra.provision", STAGE="agree")
    assert pool_mails_codes()


def test_deploying_a_stage_without_data_says_what_to_do_first(stack: RunningStack) -> None:
    done = stack.run("infra.deploy", STAGE="nodata")
    assert done.returncode == 1
    assert done.stderr == ("The stage nodata has no data stack yet: make provision STAGE=nodata\n")


def test_plain_chalice_plans_functions_of_the_same_rights(stack: RunningStack) -> None:
    chalice = Path(sys.executable).parent / "chalice"
    # It asks for log groups, so it wants some AWS, but changes nothing in it.
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
