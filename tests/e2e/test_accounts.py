"""The life of an account, over HTTP: moto would accept what Cognito refuses."""

import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from jose import jwt

from infra.background import RunningStack
from infra.mail import mailbox
from tests.support import images
from tests.support.people import Person, Response

pytestmark = pytest.mark.xdist_group("local-stack")

NEW = "Another-2026"


def mailed_code(stack: RunningStack, email: str) -> str:
    """Return the code of the newest mail to an address."""
    mails = [one for one in mailbox(stack.env["AWS_ENDPOINT_URL"]) if email in one["To"]]
    [code] = re.findall(r"\d{6}", mails[-1]["BodyText"])
    return str(code)


def in_a_later_second(person: Person) -> None:
    """Wait until the tokens issued from now on can be told from this one by their time."""
    while time.time() < jwt.get_unverified_claims(person.token)["iat"] + 1:
        time.sleep(0.05)


def refresh(person: Person) -> Response:
    return person.send("POST", "/users/refresh", refreshToken=person.refresh_token)


def test_a_refresh_token_gives_a_new_access_token(mario: Person) -> None:
    response = refresh(mario)
    assert response.status_code == 200
    assert response.json()["refreshToken"] == mario.refresh_token
    assert response.json()["expiresIn"] == 3600
    mario.token = response.json()["accessToken"]
    assert mario.get("/photos").status_code == 200


@pytest.mark.parametrize("token", ["nonsense", "a.b.c.d.e", "é", " "])
def test_what_is_no_refresh_token_is_refused(mario: Person, token: str) -> None:
    mario.refresh_token = token
    assert refresh(mario).status_code == 401


def assert_all_sessions_ended(*sessions: Person) -> None:
    for session in sessions:
        assert session.get("/users/me").status_code == 403
        assert refresh(session).status_code == 401


def test_signing_out_ends_every_session_and_its_refresh_token(mario: Person) -> None:
    phone = mario.new_session()
    in_a_later_second(phone)
    assert mario.sign_out().status_code == 200
    assert_all_sessions_ended(mario, phone)
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_a_new_password_ends_every_session(mario: Person) -> None:
    phone = mario.new_session()
    in_a_later_second(phone)
    wrong = {"oldPassword": "Wrong-2026", "newPassword": NEW}
    assert mario.send("PUT", "/users/me/password", **wrong).status_code == 401
    weak = {"oldPassword": mario.password, "newPassword": "weak"}
    refusal = mario.send("PUT", "/users/me/password", **weak)
    assert refusal.status_code == 400
    assert refusal.json()["Message"].startswith("newPassword: ")
    good = {"oldPassword": mario.password, "newPassword": NEW}
    assert mario.send("PUT", "/users/me/password", **good).status_code == 200
    assert_all_sessions_ended(mario, phone)
    assert mario.sign_in().status_code == 401
    mario.password = NEW
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_a_forgotten_password_is_reset_by_a_mailed_code(stack: RunningStack, mario: Person) -> None:
    in_a_later_second(mario)
    assert mario.send("POST", "/users/password/forgot", email=mario.email).json() == {"ok": True}
    code = mailed_code(stack, mario.email)
    fields = {"email": mario.email, "password": NEW}
    assert mario.send("POST", "/users/password/reset", code="000000", **fields).status_code == 400
    weak = mario.send(
        "POST", "/users/password/reset", code=code, email=mario.email, password="weak"
    )
    assert weak.status_code == 400
    assert weak.json()["Message"].startswith("password: ")
    assert mario.send("POST", "/users/password/reset", code=code, **fields).status_code == 200
    assert_all_sessions_ended(mario)
    mario.password = NEW
    assert mario.sign_in().status_code == 200
    assert mario.get("/users/me").status_code == 200


def test_no_answer_tells_whether_an_address_is_known(mario: Person) -> None:
    stranger = f"{uuid.uuid4()}@example.com"
    for path, fields in (
        ("/users/signin", {"password": "Wrong-2026"}),
        ("/users/password/forgot", {}),
        ("/users/password/reset", {"code": "000000", "password": NEW}),
        ("/users/confirm", {"code": "000000"}),
        ("/users/confirm/resend", {}),
    ):
        answers = [
            mario.send("POST", path, email=email, **fields) for email in (mario.email, stranger)
        ]
        assert answers[0].status_code == answers[1].status_code, path
        assert answers[0].json() == answers[1].json(), path


def test_an_account_may_be_confirmed_by_mail(stack: RunningStack) -> None:
    done = stack.run("infra.provision", STAGE="mail", SIGNUP_CONFIRMATION="email")
    assert done.returncode == 0, done.stderr
    peach = Person.at(stack.deploy("mail"), "peach@example.com")
    assert peach.sign_up().json() == {"ok": True, "confirm": "email"}
    assert peach.sign_in().status_code == 401
    assert peach.send("POST", "/users/confirm/resend", email=peach.email).json() == {"ok": True}
    code = mailed_code(stack, peach.email)
    wrong = peach.send("POST", "/users/confirm", email=peach.email, code="000000")
    assert wrong.status_code == 400
    assert peach.send("POST", "/users/confirm", email=peach.email, code=code).status_code == 200
    assert peach.sign_in().status_code == 200
    assert peach.get("/users/me").json()["user"]["photo_count"] == 0
    assert peach.sign_up().status_code == 409


def test_counters_are_exact_after_eight_threads_came_and_went(mario: Person) -> None:
    sizes: dict[str, int] = {}
    lock = threading.Lock()

    def come_and_go(number: int) -> None:
        for turn in range(4):
            picture = images.jpeg(40 + number, 40 + turn)
            photo_id = mario.upload(picture).json()["photo_id"]
            if turn % 2:
                assert mario.request("DELETE", f"/photos/{photo_id}").status_code == 200
            else:
                with lock:
                    sizes[photo_id] = len(picture)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(come_and_go, range(8)))
    user = mario.get("/users/me").json()["user"]
    listed = mario.get("/photos").json()["photos"]
    assert {photo["id"]: photo["filesize"] for photo in listed} == sizes
    assert (user["photo_count"], user["storage_bytes"]) == (len(sizes), sum(sizes.values()))


def rows_of(photo: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Return rows for the table `Photo` like one that is there."""
    names = ("user_id", "filename", "content_type", "sha256", "upload_date")
    row = {name: {"S": photo[name]} for name in names}
    row |= {name: {"N": str(photo[name])} for name in ("filesize", "width", "height")}
    row["state"] = {"S": "ready"}
    return [
        row | {"id": {"S": f"{number}"}, "taken_key": {"S": f"2026#{number}"}}
        for number in range(count)
    ]


def test_a_thousand_photos_go_with_their_owner_in_one_call(
    stack: RunningStack, mario: Person
) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    dynamodb = stack.make_client("dynamodb")
    rows = rows_of(photo, 999)
    for start in range(0, len(rows), 25):
        puts = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={"Photo": puts})
    assert len(mario.get("/photos").json()["photos"]) == 1000
    in_a_later_second(mario)
    phone = mario.new_session()
    wrong = mario.send("DELETE", "/users/me", password="Wrong-2026")
    assert wrong.status_code == 401
    left = mario.send("DELETE", "/users/me", password=mario.password)
    assert (left.status_code, left.json()) == (200, {"ok": True})
    assert_all_sessions_ended(mario, phone)
    assert requests.get(photo["originalSrc"], timeout=30).status_code == 404
    assert mario.sign_in().status_code == 401
    assert mario.sign_up().status_code == 200
    assert mario.sign_in().status_code == 200
    assert mario.get("/photos").json()["photos"] == []
