"""Uploading, looking and deleting."""

import base64
import hashlib
import io
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from PIL import Image
from PIL.ExifTags import Base

from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState
from tests.support import images
from tests.support.album import bucket_objects, failing_call
from tests.support.people import Person

TIMEOUT = ReadTimeoutError(endpoint_url="https://aws")


def test_an_upload_is_described_in_full(mario: Person) -> None:
    picture = images.jpeg(exif=images.full_exif())
    response = mario.upload(picture, tags="sea,sun", desc="At the sea", city="Valparaíso")
    assert response.status_code == 200
    body = response.json()
    assert body["ok"] is True
    photo = body["photo"]
    assert body["photo_id"] == photo["id"]
    assert set(photo) == {
        *("id", "user_id", "filename", "filename_orig", "filesize", "content_type", "sha256"),
        *("width", "height", "tags", "desc", "make", "model", "city", "nation", "address"),
        *("geotag_lat", "geotag_lng", "taken_date", "upload_date", "thumbSrc", "originalSrc"),
    }
    assert photo["filename"] == f"{photo['id']}.jpg"
    assert photo["filename_orig"] == "photo.jpg"
    assert photo["filesize"] == len(picture)
    assert photo["content_type"] == "image/jpeg"
    assert photo["sha256"] == hashlib.sha256(picture).hexdigest()
    assert (photo["width"], photo["height"]) == (640, 480)
    assert (photo["tags"], photo["desc"], photo["city"]) == ("sea,sun", "At the sea", "Valparaíso")
    assert (photo["make"], photo["model"], photo["nation"]) == ("SONY", "DSLR-A300", None)
    assert photo["geotag_lat"] == pytest.approx(-33.858333, abs=1e-6)
    assert photo["geotag_lng"] == -70.5
    assert photo["taken_date"] == "2019-05-06T07:08:09+09:00"
    assert mario.get(f"/photos/{photo['id']}").json()["photo"]["sha256"] == photo["sha256"]


def test_what_the_client_says_wins_but_for_the_measured_size(mario: Person) -> None:
    photo = mario.upload(
        images.jpeg(exif=images.full_exif()),
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


def test_a_photo_that_says_nothing_of_itself_has_texts_and_nulls(mario: Person) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    assert (photo["tags"], photo["desc"]) == ("", "")
    nulls = ("make", "model", "city", "nation", "address", "geotag_lat", "taken_date")
    assert {photo[name] for name in nulls} == {None}


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_a_picture_may_come_as_base64(mario: Person, prefix: str) -> None:
    picture = images.jpeg()
    text = prefix + base64.b64encode(picture).decode()
    photo = mario.post_form(base64_image=text, filename_orig="a.jpg").json()["photo"]
    assert photo["sha256"] == hashlib.sha256(picture).hexdigest()


def test_original_and_thumbnail_are_stored_with_their_types(mario: Person) -> None:
    picture = images.encoded(images.gradient(), "PNG")
    photo = mario.upload(picture).json()["photo"]
    stored = bucket_objects()
    original = stored.pop(f"photos/{photo['user_id']}/{photo['id']}.png")
    assert original["Body"].read() == picture
    assert original["ContentType"] == "image/png"
    [(key, thumbnail)] = stored.items()
    assert key == f"photos/{photo['user_id']}/thumbnails/{photo['id']}.jpg"
    assert thumbnail["ContentType"] == "image/jpeg"
    assert Image.open(io.BytesIO(thumbnail["Body"].read())).size == (267, 200)


def test_names_never_become_keys(mario: Person) -> None:
    name = "../../evil/名前.jpg"
    photo = mario.upload(images.jpeg(), filename_orig=name).json()["photo"]
    assert photo["filename_orig"] == name
    assert all(key.startswith(f"photos/{photo['user_id']}/") for key in bucket_objects())
    assert not any("evil" in key or "mario" in key for key in bucket_objects())


def test_an_odd_tag_never_fails_an_upload(mario: Person) -> None:
    odd = images.exif({Base.Make: "\0"}, {Base.DateTimeOriginal: "2099:99:99"}, {1: "N"})
    photo = mario.upload(images.jpeg(exif=odd)).json()["photo"]
    assert (photo["make"], photo["taken_date"], photo["geotag_lat"]) == (None, None, None)


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"<svg/>", 415, "UnsupportedMediaType"),
        (images.jpeg()[:2000], 422, "UnprocessableEntityError"),
        (images.png_claiming(50_000, 50_000), 422, "UnprocessableEntityError"),
        (b"", 400, "BadRequestError"),
        (b"x" * 4_500_001, 413, "PayloadTooLargeError"),
    ],
    ids=["no picture", "cut off", "bomb", "empty", "too large"],
)
def test_a_picture_that_cannot_be_kept_is_refused_and_leaves_nothing(
    mario: Person, picture: bytes, status: int, code: str
) -> None:
    response = mario.upload(picture)
    assert (response.status_code, response.json()["Code"]) == (status, code)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert (mario.photos(), bucket_objects()) == ([], {})


def test_a_body_too_large_names_the_limit(mario: Person) -> None:
    assert "limit 4.5 MB" in mario.upload(b"x" * 4_500_000).json()["Message"]


def test_a_form_is_expected_and_nothing_else(mario: Person) -> None:
    headers = mario.headers | {"Content-Type": "application/json"}
    response = mario.request("POST", "/photos/file", b"{}", headers)
    assert response.status_code == 415
    headers["Content-Type"] = "multipart/form-data"
    response = mario.request("POST", "/photos/file", b"", headers)
    assert response.status_code == 400


def test_photos_are_listed_newest_first_by_when_they_were_taken(mario: Person) -> None:
    dates = ["2012-07-15T10:00:00", "2019-01-01T00:00:00+09:00", None, "1999-12-31"]
    ids = [mario.upload(images.jpeg(), taken_date=date or "").json()["photo_id"] for date in dates]
    # The one without a date was taken, as far as anybody knows, when it was uploaded: today.
    assert [photo["id"] for photo in mario.photos()] == [ids[2], ids[1], ids[0], ids[3]]
    assert mario.get("/photos").json()["nextCursor"] is None


def test_at_most_a_thousand_photos_are_listed(mario: Person) -> None:
    user_id = mario.upload(images.jpeg()).json()["photo"]["user_id"]
    row = Photo.query(user_id).next()
    with Photo.batch_write() as batch:
        for number in range(1000):
            row.id = f"id-{number}"
            row.taken_key = f"1999-01-01T00:00:00#{number:04}"
            batch.save(Photo(**row.attribute_values))
    assert len(mario.photos()) == 1000


def test_a_second_account_sees_nothing_and_cannot_tell_what_exists(
    mario: Person, luigi: Person
) -> None:
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    assert luigi.photos() == []
    missing = "01890a5d-ac96-774b-bcce-b302099a8057"
    for path in (f"/photos/{photo_id}", f"/photos/{photo_id}?mode=original"):
        theirs, nobodys = luigi.get(path), luigi.get(path.replace(photo_id, missing))
        assert (theirs.status_code, theirs.json()) == (404, nobodys.json())
    assert luigi.delete(f"/photos/{photo_id}").status_code == 404
    assert len(mario.photos()) == 1
    assert len(bucket_objects()) == 2


@pytest.mark.parametrize("photo_id", ["nothing", "..", "%2e%2e", "a" * 300, "é"])
def test_an_id_that_is_none_is_not_found(mario: Person, photo_id: str) -> None:
    assert mario.get(f"/photos/{photo_id}").status_code == 404
    assert mario.delete(f"/photos/{photo_id}").status_code == 404


@pytest.mark.parametrize("mode", ["thumbnail", "original"])
def test_the_bytes_are_a_redirect_away(mario: Person, mode: str) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    response = mario.get(f"/photos/{photo['id']}?mode={mode}")
    assert response.status_code == 302
    source = photo["thumbSrc" if mode == "thumbnail" else "originalSrc"]
    assert urlsplit(response.headers["Location"]).path == urlsplit(source).path
    assert "X-Amz-Signature=" in response.headers["Location"]


def test_a_deleted_photo_is_gone_with_its_bytes(mario: Person) -> None:
    kept = mario.upload(images.jpeg()).json()["photo_id"]
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    response = mario.delete(f"/photos/{photo_id}")
    assert (response.status_code, response.json()) == (200, {"ok": True, "photo_id": photo_id})
    assert mario.get(f"/photos/{photo_id}").status_code == 404
    assert mario.delete(f"/photos/{photo_id}").status_code == 404
    assert [photo["id"] for photo in mario.photos()] == [kept]
    assert {key.split("/")[-1].split(".")[0] for key in bucket_objects()} == {kept}
    assert Photo.count() == 1


@pytest.mark.parametrize("after", [0, 1], ids=["original", "thumbnail"])
def test_what_s3_did_not_take_is_never_listed(mario: Person, after: int) -> None:
    with failing_call("PutObject", TIMEOUT, after=after):
        response = mario.upload(images.jpeg())
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert mario.photos() == []
    assert (Photo.count(), bucket_objects()) == (0, {})


@pytest.mark.parametrize("operation", ["DeleteObjects", "TransactWriteItems"])
def test_a_deletion_that_broke_shows_nothing_half_and_a_repeat_finishes_it(
    mario: Person, operation: str
) -> None:
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    with failing_call(operation, TIMEOUT):
        assert mario.delete(f"/photos/{photo_id}").status_code == 503
    assert mario.photos() == []
    assert mario.get(f"/photos/{photo_id}").status_code == 404
    assert mario.get(f"/photos/{photo_id}?mode=original").status_code == 404
    assert mario.delete(f"/photos/{photo_id}").status_code == 200
    assert (Photo.count(), bucket_objects()) == (0, {})


def test_a_pending_photo_is_neither_shown_nor_deleted(mario: Person) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    row = Photo.get(photo["user_id"], photo["id"])
    row.update(actions=[Photo.state.set(PhotoState.PENDING), Photo.taken_key.remove()])
    assert mario.photos() == []
    assert mario.get(f"/photos/{photo['id']}").status_code == 404
    assert mario.delete(f"/photos/{photo['id']}").status_code == 404


def test_what_search_will_need_is_kept_from_the_start(mario: Person) -> None:
    mario.upload(
        images.jpeg(), tags=" Sea,SUN , sea", desc="Straße", city="VENEZIA", filename_orig="A.JPG"
    )
    row = Photo.scan().next()
    assert row.tag_keys == ["sea", "sun"]
    assert row.search_text.split("\n") == ["sea,sun , sea", "strasse", "venezia", "a.jpg"]


def test_dynamodbs_throttling_is_429_and_an_internal_error_says_nothing(mario: Person) -> None:
    answer = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "table Photo"}}
    with failing_call("Query", ClientError(answer, "Query")):
        response = mario.get("/photos")
    assert response.status_code == 429
    assert "Retry-After" in response.headers


def test_a_missing_right_is_our_fault_and_names_no_resource(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"Error": {"Code": "AccessDenied", "Message": "s3:PutObject on arn:aws:s3:::bucket"}}
    with failing_call("PutObject", ClientError(answer, "PutObject")):
        response = mario.upload(images.jpeg())
    assert (response.status_code, response.json()["Code"]) == (500, "InternalServerError")
    assert "arn:" not in response.json()["Message"]
    assert "AccessDenied" in capsys.readouterr().out


def test_listing_a_hundred_photos_costs_one_query_and_the_authorizers_one_get(
    mario: Person, aws_calls: list[str]
) -> None:
    for _ in range(2):
        mario.upload(images.jpeg(20, 20))
    row = Photo.scan().next()
    with Photo.batch_write() as batch:
        for number in range(98):
            row.id, row.taken_key = f"id-{number}", f"1999-01-01T00:00:00#{number:04}"
            batch.save(Photo(**row.attribute_values))
    mario.photos()
    aws_calls.clear()
    assert len(mario.photos()) == 100
    assert sorted(aws_calls) == ["dynamodb.GetItem", "dynamodb.Query"]


def test_an_upload_costs_two_puts_and_a_write_and_a_deletion_three_calls(
    mario: Person, aws_calls: list[str]
) -> None:
    mario.upload(images.jpeg())
    aws_calls.clear()
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    authorizer = "dynamodb.GetItem"
    assert aws_calls == [
        authorizer,
        "s3.PutObject",
        "s3.PutObject",
        "dynamodb.TransactWriteItems",
    ]
    aws_calls.clear()
    mario.delete(f"/photos/{photo_id}")
    assert aws_calls == [
        authorizer,
        "dynamodb.UpdateItem",
        "s3.DeleteObjects",
        "dynamodb.TransactWriteItems",
    ]
