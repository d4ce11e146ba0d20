"""Decode an image in a process of its own, and trust nothing that it returns.

The response is a mark, written when the process is ready for an image, and one message in
MessagePack. A process that an attacker has taken over can return any bytes: they are limited in
size, decoded into fixed types, and checked against what was asked for.
"""

import os
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Literal, cast

import msgspec
from PIL import Image

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import limits, sandbox
from chalicelib.images.exif import Exif, is_valid

READY = b"R"
FORMATS = {"TIFF", "AVIF", "HEIF"}  # of the images that are decoded like this

_MAX_START_SECONDS = 8
_MAX_MESSAGE_BYTES = 8192  # without the pixels
_MAX_SIDE = 2**31 - 1  # pixels
_PIPE_BYTES = 65536

_REFUSALS = {one.__name__: one for one in (UndecodableImage, UnsupportedImage)}


@dataclass(frozen=True)
class Picture:
    """A decoded image: Pillow's name of its format, its upright size in pixels, and the rest."""

    format: str
    width: int
    height: int
    exif: Exif
    preview: Image.Image  # upright RGB


Side = Annotated[int, msgspec.Meta(ge=1, le=_MAX_SIDE)]


class _PictureMessage(msgspec.Struct, tag="picture", forbid_unknown_fields=True):
    format: str
    width: Side
    height: Side
    exif: Exif
    preview_width: Side
    preview_height: Side
    pixels: bytes


class _RefusalMessage(msgspec.Struct, tag="refusal", forbid_unknown_fields=True):
    error: Literal["UndecodableImage", "UnsupportedImage"]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


_DECODER = msgspec.msgpack.Decoder(_PictureMessage | _RefusalMessage)


def to_message(result: Picture | UndecodableImage | UnsupportedImage) -> bytes:
    """Return the message for what an image was decoded to, or for why it was not."""
    if not isinstance(result, Picture):
        refusal = {"type": "refusal", "error": type(result).__name__, "text": str(result)}
        return msgspec.msgpack.encode(refusal)
    picture = {
        "type": "picture",
        "format": result.format,
        "width": result.width,
        "height": result.height,
        "exif": msgspec.to_builtins(result.exif),  # MessagePack's own dates have no offset.
        "preview_width": result.preview.width,
        "preview_height": result.preview.height,
        "pixels": result.preview.tobytes(),
    }
    return msgspec.msgpack.encode(picture)


def decode_in_process(data: bytes, size: int) -> Picture:
    """Decode `data` in a process that may crash, hang or be taken over.

    The preview has sides of at most `size` pixels.
    Raises UnsupportedImage or UndecodableImage; CalledProcessError or TimeoutExpired if the process
    does not even start.
    """
    sandbox.hide_memory()
    command = [sys.executable, "-P", "-S", "-m", "chalicelib.images.decoder", str(size)]
    with subprocess.Popen(  # noqa: S603 (no part of the command comes from a request)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Decoders write every error of a file to it.
        bufsize=0,
        env=_environment(),
    ) as process:
        try:
            output = _exchange(process, data, _max_bytes(size))
            if not output:
                raise subprocess.CalledProcessError(process.wait(_MAX_START_SECONDS), command)
        finally:
            process.kill()
    return _picture(output, size)


def _environment() -> dict[str, str]:
    """Return what Python needs to find its libraries: no credentials."""
    folder = str(Path(__file__).resolve().parents[2])
    environment = {"PYTHONPATH": os.pathsep.join([folder, *filter(None, sys.path)])}
    if "LD_LIBRARY_PATH" in os.environ:  # Lambda's Python needs it to find its own library.
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment


def _max_bytes(size: int) -> int:
    return len(READY) + _MAX_MESSAGE_BYTES + 3 * size * size


def _exchange(process: subprocess.Popen[bytes], data: bytes, max_bytes: int) -> bytes:
    """Send `data`, and return what the process writes until it ends or exceeds `max_bytes`.

    Raises TimeoutExpired before it is ready, and UndecodableImage afterwards.
    """
    stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    unsent, output = memoryview(data), bytearray()
    deadline = time.monotonic() + _MAX_START_SECONDS
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(stdout, selectors.EVENT_READ)
        while len(output) <= max_bytes:
            events = selector.select(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                if output:
                    raise UndecodableImage(limits.TOO_COMPLEX)
                raise subprocess.TimeoutExpired(process.args, _MAX_START_SECONDS)
            for key, _ in events:
                if key.fileobj is stdin:
                    unsent = unsent[_write(stdin.fileno(), unsent) :]
                    if not unsent:
                        selector.unregister(stdin)
                        stdin.close()
                    continue
                chunk = os.read(stdout.fileno(), _PIPE_BYTES)
                if not chunk:
                    return bytes(output)
                if not output:
                    deadline = time.monotonic() + limits.MAX_SECONDS
                output += chunk
    return bytes(output)


def _write(pipe: int, data: memoryview) -> int:
    try:
        return os.write(pipe, data[:_PIPE_BYTES])
    except BrokenPipeError:
        return len(data)  # Nobody reads the rest.


def _picture(output: bytes, size: int) -> Picture:
    """Return the picture in a response, or raise the error in it. Any defect is the image's."""
    try:
        if len(output) > _max_bytes(size) or not output.startswith(READY):
            raise ValueError("not a response")
        message = _DECODER.decode(memoryview(output)[len(READY) :])
        if isinstance(message, _PictureMessage):
            return _checked_picture(message, size)
    except ValueError as error:  # msgspec's are among them.
        raise UndecodableImage(limits.BROKEN) from error
    raise _REFUSALS[message.error](message.text)


def _checked_picture(message: _PictureMessage, size: int) -> Picture:
    width, height = message.preview_width, message.preview_height
    if max(width, height) > size or len(message.pixels) != 3 * width * height:
        raise ValueError("not a preview of this size")
    if message.format not in FORMATS:
        raise ValueError("not a format of this decoder")
    if not is_valid(message.exif):
        raise ValueError("not what EXIF is read as")
    preview = Image.frombytes("RGB", (width, height), message.pixels)
    return Picture(message.format, message.width, message.height, message.exif, preview)
