"""Stages: provisioned, deployed and destroyed independently of each other."""

import pytest
import requests

from infra.background import RunningStack
from tests.support import images
from tests.support.people import HttpTransport, Person

pytestmark = pytest.mark.xdist_group("packaged")


def test_stages_are_separate_and_can_be_destroyed_one_by_one(stack: RunningStack) -> None:
    people = []
    for stage in ("blue", "green"):
        person = Person.at(stack.deploy(stage), "mario@example.com")
        assert person.sign_up().status_code == 200
        assert person.sign_in().status_code == 200
        assert person.upload(images.jpeg()).status_code == 200
        people.append(person)
    blue, green = people
    assert green.request("GET", "/photos", headers=authorization(blue)).status_code == 403

    done = stack.run("infra.destroy", STAGE="blue")
    assert done.returncode == 0, done.stderr
    assert "Stack cloudalbum-blue-data kept" in done.stdout
    [photo] = green.get("/photos").json()["photos"]
    assert requests.get(photo["originalSrc"], timeout=30).status_code == 200

    # The data that was kept is available again after the next deployment.
    blue.transport = HttpTransport(stack.deploy("blue"))
    assert blue.sign_in().status_code == 200
    assert len(blue.get("/photos").json()["photos"]) == 1

    wrong = stack.run("infra.destroy", STAGE="blue", DATA="delete", INPUT="cloudalbum-green-data\n")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "The name does not match. Nothing was deleted.\n",
    )
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


def authorization(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}"}


def test_parameter_is_left_unchanged_without_overwrite(stack: RunningStack) -> None:
    ssm, name = stack.make_client("ssm"), "/cloudalbum-kept/THUMBNAIL_WIDTH"
    assert f"{name} written" in stack.run("infra.provision", STAGE="kept").stdout
    kept = stack.run("infra.provision", STAGE="kept", THUMBNAIL_WIDTH="400").stdout
    assert f"{name} left unchanged" in kept
    assert ssm.get_parameter(Name=name)["Parameter"]["Type"] == "SecureString"
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "300"
    replaced = stack.run("infra.provision", STAGE="kept", THUMBNAIL_WIDTH="400", OVERWRITE="1")
    assert f"{name} written" in replaced.stdout
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "400"
    # Without a choice, even OVERWRITE keeps the earlier one.
    unchanged = stack.run("infra.provision", STAGE="kept", OVERWRITE="1")
    assert name not in unchanged.stdout
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "400"


def test_pool_follows_the_parameter_for_confirmation(stack: RunningStack) -> None:
    def pool_emails_codes() -> bool:
        cognito = stack.make_client("cognito-idp")
        pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
        [pool_id] = [pool["Id"] for pool in pools if pool["Name"] == "cloudalbum-agree"]
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        return "email" in pool.get("AutoVerifiedAttributes", [])

    stack.run("infra.provision", STAGE="agree")
    stack.run("infra.provision", STAGE="agree", SIGNUP_CONFIRMATION="email")
    assert not pool_emails_codes()  # The parameter was left unchanged, and so the pool is.
    stack.run("infra.provision", STAGE="agree", SIGNUP_CONFIRMATION="email", OVERWRITE="1")
    assert pool_emails_codes()
    stack.run("infra.provision", STAGE="agree")
    assert pool_emails_codes()


def test_deploy_of_unprovisioned_stage_says_what_to_run_first(stack: RunningStack) -> None:
    done = stack.run("infra.deploy", STAGE="nodata")
    assert done.returncode == 1
    assert done.stderr == (
        "The stage nodata is not provisioned. Run `make provision STAGE=nodata`.\n"
    )
