"""Every operation with every fault at each of its calls to AWS.

The calls are recorded in a run without faults, so a new call is tested, too. `make fault-matrix`
writes the number of faults into docs/reliability.md.
"""

import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import app
from chalicelib.container import Container
from chalicelib.integrity.check import IntegrityService
from chalicelib.integrity.report import Finding
from chalicelib.photos.photo import PhotoState
from tests.support.album import find_issues, moto_album, snapshot, sub_of
from tests.support.clock import Clock
from tests.support.derived import expected_derived, stored_derived
from tests.support.faults import FAULTS, Killed, Wire
from tests.support.operations import IMAGE, OPERATIONS, Operation, Scenario
from tests.support.people import Person, Response

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix -->\n", "<!-- end of the fault matrix -->\n"

_numbers = itertools.count()
_injected: dict[tuple[str, str], int] = {}


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    """Share one AWS, as each test has its own user."""
    with pytest.MonkeyPatch.context() as monkeypatch, moto_album(monkeypatch):
        yield
    if os.environ.get("WRITE_FAULT_MATRIX"):
        head, rest = DOCUMENT.read_text().split(BEGIN)
        DOCUMENT.write_text(head + BEGIN + fault_matrix() + END + rest.split(END)[1])


def fault_matrix() -> str:
    """Return the number of injected faults per operation and fault, as a table."""
    lines = ["| operation | " + " | ".join(FAULTS) + " | all |", "|---" * (len(FAULTS) + 2) + "|"]
    for operation in OPERATIONS:
        numbers = [_injected[operation, fault] for fault in FAULTS]
        lines.append(f"| {operation} | {' | '.join(map(str, numbers))} | {sum(numbers)} |")
    sums = [sum(_injected[operation, fault] for operation in OPERATIONS) for fault in FAULTS]
    lines.append(f"| **all** | {' | '.join(map(str, sums))} | **{sum(sums)}** |")
    return "\n".join(lines) + "\n"


@pytest.fixture
def scenario(
    person: Callable[[str], Person], name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scenario]:
    """Return the prepared scenario of an operation, which is removed after the test."""
    Clock(monkeypatch)  # A sign-in after a sign-out takes no time.
    remove = snapshot()
    user = person(f"user-{next(_numbers)}")
    photo_id = user.upload(IMAGE).json()["photo_id"]
    prepared = Scenario(user, sub_of(user), photo_id)
    OPERATIONS[name].prepare(prepared)
    prepared.restore = snapshot()
    yield prepared
    remove()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_response_after_a_fault_is_honest_and_a_retry_succeeds(
    scenario: Scenario, name: str, fault: str
) -> None:
    operation, wire = OPERATIONS[name], Wire()
    response = run(operation, scenario, wire)
    assert response is not None
    assert response.status_code == 200
    assert operation.is_done(scenario)
    for index, call in enumerate(wire.calls):
        scenario.restore()
        try:
            run_with_fault(operation, scenario, index, fault)
        except AssertionError as error:
            error.add_note(f"{name}: {fault}, {call} ({index})")
            raise
    _injected[name, fault] = len(wire.calls)


def run_with_fault(operation: Operation, scenario: Scenario, index: int, fault: str) -> None:
    """Inject a fault into one request to AWS; check the response, a retry and a repair."""
    response = run(operation, scenario, Wire(index, FAULTS[fault]))
    assert_listed_photos_load(scenario)
    is_done = response is not None and response.status_code == 200
    if is_done:
        assert operation.is_done(scenario)
    elif fault == "sent twice":
        assert response is not None
        assert response.status_code in operation.sent_twice
    elif response is not None:
        assert response.status_code in (429, 503)
        assert int(response.headers["Retry-After"]) > 0
    # The client retries after every fault but this one, after which only the repair follows.
    if fault != "killed after":
        retried = run(operation, scenario, Wire())
        assert retried is not None
        assert retried.status_code in (200, *operation.retried)
        assert_listed_photos_load(scenario)
        is_done = True
    if violated_invariants(operation, scenario):
        assert repair(scenario.sub)
    assert violated_invariants(operation, scenario) == []
    if is_done:
        assert operation.is_done(scenario)


def run(operation: Operation, scenario: Scenario, wire: Wire) -> Response | None:
    """Return the response; None if there is none, because the process or the authorizer failed.

    The gateway responds to an error of the authorizer with 503; `chalice.test` raises it here. An
    error of a route always becomes a response.
    """
    if operation.is_cold:
        app.services = Container()
    with wire.connected():
        try:
            return operation.run(scenario)
        except Killed:
            return None
        except Exception as error:  # noqa: BLE001
            assert_raised_by_authorizer(error)
            return None


def assert_raised_by_authorizer(error: Exception) -> None:
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "jwt_auth" in frames, repr(error)


def assert_listed_photos_load(scenario: Scenario) -> None:
    """Fail if an object of a listed photo is missing; an account being deleted lists nothing."""
    if "deleting_at" in scenario.user_item:
        return
    objects = scenario.objects
    for item in scenario.stored:
        original = objects[f"photos/{scenario.sub}/{item['filename']}"]
        assert hashlib.sha256(original).hexdigest() == item["sha256"]
        for rendition in ("thumbnail", "preview"):
            jpeg = objects[f"photos/{scenario.sub}/{rendition}s/{item['id']}.jpg"]
            assert hashlib.sha256(jpeg).hexdigest() == item[f"{rendition}_sha256"]
        assert item["thumbhash"]


def repair(sub: str) -> list[Finding]:
    """Repair immediately what the album would repair after the grace period."""
    services = app.services
    without_grace = IntegrityService(
        services.storage,
        services.photos,
        services.accounts,
        services.user_pool,
        services.integrity.capacity,
        services.sizes,
        grace=timedelta(minutes=-1),
    )
    return find_issues(sub, repair=True, integrity=without_grace)


def violated_invariants(operation: Operation, scenario: Scenario) -> list[str]:
    """Return the names of violated invariants, found without the album's own check."""
    assert_listed_photos_load(scenario)
    items, user, keys = scenario.items, scenario.user_item, set(scenario.objects)
    pending = [item["id"] for item in items if item["state"] == PhotoState.PENDING]
    expected = {f"photos/{scenario.sub}/{item['filename']}" for item in scenario.stored}
    for folder in ("thumbnails", "previews"):
        expected |= {f"photos/{scenario.sub}/{folder}/{item['id']}.jpg" for item in scenario.stored}
    complete = {key for key in keys if not any(photo_id in key for photo_id in pending)}
    sums, live = _sums(scenario.stored), _sums(scenario.pending)
    reserved = user.get("pending_count", 0), user.get("pending_bytes", 0)
    deletion_pending = "deleting_at" in user
    violated = {
        "lost photo": operation.keeps_photo and not scenario.photo,
        "unfinished deletion": any(item["state"] == PhotoState.DELETING for item in items),
        "missing or orphaned object": complete != expected,
        "unfinished account deletion": deletion_pending
        and (bool(items or keys) or "deleted_at" not in user),
        "wrong counters": not deletion_pending
        and (user["photo_count"] - reserved[0], user["storage_bytes"] - reserved[1]) != sums,
        "wrong number of photos in the trash": not deletion_pending
        and user.get("trash_count", 0) != len(scenario.stored) - len(scenario.ready),
        "wrong counters, lists or hashes": not deletion_pending
        and stored_derived(scenario.derived_items) != expected_derived(items),
        "wrong counters of pending uploads": not deletion_pending
        and (reserved[0] < live[0] or reserved[1] < live[1]),
    }
    return [name for name, is_violated in violated.items() if is_violated]


def _sums(items: list[dict[str, Any]]) -> tuple[int, int]:
    """Return the number and the bytes of photos."""
    return len(items), sum(item["filesize"] for item in items)


def test_document_lists_every_operation_and_every_fault() -> None:
    table = DOCUMENT.read_text().split(BEGIN)[1].split(END)[0]
    lines = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert lines[0] == ["operation", *FAULTS, "all"]
    assert [line[0] for line in lines[2:]] == [*OPERATIONS, "all"]
    for line in lines[2:]:
        assert all(re.fullmatch(r"[1-9]\d*", cell) for cell in line[1:])
        assert sum(map(int, line[1:-1])) == int(line[-1])
