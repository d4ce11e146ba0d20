"""Uploading a photo in one request, getting it, and deleting it."""

import base64
import hashlib
import io
from urllib.parse import urlsplit

import pytest
from PIL import Image
from PIL.ExifTags import Base
from requests_toolbelt import MultipartEncoder

from chalicelib.photos.models import Photo
from tests.support import images
from tests.support.album import bucket_objects, photo_items
from tests.support.aws_calls import failing_call
from tests.support.people import Person

IMAGE = images.jpeg(exif=images.full_exif())


def test_upload_returns_the_whole_photo(mario: Person) -> None:
    response = mario.upload(IMAGE, tags="sea,sun", desc="At the sea", city="Valparaíso")
    assert (response.status_code, response.json()["ok"]) == (200, True)
    photo = response.json()["photo"]
    assert response.json()["photo_id"] == photo["id"]
    shown = mario.get(f"/photos/{photo['id']}").json()["photo"]
    assert shown["sha256"] == photo["sha256"]
    assert photo.pop("geotag_lat") == pytest.approx(-33.858333, abs=1e-6)
    for name in ("user_id", "upload_date", "thumbhash", "thumbSrc", "previewSrc", "originalSrc"):
        assert photo.pop(name)
    assert photo == {
        "id": photo["id"],
        "filename": f"{photo['id']}.jpg",
        "filename_orig": "photo.jpg",
        "filesize": len(IMAGE),
        "content_type": "image/jpeg",
        "sha256": hashlib.sha256(IMAGE).hexdigest(),
        "width": 640,
        "height": 480,
        "tags": "sea,sun",
        "desc": "At the sea",
        "make": "SONY",
        "model": "DSLR-A300",
        "city": "Valparaíso",
        "nation": None,
        "address": None,
        "geotag_lng": -70.5,
        "taken_date": "2019-05-06T07:08:09+09:00",
        "favorite": False,
        "albums": [],
        "trashed_date": None,
    }


def test_given_metadata_replaces_exif_but_not_the_measured_size(mario: Person) -> None:
    photo = mario.upload(
        IMAGE,
        make="Leica",
        geotag_lat="0",
        geotag_lng="0",
        taken_date="2012:07:15 09:46:46",
        filename_orig="IMG_1.JPG",
        width="1",
        height="1",
    ).json()["photo"]
    assert (photo["make"], photo["filename_orig"]) == ("Leica", "IMG_1.JPG")
    assert (photo["geotag_lat"], photo["geotag_lng"]) == (0, 0)
    assert photo["taken_date"] == "2012-07-15T09:46:46"
    assert (photo["width"], photo["height"]) == (640, 480)


def test_photo_without_metadata_has_empty_texts_and_nulls(mario: Person) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    assert (photo["tags"], photo["desc"]) == ("", "")
    nulls = ("make", "model", "city", "nation", "address", "geotag_lat", "taken_date")
    assert {photo[name] for name in nulls} == {None}


def test_malformed_exif_is_ignored(mario: Person) -> None:
    malformed = images.exif({Base.Make: "\0"}, {Base.DateTimeOriginal: "2099:99:99"}, {1: "N"})
    photo = mario.upload(images.jpeg(exif=malformed)).json()["photo"]
    assert (photo["make"], photo["taken_date"], photo["geotag_lat"]) == (None, None, None)


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_image_can_be_uploaded_as_base64(mario: Person, prefix: str) -> None:
    text = prefix + base64.b64encode(IMAGE).decode()
    photo = mario.post_form(base64_image=text, filename_orig="a.jpg").json()["photo"]
    assert photo["sha256"] == hashlib.sha256(IMAGE).hexdigest()


def test_original_and_renditions_are_stored_with_their_content_types(mario: Person) -> None:
    png = images.encoded(images.gradient(), "PNG")
    photo = mario.upload(png).json()["photo"]
    stored = bucket_objects()
    original = stored.pop(f"photos/{photo['user_id']}/{photo['id']}.png")
    assert original["Body"].read() == png
    assert original["ContentType"] == "image/png"
    sizes = {"thumbnails": (533, 400), "previews": (640, 480)}
    for folder, size in sizes.items():
        rendition = stored.pop(f"photos/{photo['user_id']}/{folder}/{photo['id']}.jpg")
        assert rendition["ContentType"] == "image/jpeg"
        assert Image.open(io.BytesIO(rendition["Body"].read())).size == size
    assert stored == {}


def test_thumbhash_of_a_photo_is_in_its_object_and_in_lists(mario: Person) -> None:
    photo = mario.upload(images.encoded(images.gradient(), "PNG")).json()["photo"]
    [listed] = mario.photos()
    assert listed["thumbhash"] == photo["thumbhash"]
    assert 20 <= len(base64.b64decode(photo["thumbhash"])) <= 25


def test_photo_of_an_earlier_version_has_no_thumbhash_and_its_original_as_preview(
    mario: Person,
) -> None:
    photo = mario.upload(IMAGE).json()["photo"]
    Photo(photo["user_id"], photo["id"]).update(
        actions=[Photo.thumbhash.remove(), Photo.preview_sha256.remove()]
    )
    for shown in (mario.get(f"/photos/{photo['id']}").json()["photo"], *mario.photos()):
        assert shown["thumbhash"] is None
        assert shown["previewSrc"] == shown["originalSrc"]
    location = mario.get(f"/photos/{photo['id']}?mode=preview").headers["Location"]
    assert urlsplit(location).path == urlsplit(photo["originalSrc"]).path


def test_keys_of_objects_contain_no_file_name_and_no_email_address(mario: Person) -> None:
    name = "../../evil/名前.jpg"
    photo = mario.upload(IMAGE, filename_orig=name).json()["photo"]
    assert photo["filename_orig"] == name
    assert all(key.startswith(f"photos/{photo['user_id']}/") for key in bucket_objects())
    assert not any("evil" in key or "mario" in key for key in bucket_objects())


def test_search_text_and_tags_are_stored_in_lower_case(mario: Person) -> None:
    mario.upload(
        images.jpeg(), tags=" Sea,SUN , sea", desc="Straße", city="VENEZIA", filename_orig="A.JPG"
    )
    item = photo_items()[0]
    assert item.tag_keys == ["sea", "sun"]
    assert item.search_text.split("\n") == ["sea,sun , sea", "strasse", "venezia", "a.jpg"]


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (b"<svg/>", 415, "UnsupportedMediaType"),
        (IMAGE[:2000], 422, "UnprocessableEntityError"),
        (images.png_claiming(50_000, 50_000), 422, "UnprocessableEntityError"),
        (b"", 400, "BadRequestError"),
        (b"x" * 4_500_001, 413, "PayloadTooLargeError"),
    ],
    ids=["not an image", "truncated", "decompression bomb", "empty", "too large"],
)
def test_invalid_image_is_rejected_and_nothing_is_stored(
    mario: Person, image: bytes, status: int, code: str
) -> None:
    response = mario.upload(image)
    assert (response.status_code, response.json()["Code"]) == (status, code)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert (mario.photos(), bucket_objects()) == ([], {})


def test_request_of_exactly_the_limit_is_accepted(mario: Person) -> None:
    def form(padding: int) -> MultipartEncoder:
        file = ("photo.jpg", IMAGE + bytes(padding), "image/jpeg")
        return MultipartEncoder({"file": file}, boundary="x")

    largest = form(4_500_000 - form(0).len)
    headers = {"Content-Type": largest.content_type}
    body = largest.to_string()
    assert len(body) == 4_500_000
    assert mario.request("POST", "/photos/file", body, headers).status_code == 200
    assert mario.request("POST", "/photos/file", body + b"\n", headers).status_code == 413


def test_rejection_of_a_large_request_names_the_limit_and_the_direct_upload(mario: Person) -> None:
    message = mario.upload(b"x" * 4_500_000).json()["Message"]
    assert "limit 4.5 MB" in message
    assert "POST /photos/uploads" in message


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("application/json", b"{}", 415), ("multipart/form-data", b"", 400)],
)
def test_upload_accepts_only_a_multipart_form(
    mario: Person, content_type: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": content_type}
    assert mario.request("POST", "/photos/file", body, headers).status_code == status


@pytest.mark.parametrize("mode", ["thumbnail", "preview", "original"])
def test_photo_with_a_mode_redirects_to_a_signed_url(mario: Person, mode: str) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    response = mario.get(f"/photos/{photo['id']}?mode={mode}")
    assert response.status_code == 302
    source = photo[{"thumbnail": "thumbSrc"}.get(mode, f"{mode}Src")]
    assert urlsplit(response.headers["Location"]).path == urlsplit(source).path
    assert "X-Amz-Signature=" in response.headers["Location"]


def test_deleted_photo_is_gone_with_its_objects(mario: Person) -> None:
    kept, photo_id = (mario.upload(images.jpeg()).json()["photo_id"] for _ in range(2))
    response = mario.delete(f"/photos/{photo_id}")
    assert (response.status_code, response.json()) == (200, {"ok": True, "photo_id": photo_id})
    assert mario.get(f"/photos/{photo_id}").status_code == 404
    assert mario.delete(f"/photos/{photo_id}").status_code == 404
    assert [photo["id"] for photo in mario.photos()] == [kept]
    assert {key.split("/")[-1].split(".")[0] for key in bucket_objects()} == {kept}
    assert len(photo_items()) == 1


@pytest.mark.parametrize("after", [0, 1, 2])
def test_photo_whose_objects_cannot_be_stored_is_not_listed(mario: Person, after: int) -> None:
    with failing_call("PutObject", after=after):
        response = mario.upload(images.jpeg())
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert mario.photos() == []
    assert (len(photo_items()), bucket_objects()) == (0, {})


@pytest.mark.parametrize(("operation", "after"), [("DeleteObjects", 0), ("TransactWriteItems", 1)])
def test_interrupted_deletion_hides_the_photo_and_is_finished_by_a_retry(
    mario: Person, operation: str, after: int
) -> None:
    photo = f"/photos/{mario.upload(images.jpeg()).json()['photo_id']}"
    with failing_call(operation, after=after):
        assert mario.delete(photo).status_code == 503
    assert mario.photos() == []
    assert mario.get(photo).status_code == 404
    assert mario.get(f"{photo}?mode=original").status_code == 404
    assert mario.delete(photo).status_code == 200
    assert mario.delete(photo).status_code == 404
    assert (len(photo_items()), bucket_objects(), mario.counters()) == (0, {}, (0, 0))


def test_item_is_written_after_its_objects_and_deleted_after_them(
    mario: Person, aws_calls: list[str]
) -> None:
    mario.upload(images.jpeg())
    aws_calls.clear()
    photo_id = mario.upload(images.jpeg(41, 30)).json()["photo_id"]
    authorizer = "dynamodb.GetItem"
    stored = [*["s3.PutObject"] * 3, "dynamodb.TransactWriteItems"]
    assert aws_calls == [authorizer, *stored]
    aws_calls.clear()
    mario.delete(f"/photos/{photo_id}")
    marked = ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]
    deleted = [*marked, "s3.DeleteObjects", "dynamodb.TransactWriteItems"]
    assert aws_calls == [authorizer, *deleted]
