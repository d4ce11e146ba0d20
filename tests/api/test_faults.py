"""Every operation with every fault at every call to AWS that it makes.

The calls are those of an undisturbed run: one that is new is covered without anybody remembering.
`make fault-matrix` writes how many faults were met into docs/reliability.md.
"""

import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import app
from chalicelib.container import Container
from chalicelib.integrity.check import IntegrityService
from chalicelib.integrity.report import Finding
from chalicelib.photos.photo import PhotoState
from tests.support import images
from tests.support.album import (
    find_issues,
    moto_album,
    moto_objects,
    moto_table,
    snapshot,
    store_upload,
)
from tests.support.faults import FAULTS, Killed, Wire
from tests.support.people import NEW_PASSWORD, PASSWORD, Person, Response, post_json

PICTURE = images.jpeg(40, 30)
DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix -->\n", "<!-- end of the fault matrix -->\n"

_numbers = itertools.count()
_met: dict[tuple[str, str], int] = {}


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    """Share one AWS, as each test has a person of its own."""
    with pytest.MonkeyPatch.context() as monkeypatch, moto_album(monkeypatch):
        yield
    if os.environ.get("WRITE_FAULT_MATRIX"):
        head, rest = DOCUMENT.read_text().split(BEGIN)
        DOCUMENT.write_text(head + BEGIN + matrix() + END + rest.split(END)[1])


def matrix() -> str:
    """Return how many faults each operation has met, as a table."""
    lines = ["| operation | " + " | ".join(FAULTS) + " | all |", "|---" * (len(FAULTS) + 2) + "|"]
    for operation in OPERATIONS:
        numbers = [_met[operation, fault] for fault in FAULTS]
        lines.append(f"| {operation} | {' | '.join(map(str, numbers))} | {sum(numbers)} |")
    sums = [sum(_met[operation, fault] for operation in OPERATIONS) for fault in FAULTS]
    lines.append(f"| **all** | {' | '.join(map(str, sums))} | **{sum(sums)}** |")
    return "\n".join(lines) + "\n"


@dataclass
class Scene:
    """Somebody with a photo, and what one operation needs beside it.

    It looks into moto itself, which is quicker than asking it by a hundred thousand requests.
    """

    person: Person
    sub: str
    photo_id: str
    asked: Any = None
    restore: Callable[[], None] = lambda: None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of photos, without used Idempotency-Keys."""
        rows = (row for row in items_of("Photo") if row["user_id"] == self.sub)
        return [row for row in rows if not row["id"].startswith("key#")]

    @property
    def ready(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["state"] == PhotoState.READY]

    @property
    def photo(self) -> dict[str, Any]:
        return next((row for row in self.ready if row["id"] == self.photo_id), {})

    @property
    def account(self) -> dict[str, str]:
        """Return what somebody new signs up with."""
        return {"email": f"new-{self.sub}@example.com", "password": PASSWORD, "username": "New"}

    @property
    def user(self) -> dict[str, Any]:
        return next(row for row in items_of("User") if row["sub"] == self.sub)

    @property
    def objects(self) -> dict[str, bytes]:
        prefix = f"photos/{self.sub}/"
        return {name: key.value for name, key in moto_objects().items() if name.startswith(prefix)}

    def can_sign_in(self, email: str, password: str) -> bool:
        body = {"email": email, "password": password}
        return bool(post_json(self.person.transport, "/users/signin", body).status_code == 200)


def items_of(name: str) -> list[dict[str, Any]]:
    return [item.to_regular_json() for item in moto_table(name).all_items()]


@dataclass(frozen=True)
class Operation:
    """What a client can ask for, and how to tell that it was done."""

    act: Callable[[Scene], Response]
    is_done: Callable[[Scene], bool]
    prepare: Callable[[Scene], Any] = lambda scene: None
    # What else a repeat may answer when the first request was done and its answer lost.
    repeated: tuple[int, ...] = ()
    keeps_photo: bool = True
    # Cognito takes the request that botocore sends again for another person's.
    sent_twice: tuple[int, ...] = ()
    is_cold: bool = False


def confirming_by_mail(scene: Scene) -> Response:
    with mock.patch.object(app.services.accounts, "_confirms_by_email", True):
        return post_json(scene.person.transport, "/users/signup", scene.account)


def change_password(scene: Scene) -> Response:
    body = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    return scene.person.send("PUT", "/users/me/password", **body)


def sent(scene: Scene) -> Any:
    scene.asked = scene.person.begin_upload(filesize=len(PICTURE))
    store_upload(scene.asked, PICTURE)
    return scene.asked


def is_signed_out(scene: Scene) -> bool:
    return bool(scene.person.get("/photos").status_code == 403)


OPERATIONS: dict[str, Operation] = {
    "upload": Operation(lambda s: s.person.upload(PICTURE), lambda s: len(s.ready) in (2, 3)),
    "upload with a key": Operation(
        lambda s: s.person.upload(PICTURE, key="k"), lambda s: len(s.ready) == 2
    ),
    "ask for an upload": Operation(
        lambda s: s.person.begin_upload(len(PICTURE)),
        lambda s: len(s.rows) in (2, 3) and len(s.ready) == 1,
    ),
    "ask with a key": Operation(
        lambda s: s.person.begin_upload(len(PICTURE), key="k"),
        lambda s: len(s.rows) == 2 and len(s.ready) == 1,
    ),
    "complete an upload": Operation(
        lambda s: s.person.complete(s.asked), lambda s: len(s.ready) == 2, prepare=sent
    ),
    "edit": Operation(
        lambda s: s.person.send(
            "PATCH", f"/photos/{s.photo_id}", desc="Sea", taken_date="2020-02-02"
        ),
        lambda s: s.photo.get("desc") == "Sea",
    ),
    "delete a photo": Operation(
        lambda s: s.person.delete(f"/photos/{s.photo_id}"),
        lambda s: s.rows == [],
        repeated=(404,),
        keeps_photo=False,
    ),
    "first request of a container": Operation(
        lambda s: s.person.get("/photos"), lambda s: True, is_cold=True
    ),
    "sign up": Operation(
        lambda s: post_json(s.person.transport, "/users/signup", s.account),
        lambda s: s.can_sign_in(s.account["email"], PASSWORD),
        repeated=(409,),
    ),
    "sign up, confirmed by e-mail": Operation(
        confirming_by_mail,
        lambda s: app.services.user_pool.find_unconfirmed(s.account["email"]) is not None,
        repeated=(409,),
        sent_twice=(409,),
    ),
    "sign out": Operation(
        lambda s: s.person.post("/users/signout"), is_signed_out, repeated=(403,)
    ),
    "change the password": Operation(
        change_password,
        lambda s: is_signed_out(s) and s.can_sign_in(s.person.email, NEW_PASSWORD),
        repeated=(403,),
    ),
    "delete the account": Operation(
        lambda s: s.person.send("DELETE", "/users/me", password=PASSWORD),
        lambda s: s.rows == [] and "deleted_at" in s.user,
        repeated=(403,),
        keeps_photo=False,
    ),
}


@pytest.fixture
def scene(person: Callable[[str], Person], name: str) -> Iterator[Scene]:
    """Return the scene of an operation, which is gone after the test."""
    clear = snapshot()
    somebody = person(f"somebody-{next(_numbers)}")
    photo_id = somebody.upload(PICTURE).json()["photo_id"]
    sub = app.services.sessions.authenticate(somebody.token).sub
    made = Scene(somebody, sub, photo_id)
    OPERATIONS[name].prepare(made)
    made.restore = snapshot()
    yield made
    clear()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_breaks_the_answer_is_honest_and_a_repeat_succeeds(
    scene: Scene, name: str, fault: str
) -> None:
    operation, wire = OPERATIONS[name], Wire()
    response = act(operation, scene, wire)
    assert response is not None
    assert response.status_code == 200
    assert operation.is_done(scene)
    for at, call in enumerate(wire.calls):
        scene.restore()
        try:
            meet(operation, scene, at, fault)
        except AssertionError as error:
            error.add_note(f"{name}: {fault}, {call} ({at})")
            raise
    _met[name, fault] = len(wire.calls)


def meet(operation: Operation, scene: Scene, at: int, fault: str) -> None:
    """Let one request to AWS meet a fault, and see what comes of it."""
    response = act(operation, scene, Wire(at, FAULTS[fault]))
    half_recorded(scene)
    is_done = response is not None and response.status_code == 200
    if is_done:
        assert operation.is_done(scene)
    elif fault == "sent twice":
        assert response is not None
        assert response.status_code in operation.sent_twice
    elif response is not None:
        assert response.status_code in (429, 503)
        assert int(response.headers["Retry-After"]) > 0
    # Whoever asks comes back, but for this one, who leaves it all to the repair.
    if fault != "killed after":
        again = act(operation, scene, Wire())
        assert again is not None
        assert again.status_code in (200, *operation.repeated)
        half_recorded(scene)
        is_done = True
    if flaws(operation, scene):
        assert repair(scene.sub)
    assert flaws(operation, scene) == []
    if is_done:
        assert operation.is_done(scene)


def act(operation: Operation, scene: Scene, wire: Wire) -> Response | None:
    """Return the answer; None when there is none, as of a process that is gone.

    What the authorizer raises, the gateway answers with 503; `chalice.test` raises it here. What
    the routes raise never comes so far.
    """
    if operation.is_cold:
        app.services = Container()
    with wire.tapped():
        try:
            return operation.act(scene)
        except Killed:
            return None
        except Exception as error:  # noqa: BLE001
            assert_is_the_authorizers(error)
            return None


def assert_is_the_authorizers(error: Exception) -> None:
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "jwt_auth" in frames, repr(error)


def half_recorded(scene: Scene) -> None:
    """Fail if a photo that is listed does not load; who is leaving can list nothing."""
    stored = scene.objects
    if "deleting_at" in scene.user:
        return
    for row in scene.ready:
        original = stored[f"photos/{scene.sub}/{row['filename']}"]
        assert hashlib.sha256(original).hexdigest() == row["sha256"]
        thumbnail = stored[f"photos/{scene.sub}/thumbnails/{row['id']}.jpg"]
        assert hashlib.sha256(thumbnail).hexdigest() == row["thumbnail_sha256"]


def repair(sub: str) -> list[Finding]:
    """Repair at once what the product would repair after a while."""
    services = app.services
    at_once = IntegrityService(
        services.storage,
        services.photos,
        services.accounts,
        services.user_pool,
        services.settings.thumbnail_box,
        grace=timedelta(minutes=-1),
    )
    return find_issues(sub, repair=True, integrity=at_once)


def flaws(operation: Operation, scene: Scene) -> list[str]:
    """Return what does not agree, told without the product's own check."""
    half_recorded(scene)
    rows, user, there = scene.rows, scene.user, set(scene.objects)
    pending = [row["id"] for row in rows if row["state"] == PhotoState.PENDING]
    named = {f"photos/{scene.sub}/{row['filename']}" for row in scene.ready}
    named |= {f"photos/{scene.sub}/thumbnails/{row['id']}.jpg" for row in scene.ready}
    sums = len(scene.ready), sum(row["filesize"] for row in scene.ready)
    deletion_pending = "deleting_at" in user
    found = {
        "a lost photo": operation.keeps_photo and not scene.photo,
        "a deletion": any(row["state"] == PhotoState.DELETING for row in rows),
        "an orphan": {key for key in there if not any(one in key for one in pending)} != named,
        "an account": deletion_pending and (bool(rows or there) or "deleted_at" not in user),
        "counters": not deletion_pending and (user["photo_count"], user["storage_bytes"]) != sums,
    }
    return [name for name, is_so in found.items() if is_so]


def test_the_document_has_every_operation_and_every_fault() -> None:
    table = DOCUMENT.read_text().split(BEGIN)[1].split(END)[0]
    lines = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert lines[0] == ["operation", *FAULTS, "all"]
    assert [line[0] for line in lines[2:]] == [*OPERATIONS, "all"]
    for line in lines[2:]:
        assert all(re.fullmatch(r"[1-9]\d*", cell) for cell in line[1:])
        assert sum(map(int, line[1:-1])) == int(line[-1])
