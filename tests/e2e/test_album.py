"""Sign up, sign in, upload, list, download and delete, over HTTP."""

import base64
import hashlib
import io
import uuid

import pytest
import requests
from PIL import Image

from tests.support import images
from tests.support.people import Person


def test_steps_of_the_tutorial_work(album_url: str) -> None:
    account = {
        "email": f"super-{uuid.uuid4()}@mario.com",
        "password": "Super2019!",
        "username": "SuperMario",
    }
    response = requests.post(f"{album_url}/users/signup", json=account, timeout=30)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    del account["username"]
    response = requests.post(f"{album_url}/users/signin", json=account, timeout=30)
    assert response.status_code == 200
    assert {"accessToken", "refreshToken"} <= set(response.json())


def test_originals_are_downloaded_byte_for_byte(mario: Person) -> None:
    as_file, as_base64 = images.jpeg(2048, 1371), images.jpeg(1371, 2048)
    assert mario.upload(as_file).status_code == 200
    encoded = base64.b64encode(as_base64).decode()
    assert mario.post_form(base64_image=encoded).status_code == 200
    listed = mario.get("/photos/").json()["photos"]
    for photo, image in zip(listed, (as_base64, as_file), strict=True):
        original = requests.get(photo["originalSrc"], timeout=30)
        assert original.content == image
        assert original.headers["Content-Type"] == "image/jpeg"
        assert photo["sha256"] == hashlib.sha256(image).hexdigest()
        thumbnail = Image.open(io.BytesIO(requests.get(photo["thumbSrc"], timeout=30).content))
        assert thumbnail.width <= 600
        assert thumbnail.height <= 400
        assert thumbnail.width == 600 or thumbnail.height == 400
        preview = Image.open(io.BytesIO(requests.get(photo["previewSrc"], timeout=30).content))
        assert max(preview.size) == min(1920, max(photo["width"], photo["height"]))
        assert photo["thumbhash"]


@pytest.mark.parametrize("mode", ["thumbnail", "preview", "original"])
def test_photo_with_a_mode_redirects_to_its_bytes(mario: Person, mode: str) -> None:
    image = images.jpeg()
    photo_id = mario.upload(image).json()["photo_id"]
    redirect = mario.get(f"/photos/{photo_id}?mode={mode}")
    assert redirect.status_code == 302
    content = requests.get(redirect.headers["Location"], timeout=30).content
    assert (content == image) is (mode == "original")
    assert Image.open(io.BytesIO(content)).format == "JPEG"


def test_signed_url_that_was_changed_is_rejected(mario: Person, luigi: Person) -> None:
    mine = mario.upload(images.jpeg()).json()["photo"]
    theirs = luigi.upload(images.jpeg()).json()["photo"]
    url = mine["originalSrc"]
    url = url.replace(mine["user_id"], theirs["user_id"]).replace(mine["id"], theirs["id"])
    assert requests.get(url, timeout=30).status_code == 403
    assert requests.get(theirs["originalSrc"].split("?")[0], timeout=30).status_code == 403


def test_photo_of_another_user_is_404(mario: Person, luigi: Person) -> None:
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    assert luigi.photos() == []
    for method in ("GET", "DELETE"):
        assert luigi.request(method, f"/photos/{photo_id}").status_code == 404
    assert luigi.get(f"/photos/{photo_id}?mode=original").status_code == 404
    assert mario.get(f"/photos/{photo_id}").status_code == 200


def test_deleted_photo_is_not_listed_and_its_objects_are_deleted(mario: Person) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    assert mario.delete(f"/photos/{photo['id']}").status_code == 200
    assert mario.photos() == []
    assert requests.get(photo["originalSrc"], timeout=30).status_code == 404
    assert requests.get(photo["thumbSrc"], timeout=30).status_code == 404


def test_sign_out_ends_every_session_at_once(mario: Person) -> None:
    phone = mario.new_session()
    assert mario.sign_out().status_code == 200
    assert mario.get("/photos").status_code == 403
    assert phone.get("/photos").status_code == 403
    mario.sign_in()
    assert mario.get("/photos").status_code == 200


def test_sign_in_with_a_revoked_token_in_its_header_succeeds(mario: Person) -> None:
    mario.sign_out()
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 200


def test_sign_in_right_after_each_sign_out_is_accepted(mario: Person) -> None:
    for _ in range(5):
        assert mario.sign_out().json() == {"ok": True}
        assert mario.sign_in().status_code == 200
        assert mario.get("/photos").status_code == 200


@pytest.mark.parametrize("path", ["/photos", "/photos/", "/photos/file/", "/users/signout"])
def test_forged_tokens_are_rejected_on_every_path(mario: Person, path: str) -> None:
    header, payload, signature = mario.token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    forged = [
        f"{none}.{payload}.",
        f"{header}.{payload}.AAAA",
        f"{header}.{payload[:-2]}.{signature}",
    ]
    method = "GET" if path.startswith("/photos") and "file" not in path else "POST"
    for token in forged:
        mario.token = token
        assert mario.request(method, path).status_code in (401, 403)
    mario.token = ""
    assert mario.request(method, path).status_code == 401
    mario.sign_in()
    assert mario.get("/photos").status_code == 200


def test_script_may_read_the_bytes_after_a_redirect(mario: Person) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    response = requests.get(photo["originalSrc"], headers={"Origin": "null"}, timeout=30)
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "null")
