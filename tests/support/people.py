"""People who use the album in tests: through `chalice.test.Client` or over HTTP."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from requests_toolbelt import MultipartEncoder

PASSWORD = "Secret-2026"
NEW_PASSWORD = "Another-2026"
WRONG_PASSWORD = "Wrong-2026"


@dataclass(frozen=True)
class Response:
    """The response to a request, however it was sent."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON, None for any other body."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def ok(self) -> bool:
        return self.status_code < 400

    @property
    def text(self) -> str:
        return self.body.decode()


class Transport(Protocol):
    """What sends a person's requests."""

    def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> Response:
        """Send one request."""
        ...


class HttpTransport:
    """Sends requests over HTTP, without following redirects."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> Response:
        response = requests.request(
            method, self.url + path, headers=headers, data=body, timeout=30, allow_redirects=False
        )
        return Response(response.status_code, response.headers, response.content)


class Person:
    """A user of the album, signed in or not."""

    def __init__(
        self, transport: Transport, email: str, password: str = PASSWORD, token: str = ""
    ) -> None:
        self.transport = transport
        self.email = email
        self.password = password
        self.token = token
        self.refresh_token = ""

    @classmethod
    def at(cls, url: str, email: str, password: str = PASSWORD) -> "Person":
        """Return a user of the album at a URL."""
        return cls(HttpTransport(url), email, password)

    @classmethod
    def registered(cls, url: str, email: str) -> "Person":
        """Return a new user of the album at a URL, signed up and signed in."""
        person = cls.at(url, email)
        assert person.sign_up().ok
        assert person.sign_in().ok
        return person

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        return self.transport.request(method, path, self.headers | (headers or {}), body)

    def get(self, path: str) -> Response:
        return self.request("GET", path)

    def delete(self, path: str) -> Response:
        return self.request("DELETE", path)

    def post(self, path: str) -> Response:
        return self.request("POST", path)

    def send(self, method: str, path: str, key: str | None = None, /, **body: Any) -> Response:
        """Send a JSON body, with an Idempotency-Key if `key` is given."""
        headers = {"Content-Type": "application/json"} | _key_header(key)
        return self.request(method, path, json.dumps(body).encode(), headers)

    def sign_up(self) -> Response:
        return self.send("POST", "/users/signup", username="Somebody", **self.credentials)

    def sign_in(self, password: str | None = None) -> Response:
        """Sign in, and keep the new tokens."""
        password = self.password if password is None else password
        response = self.send("POST", "/users/signin", email=self.email, password=password)
        tokens = response.json() or {}
        self.token = tokens.get("accessToken", "")
        self.refresh_token = tokens.get("refreshToken", "")
        return response

    def sign_out(self) -> Response:
        return self.post("/users/signout")

    def new_session(self) -> "Person":
        """Return the same person in another session."""
        session = Person(self.transport, self.email, self.password)
        session.sign_in()
        return session

    def upload(
        self, image: bytes, key: str | None = None, name: str = "photo.jpg", **fields: Any
    ) -> Response:
        """Upload an image as the part `file` of a form."""
        return self.post_form(key, file=(name, image, "image/jpeg"), **fields)

    def post_form(self, key: str | None = None, /, **fields: Any) -> Response:
        encoder = MultipartEncoder(fields)
        headers = {"Content-Type": encoder.content_type} | _key_header(key)
        return self.request("POST", "/photos/file", encoder.to_string(), headers)

    def begin_upload(self, filesize: int, key: str | None = None, **fields: Any) -> Response:
        """Request a form that sends an image directly to S3."""
        return self.send("POST", "/photos/uploads", key, filesize=filesize, **fields)

    def complete(self, started: Response) -> Response:
        """Complete an upload that `begin_upload` started."""
        return self.post(f"/photos/uploads/{started.json()['photo_id']}/complete")

    def photos(self) -> list[dict[str, Any]]:
        photos: list[dict[str, Any]] = self.get("/photos").json()["photos"]
        return photos

    def profile(self) -> dict[str, Any]:
        profile: dict[str, Any] = self.get("/users/me").json()["user"]
        return profile

    def counters(self) -> tuple[int, int]:
        """Return the profile's number of photos and bytes of originals."""
        profile = self.profile()
        return profile["photo_count"], profile["storage_bytes"]


def _key_header(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}


def post_json(transport: Transport, path: str, body: Any, **headers: str) -> Response:
    """Send `body` as JSON, without a token."""
    headers = {"Content-Type": "application/json", **headers}
    return transport.request("POST", path, headers, json.dumps(body).encode())


def post_to_s3(form: dict[str, Any], image: bytes, **fields: str) -> requests.Response:
    """Send an image with a presigned form; `fields` replace those that were signed."""
    data = form["fields"] | fields
    return requests.post(form["url"], data=data, files={"file": image}, timeout=60)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run all actions at the same time, and return their results in the same order."""
    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(action) for action in actions]]
