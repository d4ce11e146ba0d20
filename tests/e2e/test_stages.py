"""Stages, each with its own app, data and settings, provisioned and deployed by the commands."""

import requests

from infra.background import RunningStack
from tests.support import images
from tests.support.people import HttpTransport, Person


def test_stage_is_destroyed_without_affecting_another(stack: RunningStack) -> None:
    blue, green = (
        Person.registered(stack.deploy(stage), "mario@example.com") for stage in ("blue", "green")
    )
    for person in (blue, green):
        assert person.upload(images.jpeg()).status_code == 200
    assert green.request("GET", "/photos", headers=blue.headers).status_code == 403

    done = stack.run("infra.destroy", STAGE="blue")
    assert done.returncode == 0, done.stderr
    assert "Stack cloudalbum-blue-data kept" in done.stdout
    [photo] = green.photos()
    assert requests.get(photo["originalSrc"], timeout=30).status_code == 200

    # The next deployment uses the data that was kept.
    blue.transport = HttpTransport(stack.deploy("blue"))
    assert blue.sign_in().status_code == 200
    assert len(blue.photos()) == 1

    wrong = stack.run("infra.destroy", STAGE="blue", DATA="delete", INPUT="cloudalbum-green-data\n")
    rejection = "The name does not match. Nothing was deleted.\n"
    assert (wrong.returncode, wrong.stderr) == (1, rejection)
    assert len(blue.photos()) == 1

    for _ in range(2):  # It is safe to repeat.
        right = {"DATA": "delete", "INPUT": "cloudalbum-blue-data\n"}
        done = stack.run("infra.destroy", STAGE="blue", **right)
        assert done.returncode == 0, done.stderr
    buckets = [one["Name"] for one in stack.make_client("s3").list_buckets()["Buckets"]]
    assert not any("-blue-" in name for name in buckets)
    assert "Photo-blue" not in stack.make_client("dynamodb").list_tables()["TableNames"]
    pools = stack.make_client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    assert "cloudalbum-blue" not in [pool["Name"] for pool in pools]
    assert len(green.photos()) == 1


def test_parameters_are_left_unchanged_unless_overwrite_is_set(stack: RunningStack) -> None:
    def value() -> str:
        found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        return str(found)

    ssm, name = stack.make_client("ssm"), "/cloudalbum-kept/THUMBNAIL_WIDTH"
    assert f"{name} written" in stack.run("infra.provision", STAGE="kept").stdout
    kept = stack.run("infra.provision", STAGE="kept", THUMBNAIL_WIDTH="400").stdout
    assert f"{name} left unchanged (set OVERWRITE=1 to replace it)" in kept
    assert ssm.get_parameter(Name=name)["Parameter"]["Type"] == "SecureString"
    assert value() == "600"
    replaced = stack.run("infra.provision", STAGE="kept", THUMBNAIL_WIDTH="400", OVERWRITE="1")
    assert f"{name} written" in replaced.stdout
    assert value() == "400"
    # Without a new value, an earlier choice is left unchanged even if it may be replaced.
    again = stack.run("infra.provision", STAGE="kept", OVERWRITE="1")
    assert name not in again.stdout
    assert value() == "400"


def test_user_pool_sends_codes_only_if_the_app_confirms_by_email(stack: RunningStack) -> None:
    def pool_sends_codes() -> bool:
        cognito = stack.make_client("cognito-idp")
        pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
        [pool_id] = [pool["Id"] for pool in pools if pool["Name"] == "cloudalbum-agree"]
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        return "email" in pool.get("AutoVerifiedAttributes", [])

    stack.run("infra.provision", STAGE="agree")
    stack.run("infra.provision", STAGE="agree", SIGNUP_CONFIRMATION="email")
    assert not pool_sends_codes()  # The parameter is unchanged, so the pool must be, too.
    stack.run("infra.provision", STAGE="agree", SIGNUP_CONFIRMATION="email", OVERWRITE="1")
    assert pool_sends_codes()
    stack.run("infra.provision", STAGE="agree")
    assert pool_sends_codes()


def test_deploy_of_a_stage_that_is_not_provisioned_says_what_to_run_and_builds_nothing(
    stack: RunningStack,
) -> None:
    done = stack.run("infra.deploy", STAGE="nodata")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The stage nodata is not provisioned. Run `make provision STAGE=nodata`.\n"
    )
