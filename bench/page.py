"""Measure the web app with a large album: opening it, jumping in it, scrolling through it.

`make bench-page` runs this. The photos are items in the tables of a local album, with one image
behind them; Chromium has its CPU slowed down four times. It fails if a limit is missed. API calls
take as long as on AWS, since the embedded AWS reads all items for each query (see page.ts).
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from bench.images import encoded
from bench.table import save_section
from chalicelib import dates
from chalicelib.clients import client_config, create_client
from chalicelib.photos.derived import derived
from chalicelib.photos.models import DerivedItem, Photo
from chalicelib.photos.photo import PhotoState, new_id, sort_key
from infra.background import RunningStack, free_port, running
from infra.errors import OperatorError, exit_code
from infra.frontend import Frontend
from infra.processes import Process, answers
from infra.web import FOLDER_VARIABLE

_ROOT = Path(__file__).parents[1]
_ACCOUNT = {"email": "bench@example.com", "password": "Secret-2026", "username": "Bench"}
_NEWEST = datetime(2026, 11, 20, 18, 0)  # noqa: DTZ001 (a camera's local time)
_YEARS = 12
_SHAPES = ((4032, 3024), (3024, 4032), (4000, 2250), (3000, 3000), (6000, 4000))
_HASHES = ("3/cJPZqAh4eAiHh4iHh4iIBwCPh4", "1QcSHQRnh493V4dIh4eXh1h4kJUI")
_TIMEOUT = 60


@dataclass(frozen=True)
class Limit:
    """What is measured, its name in the results of the browser, and the most that is allowed."""

    what: str
    name: str
    most: float
    unit: str


LIMITS = (
    Limit("first thumbnail after opening", "firstThumbnail", 1_500, "ms"),
    Limit("API calls of opening", "apiCalls", 4, ""),
    Limit("slowest jump with the slider", "slowestJump", 1_000, "ms"),
    Limit("most elements in the document", "mostElements", 2_000, ""),
    Limit("longest task while scrolling", "longestTask", 100, "ms"),
    Limit("layout shift (CLS)", "layoutShift", 0.05, ""),
    Limit("memory that scrolling adds", "addedMemory", 40, "MB"),
)


class PhotoMaker:
    """Creates photos of one user in the tables, with what follows from them."""

    def __init__(self, stack: RunningStack) -> None:
        os.environ.update(stack.env)
        self._region = stack.env["AWS_REGION"]
        for model in (Photo, DerivedItem):
            model.Meta.region = self._region
        self._dynamodb = create_client("dynamodb", self._region, client_config(read_seconds=30))

    def create(self, user_id: str, count: int, photo: dict[str, Any]) -> None:
        """Create photos evenly over the years, with the hashes and sizes of an uploaded one."""
        counters: Counter[tuple[str, str]] = Counter()
        step = timedelta(days=365 * _YEARS) / count
        with Photo.batch_write() as batch:
            for number in range(count):
                item = _photo(user_id, number, _NEWEST - step * number, photo)
                counters.update(derived(item).counters)
                batch.save(item)
        self._count(user_id, counters)

    def _count(self, user_id: str, counters: Counter[tuple[str, str]]) -> None:
        items: dict[str, dict[str, Any]] = {}
        for (item_id, name), number in counters.items():
            item = items.setdefault(item_id, {"user_id": {"S": user_id}, "id": {"S": item_id}})
            item[name] = {"N": str(number)}
        for item in items.values():
            self._dynamodb.put_item(TableName=DerivedItem.Meta.table_name, Item=item)


def _photo(user_id: str, number: int, taken: datetime, like: dict[str, Any]) -> Photo:
    photo_id = new_id()
    width, height = _SHAPES[number % len(_SHAPES)]
    return Photo(
        user_id,
        photo_id,
        state=PhotoState.READY,
        taken_key=sort_key(taken, photo_id),
        filename=f"{photo_id}.jpg",
        filename_orig=f"IMG_{number:05}.jpg",
        filesize=like["filesize"],
        content_type=like["content_type"],
        sha256=like["sha256"],
        width=width,
        height=height,
        thumbhash=_HASHES[number % len(_HASHES)],
        taken_date=taken.isoformat(timespec="seconds"),
        upload_date=dates.utc_now().isoformat(timespec="milliseconds"),
    )


class Owner:
    """The owner of the photos, through the API."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._call("POST", "/users/signup", json=_ACCOUNT)
        self.tokens = self._call("POST", "/users/signin", json=_ACCOUNT)
        self._headers = {"Authorization": f"Bearer {self.tokens['accessToken']}"}
        me = self._call("GET", "/users/me", headers=self._headers)
        self.user_id: str = me["user"]["user_id"]

    def upload(self) -> dict[str, Any]:
        """Upload the image that is behind all photos, and return its photo."""
        image = Image.linear_gradient("L").resize((1200, 800))
        files = {"file": ("photo.jpg", encoded(image, "JPEG"))}
        uploaded = self._call("POST", "/photos/file", files=files, headers=self._headers)
        photo: dict[str, Any] = uploaded["photo"]
        return photo

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = requests.request(method, self._url + path, timeout=_TIMEOUT, **options)
        response.raise_for_status()
        body: dict[str, Any] = response.json()
        return body


@contextlib.contextmanager
def patient_api(stack: RunningStack) -> Iterator[str]:
    """Serve the album once more, by an API that waits longer for DynamoDB; yield its URL."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bench.patient_api", "local", "--no-autoreload"]
    env = stack.env | {FOLDER_VARIABLE: str(Frontend().build())}
    with (stack.state / "patient.log").open("wb") as log:
        api = Process("The API", [*command, "--port", port], env, log)
        try:
            while not answers(f"{url}/health"):
                if not api.running:
                    raise OperatorError("The API did not start.")
                time.sleep(0.1)
            yield url
        finally:
            api.stop()


def measure(url: str, tokens: dict[str, Any], image: str, seconds: int) -> dict[str, float]:
    """Return what the browser measured. Raises OperatorError."""
    path = f"{_ROOT / '.venv-node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    given = {"url": url, "tokens": tokens, "image": image, "seconds": seconds}
    done = subprocess.run(
        ["node", "bench/page.ts", json.dumps(given)],
        cwd=_ROOT / "frontend",
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OperatorError("The browser could not measure the page.")
    results: dict[str, float] = json.loads(done.stdout)
    return results


def table(results: dict[str, float]) -> tuple[str, bool]:
    """Return the results as a table, and whether all limits are met."""
    lines = ["| measurement | result | limit | |", "|---|---|---|---|"]
    met = [results[limit.name] <= limit.most for limit in LIMITS]
    for limit, is_met in zip(LIMITS, met, strict=True):
        value, most = (f"{number:,g} {limit.unit}".strip() for number in _pair(results, limit))
        lines.append(f"| {limit.what} | {value} | {most} | {'met' if is_met else '**missed**'} |")
    lines.append(f"| slowest query of the embedded AWS | {results['slowestCall']:,g} ms | | |")
    return "\n".join(lines), all(met)


def _pair(results: dict[str, float], limit: Limit) -> tuple[float, float]:
    return round(results[limit.name], 3), limit.most


def main() -> None:
    """Create the album, measure, print the table, and fail if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=60, help="of scrolling")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "album") as stack,
    ):
        owner = Owner(stack.url)
        photo = owner.upload()
        print(f"Creating {arguments.photos:,} photos ...", flush=True)
        PhotoMaker(stack).create(owner.user_id, arguments.photos, photo)
        print(f"Scrolling for {arguments.seconds} seconds ...", flush=True)
        with patient_api(stack) as url:
            results = measure(url, owner.tokens, photo["thumbSrc"], arguments.seconds)
    text, is_met = table(results)
    title = f"# Web app: {arguments.photos:,} photos, CPU slowed 4x"
    print(f"\n{text}")
    save_section(f"{title}\n\n`make bench-page`\n\n{text}\n")
    if not is_met:
        raise OperatorError("A limit was missed.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
