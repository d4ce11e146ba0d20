"""A client that is generated from the API's OpenAPI document alone."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.support import images
from tests.support.people import Person

pytestmark = pytest.mark.full

SCRIPT = """
import io, sys
from album import AuthenticatedClient, Client
from album.api.photos import list_photos, upload_photo
from album.api.users import sign_in
from album.models import Credentials, UploadForm
from album.types import File

url, email, password, picture = sys.argv[1:]
tokens = sign_in.sync(client=Client(url), body=Credentials(email, password))
album = AuthenticatedClient(url, tokens.access_token)
with open(picture, "rb") as data:
    file = File(data, "sea.jpg", "image/jpeg")
    form = UploadForm(file=file, tags="sea, sun", geotag_lat=0.0, geotag_lng=9.5)
    uploaded = upload_photo.sync(client=album, body=form)
[photo] = list_photos.sync(client=album, tag="sun", limit=10).photos
assert photo.id == uploaded.photo_id, photo
assert (photo.filename_orig, photo.geotag_lat, photo.tags) == ("sea.jpg", 0, "sea, sun"), photo
print("listed", photo.width, photo.height)
"""


def test_generated_client_signs_in_uploads_and_lists(album_url: str, tmp_path: Path) -> None:
    person = Person.at(album_url, f"{uuid.uuid4().hex}@example.com")
    person.sign_up()
    (tmp_path / "openapi.json").write_bytes(person.get("/openapi.json").body)
    (tmp_path / "sea.jpg").write_bytes(images.jpeg(320, 200))
    generator = Path(sys.executable).with_name("openapi-python-client")
    generate = ["generate", "--path", "openapi.json", "--meta", "none", "--output-path", "album"]
    run = subprocess.run(
        [generator, *generate], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Endpoint" not in run.stdout, run.stdout  # it names those that it could not generate
    (tmp_path / "use.py").write_text(SCRIPT)
    use = [sys.executable, "use.py", album_url, person.email, person.password, "sea.jpg"]
    done = subprocess.run(use, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "listed 320 200\n"), done.stderr
