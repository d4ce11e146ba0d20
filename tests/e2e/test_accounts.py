"""Accounts, over HTTP: moto would accept much that Cognito rejects."""

import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from jose import jwt

from infra.background import RunningStack
from infra.mail import mailbox
from tests.support import images
from tests.support.people import NEW_PASSWORD, WRONG_PASSWORD, Person, Response


def emailed_code(stack: RunningStack, email: str) -> str:
    """Return the code in the latest email to an address."""
    emails = [one for one in mailbox(stack.env["AWS_ENDPOINT_URL"]) if email in one["To"]]
    [code] = re.findall(r"\d{6}", emails[-1]["BodyText"])
    return str(code)


def refresh(person: Person) -> Response:
    return person.send("POST", "/users/refresh", refreshToken=person.refresh_token)


def test_refresh_returns_a_new_access_token(mario: Person) -> None:
    response = refresh(mario)
    assert response.status_code == 200
    assert response.json()["refreshToken"] == mario.refresh_token
    assert response.json()["expiresIn"] == 3600
    mario.token = response.json()["accessToken"]
    assert mario.get("/photos").status_code == 200


@pytest.mark.parametrize("token", ["nonsense", "a.b.c.d.e", "é", " "])
def test_malformed_refresh_token_is_rejected(mario: Person, token: str) -> None:
    mario.refresh_token = token
    assert refresh(mario).status_code == 401


def require_ended(*sessions: Person) -> None:
    """Fail unless the tokens of all sessions are rejected."""
    for session in sessions:
        assert session.get("/users/me").status_code == 403
        assert refresh(session).status_code == 401


def test_sign_out_ends_every_session_and_its_refresh_token(mario: Person) -> None:
    phone = mario.new_session()
    assert mario.sign_out().status_code == 200
    require_ended(mario, phone)
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_two_sessions_and_a_sign_out_in_one_second_leave_no_valid_token(mario: Person) -> None:
    in_one_second = 0
    for _ in range(5):
        mario.sign_in()
        phone = mario.new_session()
        assert mario.sign_out().status_code == 200
        signed_out_at = int(time.time())
        require_ended(mario, phone)
        in_one_second += jwt.get_unverified_claims(phone.token)["iat"] == signed_out_at
    assert in_one_second  # A new session falls into its second anyway, as a sign-in has waited.


# What the holder of an access token with Cognito's own scope could call without this API.
STOLEN: dict[str, dict[str, Any]] = {
    "get_user": {},
    "update_user_attributes": {"UserAttributes": [{"Name": "name", "Value": "Thief"}]},
    "change_password": {"PreviousPassword": "Secret-2026", "ProposedPassword": NEW_PASSWORD},
    "global_sign_out": {},
    "delete_user": {},
    "associate_software_token": {},
}


@pytest.mark.parametrize("refreshed", [False, True])
def test_stolen_token_opens_nothing_at_cognito_itself(
    stack: RunningStack, mario: Person, refreshed: bool
) -> None:
    if refreshed:
        mario.token = refresh(mario).json()["accessToken"]
    scope = jwt.get_unverified_claims(mario.token).get("scope", "")
    assert "aws.cognito.signin.user.admin" not in scope
    cognito = stack.make_client("cognito-idp")
    for operation, arguments in STOLEN.items():
        with pytest.raises(ClientError) as error:
            getattr(cognito, operation)(AccessToken=mario.token, **arguments)
        assert "does not have required scopes" in str(error.value), operation
    assert mario.get("/users/me").status_code == 200
    assert mario.sign_in().status_code == 200


def pool_and_client(stack: RunningStack) -> dict[str, Any]:
    """Return the settings of the app client of the stage dev."""
    cognito = stack.make_client("cognito-idp")
    names = cognito.list_user_pools(MaxResults=60)["UserPools"]
    [pool_id] = [one["Id"] for one in names if one["Name"] == "cloudalbum-dev"]
    [client] = cognito.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"]
    described: dict[str, Any] = cognito.describe_user_pool_client(
        UserPoolId=pool_id, ClientId=client["ClientId"]
    )["UserPoolClient"]
    return described


def test_pool_rejects_a_sign_up_without_the_secret_of_the_api(stack: RunningStack) -> None:
    cognito, client = stack.make_client("cognito-idp"), pool_and_client(stack)
    account = {
        "ClientId": client["ClientId"],
        "Username": f"outsider-{uuid.uuid4()}@example.com",
        "Password": "Secret-2026",
        "ClientMetadata": {"source": "cloudalbum-api"},  # anybody can read it in the code
    }
    for proof in ({}, {"SecretHash": "AAAA"}):
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            cognito.sign_up(**account, **proof)
    found = cognito.list_users(
        UserPoolId=client["UserPoolId"], Filter=f'email = "{account["Username"]}"'
    )
    assert found["Users"] == []


def test_pool_has_no_hosted_pages_by_default(stack: RunningStack, mario: Person) -> None:
    client = pool_and_client(stack)
    assert not client.get("AllowedOAuthFlowsUserPoolClient")
    assert not client.get("AllowedOAuthFlows")
    pool = stack.make_client("cognito-idp").describe_user_pool(UserPoolId=client["UserPoolId"])
    assert "Domain" not in pool["UserPool"]
    assert mario.get("/users/links").status_code == 404


def test_user_that_an_operator_creates_can_sign_in(stack: RunningStack, album_url: str) -> None:
    toad = Person.at(album_url, f"toad-{uuid.uuid4()}@example.com")
    cognito, pool_id = stack.make_client("cognito-idp"), pool_and_client(stack)["UserPoolId"]
    attributes = [
        {"Name": "email", "Value": toad.email},
        {"Name": "email_verified", "Value": "true"},
    ]
    cognito.admin_create_user(
        UserPoolId=pool_id, Username=toad.email, UserAttributes=attributes, MessageAction="SUPPRESS"
    )
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username=toad.email, Password=toad.password, Permanent=True
    )
    assert toad.sign_in().status_code == 200
    assert toad.profile()["email"] == toad.email


def test_hosted_pages_and_the_list_of_addresses_are_chosen_when_a_stage_is_provisioned(
    stack: RunningStack,
) -> None:
    for pages, allowed in (("true", "peach@example.com"), ("false", "@example.org")):
        chosen = {"HOSTED_PAGES": pages, "SIGNUP_ALLOWED": allowed, "OVERWRITE": "1"}
        done = stack.run("infra.provision", STAGE="pages", **chosen)
        assert done.returncode == 0, done.stderr
        url = stack.deploy("pages")
        links = requests.get(f"{url}/users/links", timeout=30)
        if pages == "true":
            assert links.json()["signIn"].startswith("https://cloudalbum-pages-")
        else:
            assert links.status_code == 404
        for email in ("peach@example.com", "peach@example.org"):
            status = Person.at(url, email).sign_up().status_code
            assert status == (200 if email.endswith(allowed) else 403)


def test_domain_that_an_earlier_version_retained_is_deleted(stack: RunningStack) -> None:
    assert stack.run("infra.provision", STAGE="old").returncode == 0
    cognito, ssm = stack.make_client("cognito-idp"), stack.make_client("ssm")
    pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
    [pool_id] = [pool["Id"] for pool in pools if pool["Name"] == "cloudalbum-old"]
    cognito.create_user_pool_domain(UserPoolId=pool_id, Domain="cloudalbum-old")
    name = "/cloudalbum-old/COGNITO_DOMAIN"
    ssm.put_parameter(Name=name, Value="old.example.com", Type="SecureString", Overwrite=True)
    assert f"{name} written" in stack.run("infra.provision", STAGE="old").stdout
    assert "Domain" not in cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    stored = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    assert stored == "-"


def test_provisioning_rejects_a_malformed_list_of_addresses(stack: RunningStack) -> None:
    done = stack.run("infra.provision", STAGE="pages", SIGNUP_ALLOWED="mario")
    assert done.returncode == 1
    assert done.stderr.startswith("SIGNUP_ALLOWED must be a comma-separated list")


def test_change_of_password_ends_every_session(mario: Person) -> None:
    phone = mario.new_session()
    wrong = {"oldPassword": WRONG_PASSWORD, "newPassword": NEW_PASSWORD}
    assert mario.send("PUT", "/users/me/password", **wrong).status_code == 401
    weak = {"oldPassword": mario.password, "newPassword": "weak"}
    rejected = mario.send("PUT", "/users/me/password", **weak)
    assert rejected.status_code == 400
    assert rejected.json()["Message"].startswith("newPassword is too weak: ")
    good = {"oldPassword": mario.password, "newPassword": NEW_PASSWORD}
    assert mario.send("PUT", "/users/me/password", **good).status_code == 200
    require_ended(mario, phone)
    assert mario.sign_in().status_code == 401
    mario.password = NEW_PASSWORD
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_forgotten_password_is_reset_with_an_emailed_code(
    stack: RunningStack, mario: Person
) -> None:
    assert mario.send("POST", "/users/password/forgot", email=mario.email).json() == {"ok": True}
    code = emailed_code(stack, mario.email)
    fields = {"email": mario.email, "password": NEW_PASSWORD}
    assert mario.send("POST", "/users/password/reset", code="000000", **fields).status_code == 400
    weak = mario.send(
        "POST", "/users/password/reset", code=code, email=mario.email, password="weak"
    )
    assert weak.status_code == 400
    assert weak.json()["Message"].startswith("The password is too weak: ")
    assert mario.send("POST", "/users/password/reset", code=code, **fields).status_code == 200
    require_ended(mario)
    mario.password = NEW_PASSWORD
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_no_response_reveals_whether_an_email_address_is_known(mario: Person) -> None:
    unknown = f"{uuid.uuid4()}@example.com"
    for path, fields in (
        ("/users/signin", {"password": WRONG_PASSWORD}),
        ("/users/password/forgot", {}),
        ("/users/password/reset", {"code": "000000", "password": NEW_PASSWORD}),
        ("/users/confirm", {"code": "000000"}),
        ("/users/confirm/resend", {}),
    ):
        known, other = (
            mario.send("POST", path, email=email, **fields) for email in (mario.email, unknown)
        )
        assert known.status_code == other.status_code, path
        assert known.json() == other.json(), path


def test_account_can_be_confirmed_by_email(stack: RunningStack) -> None:
    done = stack.run("infra.provision", STAGE="mail", SIGNUP_CONFIRMATION="email")
    assert done.returncode == 0, done.stderr
    peach = Person.at(stack.deploy("mail"), "peach@example.com")
    assert peach.sign_up().json() == {"ok": True, "confirm": "email"}
    assert peach.sign_in().status_code == 401
    assert peach.send("POST", "/users/confirm/resend", email=peach.email).json() == {"ok": True}
    code = emailed_code(stack, peach.email)
    wrong = peach.send("POST", "/users/confirm", email=peach.email, code="000000")
    assert wrong.status_code == 400
    assert peach.send("POST", "/users/confirm", email=peach.email, code=code).status_code == 200
    assert peach.sign_in().status_code == 200
    assert peach.profile()["photo_count"] == 0
    assert peach.sign_up().status_code == 409


def test_counters_are_exact_after_simultaneous_uploads_and_deletions(mario: Person) -> None:
    sizes: dict[str, int] = {}
    lock = threading.Lock()

    def upload_and_delete(number: int) -> None:
        for turn in range(4):
            image = images.jpeg(40 + number, 40 + turn)
            photo_id = mario.upload(image).json()["photo_id"]
            if turn % 2:
                assert mario.delete(f"/photos/{photo_id}").status_code == 200
            else:
                with lock:
                    sizes[photo_id] = len(image)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload_and_delete, range(8)))
    assert {photo["id"]: photo["filesize"] for photo in mario.photos()} == sizes
    assert mario.counters() == (len(sizes), sum(sizes.values()))


def items_like(photo: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Return items for the table `Photo` with the fields of a photo and other IDs."""
    names = ("user_id", "filename", "content_type", "sha256", "upload_date")
    item = {name: {"S": photo[name]} for name in names}
    item |= {name: {"N": str(photo[name])} for name in ("filesize", "width", "height")}
    item["state"] = {"S": "ready"}
    return [
        item | {"id": {"S": f"{number}"}, "taken_key": {"S": f"2026#{number}"}}
        for number in range(count)
    ]


def test_deletion_of_an_account_with_a_thousand_photos_takes_one_request(
    stack: RunningStack, mario: Person
) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    dynamodb = stack.make_client("dynamodb")
    items = items_like(photo, 999)
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={"Photo": puts})
    assert len(mario.photos()) == 1000
    phone = mario.new_session()
    wrong = mario.send("DELETE", "/users/me", password=WRONG_PASSWORD)
    assert wrong.status_code == 401
    deleted = mario.send("DELETE", "/users/me", password=mario.password)
    assert (deleted.status_code, deleted.json()) == (200, {"ok": True})
    require_ended(mario, phone)
    assert requests.get(photo["originalSrc"], timeout=30).status_code == 404
    assert mario.sign_in().status_code == 401
    assert mario.sign_up().status_code == 200
    assert mario.sign_in().status_code == 200
    assert mario.photos() == []
