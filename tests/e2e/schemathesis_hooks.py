"""How schemathesis signs in; the environment variable `ALBUM_URL` is the album's base URL."""

import base64
import os
import uuid
from typing import Any

import schemathesis

from tests.support import images
from tests.support.people import Person


def access_token() -> str:
    """Return the token of a new account, whose password is in none of the document's examples."""
    person = Person.at(os.environ["ALBUM_URL"], f"{uuid.uuid4().hex}@example.com", "Correct-2026")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    return person.token


IMAGE = base64.b64encode(images.jpeg(16, 16)).decode()
TOKEN = access_token()


@schemathesis.auth(refresh_interval=None)
class Session:
    """One user's session, except that every sign-out is sent by a new user."""

    def get(self, case: Any, _: Any) -> str:
        """Return the token for a request."""
        return access_token() if case.operation.path == "/users/signout" else TOKEN

    def set(self, case: Any, token: str, _: Any) -> None:
        """Put the token into a request."""
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_: Any, case: Any, __: Any) -> None:
    """Replace what counts as an absent parameter, although the document does not say so."""
    for name, value in (case.query or {}).items():
        values = value if isinstance(value, list) else [value]
        if any(one in (None, "null") for one in values):
            case.query[name] = "neither absent nor valid"


@schemathesis.hook  # type: ignore[untyped-decorator]
def map_body(context: Any, body: Any) -> Any:
    """Replace a generated file with a real image, so that there are photos to list and delete."""
    if context.operation.path == "/photos/file" and isinstance(body, dict) and "file" in body:
        del body["file"]
        body["base64_image"] = IMAGE
    return body
