"""Measure what a user waits for, end to end over HTTP: sign in, upload, list 100 photos, delete."""

import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from bench.images import encoded

LISTED = 100
STEPS = ("sign in", "upload", f"list of {LISTED}", "delete")
_BOUNDARY = "bench-boundary"


def jpeg(width: int = 2048, height: int = 1366) -> bytes:
    """Return a JPEG that has about the file size of a camera's: 0.8 MB by default."""
    noise = Image.effect_noise((width, height), 24)
    gradient = Image.linear_gradient("L").resize((width, height))
    return encoded(Image.merge("RGB", (noise, gradient, noise)), "JPEG", quality=84)


@dataclass
class Person:
    """A user of the album at one URL; each request opens a connection."""

    url: str
    email: str = field(default_factory=lambda: f"bench-{time.time_ns()}@example.com")
    password: str = "Bench-2026"  # noqa: S105
    token: str = ""

    def sign_up(self) -> None:
        """Create the account."""
        self._post_json("/users/signup", email=self.email, password=self.password, username="B")

    def sign_in(self) -> None:
        """Get an access token, and send it with all later requests."""
        response = self._post_json("/users/signin", email=self.email, password=self.password)
        self.token = response["accessToken"]

    def upload(self, data: bytes) -> str:
        """Upload an image and return the photo's ID."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="p.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
        content_type = f"multipart/form-data; boundary={_BOUNDARY}"
        photo_id: str = self._send("POST", "/photos/file", body, content_type)["photo_id"]
        return photo_id

    def list(self, limit: int) -> int:
        """Get a page and return how many photos it has."""
        return len(self._send("GET", f"/photos?limit={limit}")["photos"])

    def delete(self, photo_id: str) -> None:
        """Delete one photo."""
        self._send("DELETE", f"/photos/{photo_id}")

    def _post_json(self, path: str, **fields: str) -> dict[str, Any]:
        return self._send("POST", path, json.dumps(fields).encode(), "application/json")

    def _send(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if content_type:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(  # noqa: S310
            self.url + path, data=body, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            fields: dict[str, Any] = json.load(response)
        return fields


def person_with_photos(url: str, count: int) -> Person:
    """Return a new user who is signed in and has `count` small photos."""
    person = Person(url)
    person.sign_up()
    person.sign_in()
    small = jpeg(320, 200)
    for _ in range(count):
        person.upload(small)
    return person


def measure(people: list[Person], data: bytes, repeats: int) -> list[dict[str, list[float]]]:
    """Return the milliseconds of each step for each person, measured in turn."""
    found: list[dict[str, list[float]]] = [{step: [] for step in STEPS} for _ in people]
    for _ in range(repeats):
        for person, times in zip(people, found, strict=True):
            marks = [time.perf_counter()]
            person.sign_in()
            marks.append(time.perf_counter())
            photo_id = person.upload(data)
            marks.append(time.perf_counter())
            person.list(LISTED)
            marks.append(time.perf_counter())
            person.delete(photo_id)
            marks.append(time.perf_counter())
            for step, before, after in zip(STEPS, marks, marks[1:], strict=False):
                times[step].append((after - before) * 1000)
    return found
