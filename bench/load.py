"""Put the local album under load, then look whether it kept its promises.

`make load` is the way in. It starts the whole stack on free ports with its state in a temporary
folder. Every user uploads, both ways, lists, looks, edits and deletes, and remembers what was
acknowledged; in the end all of it must be there, byte for byte, and nothing else.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import io
import random
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from requests_toolbelt import MultipartEncoder

from infra.background import running
from infra.errors import OperatorError, exit_code

_TIMEOUT = 60
_PASSWORD = "Secret-2026"  # noqa: S105 (of an album that is gone in two minutes)
_THINK_SECONDS = 1.0
_MOST_PAUSE = 5.0


@dataclass
class Record:
    """How long each operation took, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    throttled: collections.Counter[str] = field(default_factory=collections.Counter)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def error(self, text: str) -> None:
        """Note what should not have been."""
        with self.lock:
            self.errors.append(text)


class LoadUser:
    """Somebody who uses the album, and remembers what it has acknowledged."""

    def __init__(self, url: str, number: int, record: Record) -> None:
        self._url = url
        self._record = record
        self._chance = random.Random(number)  # noqa: S311 (no secret)
        self._http = requests.Session()
        self._email = f"load-{number}@example.com"
        self.photos: dict[str, tuple[str, int]] = {}  # SHA-256 and bytes of each original by id

    def live(self, until: float) -> None:
        """Use the album until a moment of the monotonic clock."""
        account = {"email": self._email, "password": _PASSWORD}
        while not self._call("sign up", "POST", "/users/signup", json=account | {"username": "L"}):
            pass
        while not (tokens := self._call("sign in", "POST", "/users/signin", json=account)):
            pass
        self._http.headers["Authorization"] = f"Bearer {tokens['accessToken']}"
        acts: list[Callable[[], None]] = [self._upload, self._list, self._look, self._delete]
        acts += [self._send_straight, self._edit, self._profile]
        weights = [30, 25, 20, 10, 5, 5, 5]
        while time.monotonic() < until:
            self._chance.choices(acts, weights)[0]()
            pause = self._chance.expovariate(1 / _THINK_SECONDS)
            time.sleep(min(pause, max(0.0, until - time.monotonic())))

    def _upload(self) -> None:
        data = _another_picture()
        form = MultipartEncoder({"file": ("picture.jpg", data, "image/jpeg"), "tags": "load"})
        headers = {"Content-Type": form.content_type, "Idempotency-Key": uuid.uuid4().hex}
        made = self._call("upload", "POST", "/photos/file", data=form.to_string(), headers=headers)
        if made:
            self._keep(made, data)

    def _send_straight(self) -> None:
        data = _another_picture()
        asked = self._call("ask to send", "POST", "/photos/uploads", json={"filesize": len(data)})
        if not asked:
            return
        form = asked["upload"]
        sent = requests.post(
            form["url"], data=form["fields"], files={"file": data}, timeout=_TIMEOUT
        )
        if sent.status_code != 204:
            self._record.error(f"S3 answered {sent.status_code} to a form")
            return
        path = f"/photos/uploads/{asked['photo_id']}/complete"
        made = self._call("complete", "POST", path)
        if made:
            self._keep(made, data)

    def _keep(self, made: dict[str, Any], data: bytes) -> None:
        self.photos[made["photo_id"]] = hashlib.sha256(data).hexdigest(), len(data)

    def _list(self) -> None:
        page = self._call("list 50", "GET", "/photos?limit=50")
        if page is not None:
            wrong = {one["id"] for one in page["photos"]} - set(self.photos)
            if wrong or len(page["photos"]) != min(50, len(self.photos)):
                self._record.error("a list is not of what was acknowledged")

    def _look(self) -> None:
        if self.photos:
            photo_id = self._chance.choice(list(self.photos))
            self._call("look", "GET", f"/photos/{photo_id}")

    def _edit(self) -> None:
        if self.photos:
            photo_id = self._chance.choice(list(self.photos))
            self._call("edit", "PATCH", f"/photos/{photo_id}", json={"desc": uuid.uuid4().hex})

    def _delete(self) -> None:
        if self.photos:
            photo_id = self._chance.choice(list(self.photos))
            if self._call("delete", "DELETE", f"/photos/{photo_id}"):
                del self.photos[photo_id]

    def _profile(self) -> None:
        self._call("profile", "GET", "/users/me")

    def _call(self, name: str, method: str, path: str, **options: Any) -> dict[str, Any] | None:
        """Return the answer of a call, or None if it was throttled; whatever else is an error."""
        began = time.perf_counter()
        try:
            answer = self._http.request(method, self._url + path, timeout=_TIMEOUT, **options)
        except requests.RequestException as error:
            self._record.error(f"{name}: {type(error).__name__}")
            return None
        took = time.perf_counter() - began
        if answer.status_code == 429:
            with self._record.lock:
                self._record.throttled[name] += 1
            time.sleep(min(_MOST_PAUSE, float(answer.headers["Retry-After"])))
            return None
        if not answer.ok:
            self._record.error(f"{name}: {answer.status_code} {answer.text[:100]}")
            return None
        with self._record.lock:
            self._record.seconds[name].append(took)
        told: dict[str, Any] = answer.json()
        return told

    def check(self) -> list[str]:
        """Return which promises were not kept to this user, one line each."""
        photos: dict[str, dict[str, Any]] = {}
        cursor = ""
        while cursor is not None:
            page = self._get(f"/photos?limit=500&cursor={cursor}")
            photos |= {one["id"]: one for one in page["photos"]}
            cursor = page["nextCursor"]
        wrong = []
        if lost := set(self.photos) - set(photos):
            wrong.append(f"{len(lost)} acknowledged photos are not listed")
        if more := set(photos) - set(self.photos):
            wrong.append(f"{len(more)} photos are listed that were deleted or never acknowledged")
        told = self._get("/users/me")["user"]
        counted = (told["photo_count"], told["storage_bytes"])
        sums = (len(photos), sum(one["filesize"] for one in photos.values()))
        if counted != sums:
            wrong.append(f"the counters are {counted} and not {sums}")
        for photo_id in set(photos) & set(self.photos):
            wrong += self._check_bytes(photos[photo_id], *self.photos[photo_id])
        return wrong

    def _check_bytes(self, photo: dict[str, Any], sha256: str, size: int) -> list[str]:
        wrong = []
        original = requests.get(photo["originalSrc"], timeout=_TIMEOUT).content
        if hashlib.sha256(original).hexdigest() != sha256 or photo["sha256"] != sha256:
            wrong.append("an original is not the one that was sent")
        if photo["filesize"] != size:
            wrong.append("a size is not the one that was sent")
        try:
            Image.open(io.BytesIO(requests.get(photo["thumbSrc"], timeout=_TIMEOUT).content)).load()
        except (OSError, requests.RequestException):
            wrong.append("a thumbnail does not load")
        return wrong

    def _get(self, path: str) -> Any:
        answer = self._http.get(self._url + path, timeout=_TIMEOUT)
        answer.raise_for_status()
        return answer.json()


def _jpeg(width: int, height: int) -> bytes:
    """Return a JPEG with a gradient."""
    encoded = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(encoded, "JPEG")
    return encoded.getvalue()


_PICTURE = _jpeg(1200, 800)


def _another_picture() -> bytes:
    """Return a JPEG that nobody has sent before: the same one with another comment."""
    comment = uuid.uuid4().bytes
    return (
        _PICTURE[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + _PICTURE[2:]
    )


def load(url: str, users: int, seconds: float) -> bool:
    """Put an album under load, print what came of it, and return whether all is well."""
    record = Record()
    people = [LoadUser(url, number, record) for number in range(users)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(users) as threads:
        for lived in [threads.submit(one.live, began + seconds) for one in people]:
            lived.result()
    took = time.monotonic() - began
    report(record, took, users)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        wrong = [line for lines in threads.map(LoadUser.check, people) for line in lines]
    for line, times in collections.Counter(record.errors + wrong).most_common(20):
        print(f"WRONG {times}x: {line}")
    kept = sum(len(one.photos) for one in people)
    print(
        f"{len(record.errors)} errors that are not 429. "
        f"{kept} photos: {'every promise was kept' if not wrong else f'{len(wrong)} were not'}."
    )
    return not record.errors and not wrong


def report(record: Record, took: float, users: int) -> None:
    """Print the times of each operation."""
    calls = sum(map(len, record.seconds.values()))
    print(f"{users} users, {took:.0f} s, {calls} calls, {calls / took:.0f} a second\n")
    print("| operation | calls | 429 | p50, ms | p95, ms | p99, ms |")
    print("|---|---|---|---|---|---|")
    for name in sorted(record.seconds):
        times = sorted(record.seconds[name])
        points = (times[min(len(times) - 1, int(len(times) * part))] for part in (0.5, 0.95, 0.99))
        columns = " | ".join(f"{1000 * point:,.0f}" for point in points)
        print(f"| {name} | {len(times)} | {record.throttled[name]} | {columns} |")
    print(flush=True)


def main() -> None:
    """Start the local stack and put it under load. Raises OperatorError if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state") as stack:
        well = load(stack.url, arguments.users, arguments.seconds)
        checked = stack.run("infra.integrity", STAGE="dev")
        print(f"The invariants: {checked.stdout}{checked.stderr}", end="")
        well = well and checked.returncode == 0
    if not well:  # told only now, so that the stack is stopped in peace
        raise OperatorError("The album did not keep its promises under load.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
