"""`chalice local` as `make run` starts it: with the refusals that API Gateway makes by itself.

Chalice's own server reads whatever a Content-Length says, waits for ever for bytes that do not
come, and hangs up where the gateway would answer for a failed authorizer.
"""

import contextlib
import functools
import json
import logging
import re
import socket
from typing import Any

from chalice import local
from chalice.cli import main as chalice

from chalicelib.api.error_table import BODY_LIMIT
from chalicelib.settings import cors_allow_origin
from infra import gateway

_IDLE_SECONDS = 30  # about as long as the gateway waits
_LINGER_SECONDS = 2
_LINGER_BYTES = 64 * 1024 * 1024
_LENGTH = re.compile(r"[0-9]{1,20}")


class Handler(local.ChaliceRequestHandler):  # type: ignore[misc]
    """Answers each request as API Gateway would, or hands it to Chalice."""

    timeout = _IDLE_SECONDS

    def handle_expect_100(self) -> bool:
        """Refuse before the body is sent, if its sender asks first."""
        refusal = self._refusal()
        if refusal is None:
            return bool(super().handle_expect_100())
        self._answer(*refusal)
        self.close_connection = True
        return False

    def _handle(self) -> None:
        refusal = self._refusal()
        if refusal is not None:
            self._answer(*refusal)
            self._hang_up()
            return
        try:
            self._generic_handle()
        except OSError:  # the sender is gone, or too slow
            raise
        except Exception:
            logging.exception("What API Gateway calls AUTHORIZER_FAILURE:")
            failure = gateway.responses(cors_allow_origin())["AUTHORIZER_FAILURE"]
            body = failure["ResponseTemplates"]["application/json"]
            retry_after = failure["ResponseParameters"]["Headers"]["Retry-After"].strip("'")
            self._answer(failure["StatusCode"], body, {"Retry-After": retry_after})
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _handle  # noqa: N815

    def _refusal(self) -> tuple[int, str] | None:
        """Return the status and body of the answer to a body that is not to be read."""
        if self.headers.get("transfer-encoding"):
            return 411, _body("LengthRequiredError", "Content-Length: expected, not chunks")
        lengths = set(self.headers.get_all("content-length", ["0"]))
        length = lengths.pop()
        if lengths or not _LENGTH.fullmatch(length):
            return 400, _body("BadRequestError", "Content-Length: expected the body's bytes")
        if int(length) > BODY_LIMIT:
            told = gateway.responses(cors_allow_origin())["REQUEST_TOO_LARGE"]
            return 413, told["ResponseTemplates"]["application/json"]
        return None

    def _answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        cors = {"Access-Control-Allow-Origin": cors_allow_origin(), "Connection": "close"}
        self._send_http_response_with_body(status, {**cors, **(headers or {})}, body)

    def _hang_up(self) -> None:
        """Close so that the answer arrives: who is still sending would lose it by a reset."""
        self.close_connection = True
        left = _LINGER_BYTES
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_SECONDS)
            while left > 0 and (chunk := self.connection.recv(65_536)):
                left -= len(chunk)


class Server(local.ThreadedHTTPServer):  # type: ignore[misc]
    """Takes as many connections at once as a class of students opens."""

    request_queue_size = 128  # of the five by default, the sixth is reset


def _body(code: str, message: str) -> str:
    return json.dumps({"Code": code, "Message": message})


def main() -> Any:
    """Run Chalice's command line with this server."""
    local.LocalDevServer = functools.partial(
        local.LocalDevServer, handler_cls=Handler, server_cls=Server
    )
    return chalice()


if __name__ == "__main__":
    main()
