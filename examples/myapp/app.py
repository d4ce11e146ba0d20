"""The lab's first app: the four routes of the tutorial."""

import html
import urllib.parse
from typing import Any

from chalice import BadRequestError, Chalice, Response

app = Chalice(app_name="myapp")


@app.route("/")
def index() -> dict[str, str]:
    """Return a greeting."""
    return {"hello": "world"}


@app.route("/users/{name}")
def greet(name: str) -> Response:
    """Return a page that greets the user."""
    # Chalice does not decode path parameters. Decode first, then escape for HTML.
    name = html.escape(urllib.parse.unquote(name))
    return Response(f"<h1>Hello, {name}!</h1>", {"Content-Type": "text/html; charset=utf-8"})


@app.route("/users", methods=["POST"])
def create_user() -> dict[str, Any]:
    """Echo the user in the request body."""
    user = app.current_request.json_body  # This raises BadRequestError for broken JSON.
    if user is None:
        raise BadRequestError("Send the user as JSON, with Content-Type: application/json.")
    return {"user": user}


@app.route("/introspect")
def introspect() -> dict[str, Any]:
    """Return the request as the app sees it."""
    # On AWS, that includes the account ID and any secrets in the headers: this route is for
    # learning, so delete it from any app you keep.
    request: dict[str, Any] = app.current_request.to_dict()
    return request
