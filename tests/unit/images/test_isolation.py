"""The process that decodes an image: what the API accepts from it, and what it never does."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from PIL.ExifTags import Base

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import decoder, decoding, isolation, limits, sandbox
from chalicelib.images.decoding import read_image
from chalicelib.images.exif import Exif
from tests.support.images import encoded, exif, gradient
from tests.support.thumbnails import SIZES

ROOT = Path(__file__).parents[3]
HEIC = encoded(gradient(), "HEIF")
FULL_EXIF = Exif(datetime.fromisoformat("2019-05-06T07:08:09+09:00"), "A", "B", -33.5, 70.25)

Run = Callable[[str], Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that reads an image with a shell script in place of the decoder."""

    def read(script: str) -> Any:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(path))
        return read_image(HEIC, SIZES)

    return read


@pytest.fixture
def respond(run: Run, tmp_path: Path) -> Callable[[bytes], Any]:
    """Return a function that reads an image with a decoder that is ready, and writes bytes."""

    def read(response: bytes) -> Any:
        (tmp_path / "response").write_bytes(response)
        return run(f"printf R; cat {tmp_path}/response")

    return read


def picture(**changes: Any) -> dict[str, Any]:
    """Return a valid message, except for the changes."""
    preview = Image.new("RGB", (20, 10), "red")
    message = isolation.to_message(isolation.Picture("HEIF", 200, 100, FULL_EXIF, preview))
    return {**msgspec.msgpack.decode(message), **changes}


def test_picture_of_the_decoder_is_used(respond: Callable[[bytes], Any]) -> None:
    image = respond(msgspec.msgpack.encode(picture()))
    assert (image.width, image.height, image.content_type) == (200, 100, "image/heic")
    assert image.exif == FULL_EXIF


@pytest.mark.parametrize("error", [UndecodableImage("No."), UnsupportedImage("No.")])
def test_error_of_the_decoder_is_raised(
    error: UndecodableImage | UnsupportedImage, respond: Callable[[bytes], Any]
) -> None:
    with pytest.raises(type(error), match=r"^No\.$"):
        respond(isolation.to_message(error))


class Exploit:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_pickle_of_the_decoder_is_not_loaded(
    respond: Callable[[bytes], Any], tmp_path: Path
) -> None:
    pickled = pickle.dumps(Exploit(tmp_path / "exploited"))
    with pytest.raises(UndecodableImage, match="broken"):
        respond(pickled)
    assert not (tmp_path / "exploited").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "JPEG"},
        {"format": "../x"},
        {"format": None},
        {"width": 0},
        {"width": -1},
        {"height": 2**31},
        {"width": 2**64 - 1},
        {"width": 1.5},
        {"height": "100"},
        {"height": None},
        {"preview_width": 641, "pixels": bytes(641 * 10 * 3)},
        {"preview_height": 641, "pixels": bytes(20 * 641 * 3)},
        {"preview_width": 0, "pixels": b""},
        {"preview_width": 21},
        {"preview_height": 9},
        {"pixels": b""},
        {"pixels": bytes(601)},
        {"pixels": "x" * 600},
        {"type": "refusal"},
        {"type": "other"},
        {"more": 1},
        {"exif": None},
        {"exif": {"latitude": 91.0, "longitude": 0.0}},
        {"exif": {"latitude": 0.0, "longitude": -180.1}},
        {"exif": {"latitude": float("nan"), "longitude": 0.0}},
        {"exif": {"latitude": 0.0, "longitude": float("inf")}},
        {"exif": {"latitude": 0.0}},
        {"exif": {"longitude": 0.0}},
        {"exif": {"make": "x" * 201}},
        {"exif": {"make": ""}},
        {"exif": {"make": " spaces "}},
        {"exif": {"model": "two\nlines"}},
        {"exif": {"model": 7}},
        {"exif": {"taken": "0001-01-01T00:00:00"}},
        {"exif": {"taken": "9999-12-31T00:00:00"}},
        {"exif": {"taken": "yesterday"}},
    ],
    ids=str,
)
def test_picture_that_no_decoder_returns_is_undecodable(
    changes: dict[str, Any], respond: Callable[[bytes], Any]
) -> None:
    with pytest.raises(UndecodableImage, match="broken"):
        respond(msgspec.msgpack.encode(picture(**changes)))


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"\x80",
        b"\xc1",
        b"{}",
        msgspec.msgpack.encode(picture())[:-1],
        msgspec.msgpack.encode(picture()) + b"\0",
        b"\x91" * 5000,
        msgspec.msgpack.encode({"type": "refusal", "error": "SystemExit", "text": "No."}),
        msgspec.msgpack.encode({"type": "refusal", "error": "UndecodableImage", "text": ""}),
        msgspec.msgpack.encode({"type": "refusal", "error": "UndecodableImage", "text": 301 * "x"}),
    ],
    ids=["nothing", "map", "reserved", "JSON", "short", "long", "nested", "error", "no", "text"],
)
def test_response_that_no_decoder_writes_is_undecodable(
    response: bytes, respond: Callable[[bytes], Any]
) -> None:
    with pytest.raises(UndecodableImage, match="broken"):
        respond(response)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("printf R; kill -SEGV $$", "broken"),
        ("printf R; exit 1", "broken"),
        ("printf x", "broken"),
        ("printf R; exec cat /dev/zero", "broken"),
        ("printf R; exec sleep 60", "too complex"),
        ("printf R; while :; do printf R; sleep 0.02; done", "too complex"),
        ("printf R; sleep 10 &", "too complex"),  # Another process keeps the pipe open.
    ],
    ids=["crash", "failure", "other mark", "endless", "silent", "slow", "descendant"],
)
def test_decoder_that_writes_no_response_is_ended(
    script: str, message: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(UndecodableImage, match=message):
        run(script)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("script", ["exit 1", "kill -SEGV $$"])
def test_decoder_that_does_not_start_is_not_blamed_on_the_image(script: str, run: Run) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(script)


def test_decoder_that_never_gets_ready_is_not_blamed_on_the_image(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "_MAX_START_SECONDS", 0.1)
    with pytest.raises(subprocess.TimeoutExpired):
        run("exec sleep 60")


def test_decoder_that_does_not_read_the_image_is_harmless(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "response").write_bytes(msgspec.msgpack.encode(picture()))
    monkeypatch.setattr(sys.modules[__name__], "HEIC", HEIC + bytes(1_000_000))
    assert run(f"exec 0<&-; printf R; sleep 0.1; cat {tmp_path}/response").width == 200


def test_decoder_gets_the_library_path_but_no_credentials(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/var/lang/lib")
    seen = tmp_path / "environment"
    with pytest.raises(subprocess.CalledProcessError):
        run(f"env > {seen}; exit 1")
    environment = seen.read_text()
    assert "PYTHONPATH" in environment
    assert "LD_LIBRARY_PATH=/var/lang/lib" in environment
    assert "secret" not in environment


def test_decoder_is_found_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "image.heic").write_bytes(HEIC)
    script = f"""
import sys
sys.path.append({str(ROOT)!r})
from chalicelib.images.decoding import read_image
from chalicelib.images.sizes import Sizes
print(read_image(open("image.heic", "rb").read(), Sizes(300, 200, 640)).width)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "640\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
def test_api_hides_its_memory_before_the_decoder_starts(tmp_path: Path) -> None:
    (tmp_path / "image.heic").write_bytes(HEIC)
    script = f"""
import ctypes, subprocess
from chalicelib.images import isolation
is_readable = lambda: ctypes.CDLL(None).prctl(3, *map(ctypes.c_ulong, (0, 0, 0, 0)))
start, seen = subprocess.Popen, [is_readable()]
def popen(*arguments, **options):
    seen.append(is_readable())
    return start(*arguments, **options)
subprocess.Popen = popen
isolation.decode_in_process(open("{tmp_path}/image.heic", "rb").read(), 640)
print(seen)
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert run.stdout == "[1, 0]\n"


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("offset", [{}, {Base.OffsetTimeOriginal: "-03:30"}])
def test_process_returns_what_the_image_contains(kind: str, offset: dict[int, str]) -> None:
    tags = exif({Base.Make: "Ünïcode"}, {Base.DateTimeOriginal: "2019:05:06 07:08:09", **offset})
    data = encoded(gradient(), kind, exif=tags.tobytes())
    picture, ours = isolation.decode_in_process(data, 640), decoding.decode(data, 640)
    assert picture.exif == ours.exif
    assert ours.exif.taken is not None
    assert picture.exif.taken is not None
    assert picture.exif.taken.tzinfo == ours.exif.taken.tzinfo
    assert picture.preview.tobytes() == ours.preview.tobytes()
    assert (picture.format, picture.width, picture.height) == (kind, 640, 480)


@pytest.mark.parametrize("data", [HEIC, HEIC[: len(HEIC) // 2]], ids=["valid", "broken"])
def test_decoder_is_restricted_before_it_decodes(
    data: bytes, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    steps: list[Any] = []
    # The tests have registered an opener already, that of pillow-heif.
    monkeypatch.setattr("pi_heif.register_heif_opener", lambda **_: None)
    monkeypatch.setattr(limits, "allocation_limit", lambda: 10**12)
    monkeypatch.setattr(sandbox, "restrict_decoder", lambda *given: steps.append(given))
    decode = decoding.decode

    def decode_later(*arguments: Any) -> isolation.Picture:
        steps.append("decoded")
        return decode(*arguments)

    monkeypatch.setattr(decoding, "decode", decode_later)
    monkeypatch.setattr(sys, "argv", ["decoder", "640"])
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    with open(read) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        decoder.main()
    assert steps == [(10, 10**12), "decoded"]
    sys.stdout.flush()
    output = capfdbinary.readouterr().out
    assert output.startswith(isolation.READY)
    assert msgspec.msgpack.decode(output[1:])["type"] in ("picture", "refusal")


def test_format_of_other_bytes_is_named_by_the_process() -> None:
    with pytest.raises(UnsupportedImage, match="JPEG, PNG"):
        read_image(b"IIRO" + bytes(100), SIZES)
