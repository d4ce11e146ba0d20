"""How schemathesis signs in: `ALBUM_URL` names the album."""

import base64
import os
import uuid
from typing import Any

import schemathesis

from tests.support import images
from tests.support.people import Person


def access_token() -> str:
    """Return the token of a new account, whose password no example of the document has."""
    person = Person.at(os.environ["ALBUM_URL"], f"{uuid.uuid4().hex}@example.com", "Correct-2026")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    return person.token


PICTURE = base64.b64encode(images.jpeg(16, 16)).decode()
TOKEN = access_token()


@schemathesis.auth(refresh_interval=None)
class Session:
    """One person's session; whoever signs out is somebody else each time."""

    def get(self, case: Any, _: Any) -> str:
        """Return the token for a request."""
        return access_token() if case.operation.path == "/users/signout" else TOKEN

    def set(self, case: Any, token: str, _: Any) -> None:
        """Put the token into a request."""
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook  # type: ignore[untyped-decorator]
def map_body(context: Any, body: Any) -> Any:
    """Make what is sent as a picture one, so that there are photos to look at and to delete."""
    if context.operation.path == "/photos/file" and isinstance(body, dict) and "file" in body:
        del body["file"]
        body["base64_image"] = PICTURE
    return body
