"""`chalice local` as `make run` starts it: with API Gateway's responses to errors, and the web app.

Chalice's own server reads as many bytes as a Content-Length claims, waits forever for bytes that
never arrive, sends the authorizer's 401 and 403 without CORS headers, closes the connection when
the authorizer fails, and has responses of its own to methods that a path lacks.
"""

import functools
import json
import logging
import os
import re
from pathlib import Path
from typing import Any

from chalice import local
from chalice.cli import main as chalice

from chalicelib.api.docs_page import bucket_origin
from chalicelib.api.error_table import BODY_LIMIT
from chalicelib.settings import Settings, cors_allow_origin
from infra.gateway import RESPONSES, GatewayResponse
from infra.web import FOLDER_VARIABLE, WebApp

_IDLE_SECONDS = 30  # about as long as API Gateway waits
_LENGTH = re.compile(r"[0-9]{1,20}")
_NO_LENGTH = GatewayResponse(
    411, "LengthRequiredError", "Content-Length is required; chunked bodies are not supported."
)
_BAD_LENGTH = GatewayResponse(
    400, "BadRequestError", "Content-Length must be the number of the body's bytes."
)


_DENIALS = {
    local.NotAuthorizedError: RESPONSES["UNAUTHORIZED"],  # no token
    local.ForbiddenError: RESPONSES["ACCESS_DENIED"],  # a token that the authorizer rejects
    local.InvalidAuthorizerError: RESPONSES["AUTHORIZER_FAILURE"],
}

_NOT_BUILT = b"The web app is not built: `make run` says why. The API is described at /docs."


def _settings() -> Settings:
    from app import services  # Chalice has imported it.

    return services.settings


class Handler(local.ChaliceRequestHandler):  # type: ignore[misc]
    """Responds to each request as API Gateway would, or passes it to Chalice."""

    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def handle_expect_100(self) -> bool:
        """Reject a body before it is sent, if the client waits for permission."""
        rejection = self._bad_body()
        if rejection is None:
            return bool(super().handle_expect_100())
        self._reject(rejection)
        return False

    def log_request(self, *_: object) -> None:
        """Log nothing: the album itself logs one line of JSON for each request."""

    def parse_request(self) -> bool:
        """Read the head, and respond to a method that Python's server would reject with 501."""
        if not super().parse_request():
            return False
        if hasattr(self, f"do_{self.command}"):
            return True
        self._handle()
        return False

    def _handle(self) -> None:
        rejection = self._bad_body()
        if rejection is not None:
            self._reject(rejection)
            return
        try:
            if self._route_exists():
                self._generic_handle()
            elif not self._serve_file():
                self._parse_payload()
                self._respond(RESPONSES["MISSING_AUTHENTICATION_TOKEN"])
        except OSError:  # The client is gone, or too slow.
            raise
        except Exception:
            logging.exception("The authorizer failed:")
            self._reject(RESPONSES["AUTHORIZER_FAILURE"])

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _handle  # noqa: N815

    def _bad_body(self) -> GatewayResponse | None:
        """Return the response to a body that must not be read, or None."""
        if self.headers.get("transfer-encoding"):
            return _NO_LENGTH
        lengths = set(self.headers.get_all("content-length", ["0"]))
        length = lengths.pop()
        if lengths or not _LENGTH.fullmatch(length):
            return _BAD_LENGTH
        return RESPONSES["REQUEST_TOO_LARGE"] if int(length) > BODY_LIMIT else None

    def _route_exists(self) -> bool:
        """Return whether the album has the method of the path; all have preflights."""
        matcher = self.local_gateway.event_converter._route_matcher
        try:
            route = matcher.match_route(self.path).route
        except ValueError:
            return False
        return self.command in {"OPTIONS", *self.local_gateway._app_object.routes[route]}

    def _serve_file(self) -> bool:
        """Respond with a file of the web app, and return whether there is one at this path."""
        if self.command not in ("GET", "HEAD"):
            return False
        folder = os.environ.get(FOLDER_VARIABLE)
        if folder is None:
            if self.path != "/":
                return False
            self._send_http_response_with_body(503, {"Content-Type": "text/plain"}, _NOT_BUILT)
            return True
        web = WebApp(Path(folder), _settings, lambda: bucket_origin(_settings))
        file = web.find(self.path, self.headers.get("Accept-Encoding", ""))
        if file is None:
            return False
        body = b"" if self.command == "HEAD" else file.body
        self._send_http_response_with_body(200, file.headers, body)
        return True

    def _send_error_response(self, error: local.LocalGatewayException) -> None:
        """Respond to what the authorizer denies; Chalice would send no CORS headers."""
        self._respond(_DENIALS[type(error)], error.headers)

    def _reject(self, response: GatewayResponse) -> None:
        """Respond, and close the connection: the body was not read."""
        self.close_connection = True
        self._respond(response, {"Connection": "close"})

    def _respond(self, response: GatewayResponse, headers: dict[str, str] | None = None) -> None:
        self.log_message("%s %s: %s", self.command, self.path.split("?")[0], response.code)
        body = json.dumps({"Code": response.code, "Message": response.message})
        if self.command == "HEAD":
            body = ""
        headers = response.headers(cors_allow_origin()) | (headers or {})
        self._send_http_response_with_body(response.status, headers, body)


class Server(local.ThreadedHTTPServer):  # type: ignore[misc]
    """Accepts as many connections at once as a class of students opens."""

    request_queue_size = 128  # With the default of five, the sixth is reset.


def main() -> Any:
    """Run Chalice's command line with this server."""
    local.LocalDevServer = functools.partial(
        local.LocalDevServer, handler_cls=Handler, server_cls=Server
    )
    return chalice()


if __name__ == "__main__":
    main()
