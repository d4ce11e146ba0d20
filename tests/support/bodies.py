"""Adversarial request bodies: pieces that repeat, sent to the app as API Gateway sends them.

A body is described by its pieces, so that four megabytes fit into a few lines of a file in
`tests/cases`.
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import app
from chalicelib.api.error_table import BODY_LIMIT
from chalicelib.errors import Throttled
from tests.support import images
from tests.support.album import require_documented, sub_of
from tests.support.people import Person, Response

CASES = Path(__file__).parents[1] / "cases"
MAX_CPU_SECONDS = 2.0  # for any body that a deployed album accepts
NUMBER = "{#}"  # in a piece: the number of its repetition

Pieces = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Body:
    """A request with a body; a lone surrogate in a piece stands for a byte that is not UTF-8."""

    method: str
    path: str
    content_type: str
    pieces: Pieces  # text and how often it repeats
    encoding: str = "utf-8"

    def encoded(self) -> bytes:
        """Return the bytes, cut off where a deployed album would reject them."""
        return b"".join(self._encoded_pieces())[:BODY_LIMIT]

    def _encoded_pieces(self) -> Iterator[bytes]:
        errors = "surrogateescape" if self.encoding == "utf-8" else "surrogatepass"
        for text, count in self.pieces:
            if NUMBER in text:
                text, count = "".join(text.replace(NUMBER, f"{n:x}") for n in range(count)), 1
            yield text.encode(self.encoding, errors) * count

    def to_json(self) -> str:
        """Return a line of JSON that `from_json` reads."""
        return json.dumps(self.__dict__)

    @classmethod
    def from_json(cls, text: str) -> "Body":
        """Read what `to_json` wrote; a file may also say in `why` what it is for."""
        fields = json.loads(text)
        fields.pop("why", None)
        fields["pieces"] = tuple((piece, count) for piece, count in fields["pieces"])
        return cls(**fields)


def known_bodies() -> dict[str, Body]:
    """Return the bodies in `tests/cases` by their names."""
    return {file.stem: Body.from_json(file.read_text()) for file in sorted(CASES.glob("*.json"))}


class _NoAccounts:
    """Throttles every call after its body was read, since moto lacks much of Cognito."""

    def __getattr__(self, name: str) -> Any:
        def throttle(*_: object) -> NoReturn:
            raise Throttled

        return throttle


class Target:
    """A signed-in user with a photo, whose bodies are sent to the app and measured."""

    def __init__(self, person: Person) -> None:
        self._photo_id = person.upload(images.jpeg(8, 8)).json()["photo_id"]
        self._sub, self._token = sub_of(person), person.token
        app.services.accounts = _NoAccounts()  # type: ignore[assignment]

    def send(self, body: Body) -> tuple[Response, float]:
        """Return the response to a body, and the seconds of CPU that it took.

        Fails for a response that is not documented.
        """
        event = self._event(body)
        context = SimpleNamespace(aws_request_id="request")
        began = time.process_time()
        sent = app.app(event, context)
        seconds = time.process_time() - began
        headers = sent["headers"] | sent.get("multiValueHeaders", {})
        response = Response(sent["statusCode"], headers, sent["body"].encode())
        require_documented(body.method, body.path, response)
        return response, seconds

    def _event(self, body: Body) -> dict[str, Any]:
        """Return what API Gateway sends to the function: base64 of a form, and text of all else."""
        data = body.encoded()
        is_form = body.content_type.lower().startswith("multipart/form-data")
        # The gateway replaces what is not UTF-8 with characters of three bytes.
        text = data.decode("utf-8", "replace").encode()[:BODY_LIMIT].decode("utf-8", "ignore")
        return {
            "requestContext": {
                "httpMethod": body.method,
                "resourcePath": body.path,
                "path": body.path,
                "identity": {},
                "authorizer": {"sub": self._sub, "origin_jti": "session"},
            },
            "headers": {
                "content-type": body.content_type,
                "authorization": f"Bearer {self._token}",
            },
            "pathParameters": {"photo_id": self._photo_id, "asset": "x"},
            "multiValueQueryStringParameters": None,
            "stageVariables": None,
            "body": base64.b64encode(data).decode() if is_form else text,
            "isBase64Encoded": is_form,
        }
