"""Accounts, over HTTP: moto would accept much that Cognito rejects."""

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

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
    phone.wait_for_next_second()
    assert mario.sign_out().status_code == 200
    require_ended(mario, phone)
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_change_of_password_ends_every_session(mario: Person) -> None:
    phone = mario.new_session()
    phone.wait_for_next_second()
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
    mario.wait_for_next_second()
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
    mario.wait_for_next_second()
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
