"""Fuzz what reads users' bytes: images, multipart forms, and the bodies of all routes.

Run `make fuzz SECONDS=60`. Each image and form has a number, which determines how a valid one is
broken; `python -W ignore -m tests.fuzz --case NUMBER` repeats it. Turn each failure into a test.

Images are uploaded in one request or directly to S3. None may cause a 500, take longer or more
memory than an image may, or make anything write to standard error.

A body also depends on those that were expensive before, so one that fails is written to
`tests/cases`, where `tests/api/test_hostile_input.py` repeats it: give it a name, and say why.
"""

import argparse
import base64
import collections
import contextlib
import faulthandler
import itertools
import json
import os
import random
import resource
import secrets
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest
from chalice.test import Client
from requests_toolbelt import MultipartEncoder

import app
from chalicelib.api.multipart import image_upload
from chalicelib.errors import InvalidInput, TooLarge, UndecodableImage, UnsupportedImage
from chalicelib.images.decoding import read_image
from chalicelib.images.limits import MAX_SECONDS as MAX_IMAGE_SECONDS
from chalicelib.photos.photo import METADATA
from tests.support.album import AppTransport, moto_album, snapshot, store_upload
from tests.support.bodies import CASES, MAX_CPU_SECONDS, Body, Target, known_bodies
from tests.support.body_generator import Search
from tests.support.corpus import BREAKS, KINDS, whole, with_valid_checksums
from tests.support.people import Person
from tests.support.thumbnails import SIZES

ROOT = Path(__file__).parents[1]
MAX_SECONDS = 20  # for one case
REQUEST_SECONDS = 2  # of an upload, besides what an image may take to decode
MAX_PROCESS_MB = 700  # of a process that decodes images
REJECTED = (InvalidInput, TooLarge, UndecodableImage, UnsupportedImage)
PIECES = [
    *(b"\r\n", b"\n", b"\r\n\r\n", b"--", b"\0", b'"', b";", b"=", b"%", b"\xff", b"filename*="),
    *(b"name=", b"utf-7''", b"Content-Disposition:", b"Content-Type:", b"base64,", b"data:image/"),
    *("\u202e".encode(), b"filename*0*=", b"boundary=", b"\\", b"(", b"=?utf-8?q?=41?="),
]


def broken_image(chance: random.Random) -> bytes:
    """Return an image with one to three defects."""
    kind = chance.choice([kind for kind in KINDS if not kind.startswith("HEIF")] * 3 + KINDS)
    data = whole(kind)
    for _ in range(chance.choice((1, 1, 2, 3))):
        if len(data) > 16:
            data = chance.choice(BREAKS)(data, chance)
    return with_valid_checksums(data) if kind.startswith("PNG") and chance.random() < 0.7 else data


def broken_form(chance: random.Random) -> tuple[bytes, str]:
    """Return the body and the content type of a form with an image; any of them may be broken."""
    image = broken_image(chance) if chance.random() < 0.3 else whole("GIF")
    fields: dict[str, object] = {
        name: chance.choice(("", "1", "null", "x" * 2_001, "2012:07:15 09:46:46", "-0", "é,ß"))
        for name in chance.sample(sorted(METADATA), 3)
    }
    if chance.random() < 0.5:
        fields["file"] = (chance.choice(("a.jpg", "", 'a".jpg', "../é")), image, "image/jpeg")
    else:
        fields["base64_image"] = "data:image/gif;base64," + base64.b64encode(image).decode()
    encoder = MultipartEncoder(fields)
    body, content_type = bytearray(encoder.to_string()), encoder.content_type
    for _ in range(chance.choice((0, 1, 2, 8))):
        start = chance.randrange(min(len(body), chance.choice((200, 10**9))))
        piece = chance.choice(PIECES) * chance.choice((1, 1, 1, 100))
        body[start : start + chance.choice((0, 1, len(piece)))] = piece
    if chance.random() < 0.3:
        start = chance.randrange(len(content_type))
        piece = chance.choice(PIECES)
        content_type = content_type[:start] + piece.decode("latin-1") + content_type[start + 1 :]
    return bytes(body), content_type


def outcome(number: int, person: Person) -> str:
    """Run the case of an image or a form. An error that is not in REJECTED is a bug."""
    chance = random.Random(number)
    if chance.random() < 0.5:
        return upload_outcome(broken_image(chance), person, directly=chance.random() < 0.5)
    try:
        form = image_upload(*broken_form(chance))
        read_image(form.data, SIZES)
        return "form accepted"
    except REJECTED as error:
        str(error).encode()
        return type(error).__name__


def upload_outcome(image: bytes, person: Person, directly: bool) -> str:
    """Upload an image, in one request or to S3, and return the status. Fails if it is a bug."""
    began = time.monotonic()
    with open(os.devnull, "w") as log, contextlib.redirect_stdout(log):
        if directly and image:
            started = person.begin_upload(len(image))
            store_upload(started, image)
            response = person.complete(started)
        else:
            response = person.upload(image)
    seconds = time.monotonic() - began
    assert response.status_code < 500, f"{response.status_code}: {response.text}"
    assert seconds <= MAX_IMAGE_SECONDS + REQUEST_SECONDS, f"{seconds:.1f} s for an image"
    return f"image {response.status_code}" + (" through S3" if directly else "")


def process_megabytes() -> float:
    """Return the peak of this process, or of the largest one that has decoded an image for it."""
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    megabytes = max(resource.getrusage(one).ru_maxrss for one in processes) / 1024
    assert megabytes <= MAX_PROCESS_MB, f"{megabytes:.0f} MB"
    return megabytes


@contextlib.contextmanager
def signed_in() -> Iterator[Person]:
    """Provide an album, and a user of it."""
    with pytest.MonkeyPatch.context() as patch, moto_album(patch), Client(app.app) as client:
        with open(os.devnull, "w") as log, contextlib.redirect_stdout(log):
            person = Person(AppTransport(client.http), "mario@example.com")
            assert person.sign_up().ok
            assert person.sign_in().ok
        yield person


def response_to(body: Body, target: Target) -> tuple[str, float]:
    """Return the status of the response to a body, and its CPU time. Fails if either is a bug."""
    with open(os.devnull, "w") as log, contextlib.redirect_stdout(log):
        response, seconds = target.send(body)
    assert response.status_code < 500, f"{response.status_code}: {response.text}"
    assert seconds <= MAX_CPU_SECONDS, f"{seconds:.2f} s of CPU"
    return f"body {response.status_code}", seconds


def run_cases(first: int) -> None:
    """Run case after case, printing a line of JSON before each starts, and one with its outcome."""
    search = Search(known_bodies().values())
    with signed_in() as person:
        with open(os.devnull, "w") as log, contextlib.redirect_stdout(log):
            target, restore = Target(person), snapshot()
        for number in itertools.count(first):
            chance = random.Random(f"body {number}")
            body = search.propose(chance) if number % 2 else None
            print(json.dumps({"case": number, "body": body and body.to_json()}), flush=True)
            faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
            seconds = 0.0
            if body:
                result, seconds = response_to(body, target)
                search.learn(body, seconds)
            else:
                result = outcome(number, person)
            faulthandler.cancel_dump_traceback_later()
            measured = {"cpu": seconds, "megabytes": process_megabytes()}
            print(json.dumps({"outcome": result, **measured}), flush=True)
            if number % 50 == 0:
                restore()


@dataclass
class Results:
    """What has come out of all cases so far."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    failed: list[int] = field(default_factory=list)
    bodies: int = 0
    most_cpu: float = 0.0  # seconds
    megabytes: float = 0.0  # of the largest process
    worst: str = "none"  # the body that took them

    def add(self, result: str, cpu: float, megabytes: float, body: str | None) -> None:
        """Record the outcome of a case."""
        self.outcomes[result] += 1
        self.megabytes = max(self.megabytes, megabytes)
        self.bodies += body is not None
        if body and cpu > self.most_cpu:
            self.most_cpu, self.worst = cpu, body

    def fail(self, number: int, body: str | None, code: int, errors: str) -> None:
        """Record a case that ended its process or wrote to standard error; keep its body."""
        self.failed.append(number)
        print(f"Case {number} failed with exit code {code}:" if code else f"Case {number} wrote:")
        print("\n".join(errors.splitlines()[-12:]))
        if body:
            file = CASES / f"found-{number}.json"
            file.write_text(json.dumps({"why": "", **json.loads(body)}, indent=2) + "\n")
            print(f"Its body is in {file.relative_to(ROOT)}.")

    def print(self, first: int) -> None:
        """Print the sum of all."""
        outcomes = dict(self.outcomes.most_common())
        print(f"{self.outcomes.total()} cases, starting at {first}: {outcomes}")
        print(f"The largest process took {self.megabytes:.0f} MB.")
        print(f"{self.bodies} bodies; the most CPU time that one took is {self.most_cpu:.2f} s:")
        print(self.worst if len(self.worst) < 1_000 else f"{self.worst[:1_000]}...")
        if self.failed:
            print(f"FAILED cases: {', '.join(map(str, self.failed))}")


def fuzz(seconds: float, first: int) -> int:
    """Run cases in child processes, which may crash, and return how many failed."""
    results = Results()
    deadline, number = time.monotonic() + seconds, first
    while time.monotonic() < deadline:
        # A file, because decoders print so many errors that a pipe would fill up.
        with tempfile.TemporaryFile("w+") as errors, worker(number, errors) as process:
            assert process.stdout is not None
            body: str | None = None
            while time.monotonic() < deadline:
                ready, _, _ = select.select([process.stdout], [], [], 1.0)
                line = json.loads((process.stdout.readline() or "null") if ready else "{}")
                if line is None:
                    code = process.wait(MAX_SECONDS)
                    errors.seek(0)
                    results.fail(number, body, code, errors.read())
                    break
                if "case" in line:
                    number, body = line["case"], line["body"]
                elif line:
                    results.add(line["outcome"], line["cpu"], line["megabytes"], body)
                    if os.fstat(errors.fileno()).st_size:
                        errors.seek(0)
                        results.fail(number, body, 0, errors.read())
                        break
            number += 1
            process.kill()
    results.print(first)
    return len(results.failed)


def worker(number: int, errors: IO[str]) -> subprocess.Popen[str]:
    """Start a process that runs the cases from a number on."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz", "--work", str(number)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=errors)


def main() -> int:
    """Fuzz, or run the one case that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--case", type=int)
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        run_cases(arguments.work)
    if arguments.case is not None:
        with signed_in() as person:
            print(outcome(arguments.case, person))
        return 0
    return min(1, fuzz(arguments.seconds, arguments.first))


if __name__ == "__main__":
    sys.exit(main())
