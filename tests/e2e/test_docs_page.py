"""The page on which the API can be read and tried, in a browser."""

import shutil
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import images
from tests.support.people import Person

pytestmark = [pytest.mark.xdist_group("local-stack"), pytest.mark.full]

# Chromium would look for updates of its own parts.
QUIET = ["--disable-background-networking", "--disable-component-update", "--no-sandbox"]


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "make test-full needs a browser: install your system's package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser.new_page()
        browser.close()


def execute(page: Page, operation: str) -> None:
    """Open an operation, and send the request that it shows."""
    block = page.locator(f"[id$={operation}]")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()


def live_response(page: Page, operation: str) -> str:
    """Return what the album answered."""
    shown = page.locator(f"[id$={operation}] .live-responses-table .response")
    expect(shown.first).to_be_visible()
    return shown.first.inner_text()


@pytest.mark.parametrize("slash", ["", "/"])
def test_whoever_signs_in_on_the_page_can_list_photos(
    page: Page, album_url: str, slash: str
) -> None:
    person = Person.at(album_url, f"{uuid.uuid4().hex}@example.com")
    person.sign_up()
    person.sign_in()
    photo_id = person.upload(images.jpeg()).json()["photo_id"]
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{album_url}/docs{slash}")
    expect(page.get_by_role("heading", name="CloudAlbum")).to_be_visible()

    page.locator("[id$=signIn] .opblock-summary-control").click()
    credentials = f'{{"email": "{person.email}", "password": "{person.password}"}}'
    page.locator("[id$=signIn] textarea").fill(credentials)
    page.locator("[id$=signIn]").get_by_role("button", name="Execute").click()
    assert "accessToken" in live_response(page, "signIn")
    execute(page, "listPhotos")
    assert photo_id in live_response(page, "listPhotos")
    assert problems == []
