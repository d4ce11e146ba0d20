"""Put a local album under load, then check what it stored.

`make load` runs this, with the whole stack on free ports and its state in a temporary folder. Each
user uploads (through the API and directly to S3), lists, views, edits and deletes photos, and
remembers those that the album has confirmed. At the end, each of them must be stored byte for byte,
and nothing else.
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

from bench.images import encoded
from infra.background import running
from infra.errors import OperatorError, exit_code

_TIMEOUT = 60  # seconds
_PASSWORD = "Secret-2026"  # noqa: S105 (of accounts that are deleted with the temporary folder)
_MEAN_PAUSE = 1.0  # seconds between two requests of a user
_MAX_RETRY_PAUSE = 5.0


@dataclass
class Measurements:
    """How long the calls of each operation took, and which errors they had."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    throttled: collections.Counter[str] = field(default_factory=collections.Counter)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_error(self, text: str) -> None:
        """Record an error."""
        with self.lock:
            self.errors.append(text)


class LoadUser:
    """A user of the album, who remembers what it has confirmed."""

    def __init__(self, url: str, number: int, measurements: Measurements) -> None:
        self._url = url
        self._measurements = measurements
        self._chance = random.Random(number)  # noqa: S311 (no secret)
        self._http = requests.Session()
        self._email = f"load-{number}@example.com"
        self.photos: dict[str, tuple[str, int]] = {}  # SHA-256 and size of each original by ID

    def run(self, until: float) -> None:
        """Use the album until a time of the monotonic clock."""
        account = {"email": self._email, "password": _PASSWORD}
        while not self._call("sign up", "POST", "/users/signup", json=account | {"username": "L"}):
            pass
        while not (tokens := self._call("sign in", "POST", "/users/signin", json=account)):
            pass
        self._http.headers["Authorization"] = f"Bearer {tokens['accessToken']}"
        weights: dict[Callable[[], None], int] = {
            self._upload: 30,
            self._list: 25,
            self._view: 20,
            self._delete: 10,
            self._upload_to_s3: 5,
            self._edit: 5,
            self._profile: 5,
        }
        while time.monotonic() < until:
            self._chance.choices(list(weights), list(weights.values()))[0]()
            pause = self._chance.expovariate(1 / _MEAN_PAUSE)
            time.sleep(min(pause, max(0.0, until - time.monotonic())))

    def _upload(self) -> None:
        data = _new_jpeg()
        form = MultipartEncoder({"file": ("photo.jpg", data, "image/jpeg"), "tags": "load"})
        headers = {"Content-Type": form.content_type, "Idempotency-Key": uuid.uuid4().hex}
        photo = self._call("upload", "POST", "/photos/file", data=form.to_string(), headers=headers)
        if photo:
            self._remember(photo, data)

    def _upload_to_s3(self) -> None:
        data = _new_jpeg()
        started = self._call(
            "start upload to S3", "POST", "/photos/uploads", json={"filesize": len(data)}
        )
        if not started:
            return
        form = started["upload"]
        stored = requests.post(
            form["url"], data=form["fields"], files={"file": data}, timeout=_TIMEOUT
        )
        if stored.status_code != 204:
            self._measurements.add_error(f"S3 rejected an upload with {stored.status_code}")
            return
        path = f"/photos/uploads/{started['photo_id']}/complete"
        photo = self._call("complete upload to S3", "POST", path)
        if photo:
            self._remember(photo, data)

    def _remember(self, photo: dict[str, Any], data: bytes) -> None:
        self.photos[photo["photo_id"]] = hashlib.sha256(data).hexdigest(), len(data)

    def _list(self) -> None:
        page = self._call("list of 50", "GET", "/photos?limit=50")
        if page is not None:
            unknown = {one["id"] for one in page["photos"]} - set(self.photos)
            if unknown or len(page["photos"]) != min(50, len(self.photos)):
                self._measurements.add_error("a list differs from the confirmed photos")

    def _view(self) -> None:
        if self.photos:
            photo_id = self._chance.choice(list(self.photos))
            self._call("view", "GET", f"/photos/{photo_id}")

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
        """Send a request and return its response, or None if it was throttled or failed.

        A throttled request is not an error: 429 asks the client to wait, which this does.
        """
        began = time.perf_counter()
        try:
            response = self._http.request(method, self._url + path, timeout=_TIMEOUT, **options)
        except requests.RequestException as error:
            self._measurements.add_error(f"{name}: {type(error).__name__}")
            return None
        elapsed = time.perf_counter() - began
        if response.status_code == 429:
            with self._measurements.lock:
                self._measurements.throttled[name] += 1
            time.sleep(min(_MAX_RETRY_PAUSE, float(response.headers["Retry-After"])))
            return None
        if not response.ok:
            self._measurements.add_error(f"{name}: {response.status_code} {response.text[:100]}")
            return None
        with self._measurements.lock:
            self._measurements.seconds[name].append(elapsed)
        fields: dict[str, Any] = response.json()
        return fields

    def check(self) -> list[str]:
        """Return how the stored photos differ from the confirmed ones, one line each."""
        photos: dict[str, dict[str, Any]] = {}
        cursor = ""
        while cursor is not None:
            page = self._get(f"/photos?limit=500&cursor={cursor}")
            photos |= {one["id"]: one for one in page["photos"]}
            cursor = page["nextCursor"]
        problems = []
        if lost := set(self.photos) - set(photos):
            problems.append(f"{len(lost)} confirmed photos are not listed")
        if unknown := set(photos) - set(self.photos):
            problems.append(f"{len(unknown)} listed photos were deleted or never confirmed")
        user = self._get("/users/me")["user"]
        counters = (user["photo_count"], user["storage_bytes"])
        sums = (len(photos), sum(one["filesize"] for one in photos.values()))
        if counters != sums:
            problems.append(f"the counters are {counters} instead of {sums}")
        for photo_id in set(photos) & set(self.photos):
            problems += self._check_files(photos[photo_id], *self.photos[photo_id])
        return problems

    def _check_files(self, photo: dict[str, Any], sha256: str, size: int) -> list[str]:
        problems = []
        original = requests.get(photo["originalSrc"], timeout=_TIMEOUT).content
        if hashlib.sha256(original).hexdigest() != sha256 or photo["sha256"] != sha256:
            problems.append("an original differs from the uploaded file")
        if photo["filesize"] != size:
            problems.append("a size differs from that of the uploaded file")
        for url in ("thumbSrc", "previewSrc"):
            try:
                Image.open(io.BytesIO(requests.get(photo[url], timeout=_TIMEOUT).content)).load()
            except (OSError, requests.RequestException):
                problems.append(f"a {url} cannot be loaded")
        return problems

    def _get(self, path: str) -> Any:
        response = self._http.get(self._url + path, timeout=_TIMEOUT)
        response.raise_for_status()
        return response.json()


_JPEG = encoded(Image.linear_gradient("L").resize((1200, 800)).convert("RGB"), "JPEG")


def _new_jpeg() -> bytes:
    """Return a JPEG whose bytes are new: the same image with another comment."""
    comment = uuid.uuid4().bytes
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return _JPEG[:2] + segment + _JPEG[2:]


def load(url: str, users: int, seconds: float) -> bool:
    """Put an album under load, check it, print the results, and return whether it passed."""
    measurements = Measurements()
    people = [LoadUser(url, number, measurements) for number in range(users)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(users) as threads:
        for run in [threads.submit(one.run, began + seconds) for one in people]:
            run.result()
    elapsed = time.monotonic() - began
    report(measurements, elapsed, users)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        problems = [line for lines in threads.map(LoadUser.check, people) for line in lines]
    for line, times in collections.Counter(measurements.errors + problems).most_common(20):
        print(f"FAILED {times}x: {line}")
    photos = sum(len(one.photos) for one in people)
    result = f"{len(problems)} problems" if problems else "all stored correctly"
    print(f"Errors other than 429: {len(measurements.errors)}. Photos: {photos}, {result}.")
    return not measurements.errors and not problems


def report(measurements: Measurements, elapsed: float, users: int) -> None:
    """Print the times of each operation."""
    calls = sum(map(len, measurements.seconds.values()))
    print(
        f"{users} users, {elapsed:.0f} s, {calls} calls, {calls / elapsed:.0f} calls per second\n"
    )
    print("| operation | calls | 429 | p50, ms | p95, ms | p99, ms |")
    print("|---|---|---|---|---|---|")
    for name in sorted(measurements.seconds):
        times = sorted(measurements.seconds[name])
        points = (times[min(len(times) - 1, int(len(times) * part))] for part in (0.5, 0.95, 0.99))
        columns = " | ".join(f"{1000 * point:,.0f}" for point in points)
        print(f"| {name} | {len(times)} | {measurements.throttled[name]} | {columns} |")
    print(flush=True)


def main() -> None:
    """Start a local album and put it under load. Raises OperatorError if a check fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state") as stack:
        passed = load(stack.url, arguments.users, arguments.seconds)
        checked = stack.run("infra.integrity", STAGE="dev")
        print(f"Data integrity: {checked.stdout}{checked.stderr}", end="")
        passed = passed and checked.returncode == 0
    # Raised only now, because an exception would kill the stack instead of stopping it.
    if not passed:
        raise OperatorError("The load test failed. See the problems above.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
