"""What a person waits for, end to end over HTTP: sign-in, upload, a list of 100, delete."""

import io
import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

LISTED = 100
STEPS = ("sign-in", "upload", f"list {LISTED}", "delete")
_BOUNDARY = "bench-boundary"


def picture(width: int = 2048, height: int = 1366) -> bytes:
    """Return a JPEG of about 0.8 MB, as a camera's of this size has."""
    noise = Image.effect_noise((width, height), 24)
    colours = Image.linear_gradient("L").resize((width, height))
    made = io.BytesIO()
    Image.merge("RGB", (noise, colours, noise)).save(made, "JPEG", quality=84)
    return made.getvalue()


@dataclass
class Person:
    """Somebody with an account, at one URL of the album; each request has its own connection."""

    url: str
    email: str = field(default_factory=lambda: f"bench-{time.time_ns()}@example.com")
    password: str = "Bench-2026"  # noqa: S105
    token: str = ""

    def sign_up(self) -> None:
        """Make the account."""
        self._send_json("/users/signup", email=self.email, password=self.password, username="B")

    def sign_in(self) -> None:
        """Get a token, to be used from now on."""
        answer = self._send_json("/users/signin", email=self.email, password=self.password)
        self.token = answer["accessToken"]

    def upload(self, data: bytes) -> str:
        """Upload a picture and return its id."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="p.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        photo_id: str = self._send("POST", "/photos/file", body, kind)["photo_id"]
        return photo_id

    def list(self, limit: int) -> int:
        """Fetch a page and return how many photos it has."""
        return len(self._send("GET", f"/photos?limit={limit}")["photos"])

    def delete(self, photo_id: str) -> None:
        """Delete one photo."""
        self._send("DELETE", f"/photos/{photo_id}")

    def _send_json(self, path: str, **fields: str) -> dict[str, Any]:
        return self._send("POST", path, json.dumps(fields).encode(), "application/json")

    def _send(
        self, method: str, path: str, body: bytes | None = None, kind: str = ""
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if kind:
            headers["Content-Type"] = kind
        request = urllib.request.Request(  # noqa: S310
            self.url + path, data=body, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
        return answer


def with_photos(url: str, count: int) -> Person:
    """Return somebody who is signed in and has so many small photos."""
    person = Person(url)
    person.sign_up()
    person.sign_in()
    small = picture(320, 200)
    for _ in range(count):
        person.upload(small)
    return person


def measure(people: list[Person], data: bytes, repeats: int) -> list[dict[str, list[float]]]:
    """Return for each person the milliseconds of each step, the people taken in turn."""
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
