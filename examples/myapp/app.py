"""The lab's first app: the four routes of the tutorial."""

import html
import urllib.parse
from typing import Any

from chalice import BadRequestError, Chalice, Response

app = Chalice(app_name="myapp")


@app.route("/")
def index() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}


@app.route("/users/{name}")
def greet(name: str) -> Response:
    """Greet somebody with a page."""
    # The name comes as the URL has it: decode it first, then make it harmless in HTML.
    name = html.escape(urllib.parse.unquote(name))
    return Response(f"<h1>Hello, {name}!</h1>", {"Content-Type": "text/html; charset=utf-8"})


@app.route("/users", methods=["POST"])
def create_user() -> dict[str, Any]:
    """Echo the user that was sent."""
    user = app.current_request.json_body  # which answers 400 by itself when the JSON is broken
    if user is None:
        raise BadRequestError("Send the user as JSON, with Content-Type: application/json.")
    return {"user": user}


@app.route("/introspect")
def introspect() -> dict[str, Any]:
    """Show the request as the app sees it."""
    # On AWS that includes the account's id, and whatever secrets the caller's headers hold: this
    # route is for learning, so delete it from anything that is to stay.
    request: dict[str, Any] = app.current_request.to_dict()
    return request
