"""Fill an account of the local album with painted photos; `make demo` runs this.

Photos that the account already has are left as they are, so it can be repeated at any time.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import requests

from infra.demo.trips import Shot, paint, shots
from infra.errors import OperatorError, exit_code

EMAIL, PASSWORD = "demo@example.com", "Demo-Album-2026"
_AT_ONCE = 4  # uploads, as the web app does
_PAINTERS = 2
_ATTEMPTS = 5


class Album:
    """The API of a local album, as a client sees it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # A proxy must not see requests to this machine.

    def sign_in(self) -> None:
        """Sign in to the account of the demo, which is created if necessary."""
        account = {"email": EMAIL, "password": PASSWORD}
        signed_up = self._send("POST", "/users/signup", json=account | {"username": "Demo"})
        if signed_up.status_code not in (200, 409):
            raise OperatorError(f"Signing up failed: {_reason(signed_up)}")
        token = self._json("POST", "/users/signin", json=account)["accessToken"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def names(self) -> set[str]:
        """Return the file names of all photos, including those in the trash."""
        return {one["filename_orig"] for trashed in (False, True) for one in self._photos(trashed)}

    def _photos(self, trashed: bool) -> Iterator[dict[str, Any]]:
        query: dict[str, str] = {"urls": "thumb"} | ({"trashed": "true"} if trashed else {})
        while True:
            page = self._json("GET", "/photos", params=query)
            yield from page["photos"]
            if not page["nextCursor"]:
                return
            query["cursor"] = page["nextCursor"]

    def add(self, shot: Shot, image: bytes) -> None:
        """Upload a photo; some become favorites, and some are moved to the trash."""
        form = shot.metadata | {"on_duplicate": "skip"}
        file = {"file": (shot.name, image, "image/jpeg")}
        path = f"/photos/{self._json('POST', '/photos/file', data=form, files=file)['photo_id']}"
        if shot.favorite:
            self._json("PATCH", path, json={"favorite": True})
        if shot.trashed:
            self._json("POST", f"{path}/trash")

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._send(method, path, **options)
        if response.status_code != 200:
            raise OperatorError(f"{method} {path} failed: {_reason(response)}")
        body: dict[str, Any] = response.json()
        return body

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request, again after Retry-After if the album is too busy."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = self._session.request(method, self._url + path, timeout=60, **options)
            except requests.RequestException:
                raise OperatorError(
                    f"No album responds at {self._url}. Start it with `make run`, or name its port "
                    "with PORT=."
                ) from None
            if response.status_code not in (429, 503) or attempt == _ATTEMPTS:
                break
            time.sleep(int(response.headers.get("Retry-After", "1")))
        return response


def fill(album: Album) -> int:
    """Add the photos that the album lacks, and return how many these are."""
    existing = album.names()
    missing = [shot for shot in shots() if shot.name not in existing]
    if not missing:
        return 0
    with (
        ProcessPoolExecutor(_PAINTERS, mp_context=get_context("spawn")) as painters,
        ThreadPoolExecutor(_AT_ONCE) as uploads,
    ):
        painted = painters.map(paint, missing, chunksize=4)
        running = [uploads.submit(album.add, *pair) for pair in zip(missing, painted, strict=True)]
        for number, upload in enumerate(running, 1):
            upload.result()
            if number % 50 == 0:
                print(f"  {number} of {len(missing)}", flush=True)
    return len(missing)


def _reason(response: requests.Response) -> str:
    try:
        return str(response.json()["Message"])
    except (ValueError, KeyError):
        return f"status {response.status_code}"


def main() -> None:
    """Fill the account of the demo in the album at a port of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5000)
    port = parser.parse_args().port
    album = Album(f"http://127.0.0.1:{port}")
    album.sign_in()
    print("Painting and uploading photos ...", flush=True)
    start = time.monotonic()
    added = fill(album)
    print(f"Added {added} photos in {time.monotonic() - start:.0f} seconds.")
    print(f"Open http://127.0.0.1:{port}/ and sign in as {EMAIL} with the password {PASSWORD}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
