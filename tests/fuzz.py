"""Fuzz the two parsers that read users' bytes: multipart forms and images.

Run `make fuzz SECONDS=60`. Each case has a number, which determines how a valid image or form is
broken; `python -W ignore -m tests.fuzz --case NUMBER` repeats one. Turn each failure into a test.
"""

import argparse
import base64
import collections
import faulthandler
import random
import secrets
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from requests_toolbelt import MultipartEncoder

from chalicelib.api.multipart import image_upload
from chalicelib.errors import InvalidInput, TooLarge, UndecodableImage, UnsupportedImage
from chalicelib.images.decoding import read_image
from chalicelib.photos.photo import METADATA
from tests.support.corpus import BREAKS, KINDS, whole, with_valid_checksums

ROOT = Path(__file__).parents[1]
BOX = (300, 200)
MAX_SECONDS = 20  # for one case
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


def outcome(number: int) -> str:
    """Run one case and return its outcome. An error that is not in REJECTED is a bug."""
    chance = random.Random(number)
    try:
        if chance.random() < 0.5:
            read_image(broken_image(chance), BOX)
            return "image decoded"
        form = image_upload(*broken_form(chance))
        read_image(form.data, BOX)
        return "form accepted"
    except REJECTED as error:
        str(error).encode()
        return type(error).__name__


def run_cases(first: int) -> None:
    """Run case after case, printing the number of each before it starts, and then its outcome."""
    number = first
    while True:
        print(number, end=" ", flush=True)
        faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
        print(outcome(number), flush=True)
        faulthandler.cancel_dump_traceback_later()
        number += 1


def fuzz(seconds: float, first: int) -> int:
    """Run cases in child processes, which may crash, and return how many failed."""
    outcomes: collections.Counter[str] = collections.Counter()
    failed: list[int] = []
    deadline, number = time.monotonic() + seconds, first
    while time.monotonic() < deadline:
        command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz", "--work", str(number)]
        # A file, because decoders print so many errors that a pipe would fill up.
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(
                command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=errors
            ) as worker,
        ):
            assert worker.stdout is not None
            while time.monotonic() < deadline:
                ready, _, _ = select.select([worker.stdout], [], [], 1.0)
                line = worker.stdout.readline() if ready else "\n"
                started, _, result = line.rstrip("\n").partition(" ")
                if started:
                    number = int(started)
                if result:
                    outcomes[result] += 1
                    number += 1
                elif ready and worker.wait(MAX_SECONDS) is not None:
                    failed.append(number)
                    errors.seek(0)
                    print(f"Case {number} failed with exit code {worker.returncode}:")
                    print("\n".join(errors.read().splitlines()[-12:]))
                    number += 1
                    break
            worker.kill()
    print(f"{sum(outcomes.values())} cases, starting at {first}: {dict(outcomes.most_common())}")
    if failed:
        print(f"FAILED cases: {', '.join(map(str, failed))}")
    return len(failed)


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
        print(outcome(arguments.case))
        return 0
    return min(1, fuzz(arguments.seconds, arguments.first))


if __name__ == "__main__":
    sys.exit(main())
