"""The page on which the API can be read and tried, in a browser."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.support import browser, images
from tests.support.people import Person

pytestmark = pytest.mark.full

# What the owner can say about a photo, and what the EXIF of `images.full_exif` says.
METADATA_FROM_EXIF = {
    "filename_orig": "sea.jpg",
    "tags": "",
    "desc": "",
    "make": "SONY",
    "model": "DSLR-A300",
    "city": None,
    "nation": None,
    "address": None,
    "geotag_lat": pytest.approx(-33.8583333),
    "geotag_lng": pytest.approx(-70.5),
    "taken_date": "2019-05-06T07:08:09+09:00",
}


@pytest.fixture
def page() -> Iterator[Page]:
    """Return a page of a browser, which must neither log an error nor raise one."""
    errors: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.path(), args=browser.FLAGS)
        page = chromium.new_page()
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        chromium.close()
    assert errors == []


@pytest.fixture
def sam(album_url: str) -> Person:
    return Person.at(album_url, f"{uuid.uuid4().hex}@example.com")


def open_docs(page: Page, url: str, slash: str = "") -> None:
    page.goto(f"{url}/docs{slash}")
    expect(page.get_by_role("heading", name="CloudAlbum")).to_be_visible()


def expand(page: Page, operation: str) -> Locator:
    """Open an operation, and return its block."""
    block = page.locator(f"[id$=-{operation}]")
    block.locator(".opblock-summary-control").click()
    expect(block.get_by_role("button", name="Execute")).to_be_visible()
    return block


def execute(block: Locator) -> Locator:
    """Send the request that a block shows, and return the response that it received."""
    block.get_by_role("button", name="Execute").click()
    response = block.locator(".live-responses-table .response").first
    expect(response).to_be_visible()
    return response


def json_of(response: Locator) -> dict[str, object]:
    """Return the body of a response, the first of its code blocks."""
    expect(response.locator(".response-col_status")).to_contain_text("200")
    body: dict[str, object] = json.loads(
        response.locator(".highlight-code code").first.inner_text()
    )
    return body


def sign_in(page: Page, person: Person) -> None:
    block = expand(page, "signIn")
    block.locator("textarea").fill(json.dumps(person.credentials))
    assert "accessToken" in json_of(execute(block))


@pytest.mark.parametrize("slash", ["", "/"])
def test_signing_in_on_the_page_authorizes_what_is_tried_next(
    page: Page, album_url: str, sam: Person, slash: str
) -> None:
    sam.sign_up()
    sam.sign_in()
    photo_id = sam.upload(images.jpeg()).json()["photo_id"]
    open_docs(page, album_url, slash)
    sign_in(page, sam)
    expect(execute(expand(page, "listPhotos"))).to_contain_text(photo_id)


def test_upload_with_an_untouched_form_stores_only_what_the_exif_says(
    page: Page, album_url: str, sam: Person, tmp_path: Path
) -> None:
    photo = tmp_path / "sea.jpg"
    photo.write_bytes(images.jpeg(320, 200, images.full_exif()))
    open_docs(page, album_url)
    sign_up = expand(page, "signUp")
    sign_up.locator("textarea").fill(json.dumps({**sam.credentials, "username": "Sam"}))
    assert json_of(execute(sign_up))["ok"] is True
    sign_in(page, sam)

    upload = expand(page, "uploadPhoto")
    upload.locator("input[type=file]").set_input_files(photo)
    texts = upload.locator("tr[data-property-name] input[type=text]").all()
    assert [text.input_value() for text in texts] == [""] * (len(METADATA_FROM_EXIF) + 1)
    photo_id = json_of(execute(upload))["photo_id"]
    assert re.findall("-F '([^=]+)=", upload.locator(".curl-command").inner_text()) == ["file"]

    sam.sign_in()
    stored = sam.get(f"/photos/{photo_id}").json()["photo"]
    assert {name: stored[name] for name in METADATA_FROM_EXIF} == METADATA_FROM_EXIF

    get_photo = expand(page, "getPhoto")
    get_photo.locator("[data-param-name=photo_id] input").fill(str(photo_id))
    get_photo.locator("[data-param-name=mode] select").select_option("thumbnail")
    image = execute(get_photo).locator("img")
    expect(image).to_be_visible()
    page.wait_for_function(
        "image => image.complete && image.naturalWidth", arg=image.element_handle()
    )


def test_examples_of_bodies_change_only_what_they_show(page: Page, album_url: str) -> None:
    open_docs(page, album_url)
    shown = {
        name: json.loads(expand(page, name).locator("textarea").input_value())
        for name in ("beginUpload", "editPhoto")
    }
    assert shown == {
        "beginUpload": {"filesize": 12345678, "filename_orig": "IMG_1.jpg"},
        "editPhoto": {"desc": "At the sea"},
    }


def test_the_page_shows_the_base_url_and_the_types_of_parameters(
    page: Page, album_url: str
) -> None:
    open_docs(page, album_url)
    server = page.locator(".servers select option")
    expect(server).to_have_text(f"{album_url} - this album")
    for name in ("uploadPhoto", "listPhotos", "getPhoto"):
        expand(page, name)
    for name in ("sort", "order", "mode"):
        parameter = page.locator(f"[data-param-name={name}] .parameter__type").first
        expect(parameter).to_have_text("string")
    for name, shown in (("tags", "string"), ("geotag_lat", "number")):
        field = page.locator(f"[data-property-name={name}] .parameter__type")
        expect(field).to_have_text(shown)
    expect(page.get_by_text("any", exact=True)).to_have_count(0)


def test_the_page_fits_a_phone(page: Page, album_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_docs(page, album_url)
    expand(page, "uploadPhoto")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
