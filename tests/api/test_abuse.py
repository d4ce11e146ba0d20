"""Requests that nobody sends by mistake."""

import itertools
from typing import Any
from urllib.parse import quote

import pytest

from tests.support import images
from tests.support.people import Person, post_json

PICTURE = images.jpeg(8, 8)
TRICKS = [
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f",
    "..%5c",
    "%00",
    "01890a5d-ac96-774b-bcce-b302099a8057%00",
    "01890a5d-ac96-774b-bcce-b302099a8057%20",
    "01890A5D-AC96-774B-BCCE-B302099A8057",
    "key%23" + "0" * 64,
    "x" * 8_000,
    quote("\u202e\u200b😀"),
    "%ff%fe",
    "%ED%A0%80",
    "{photo_id}",
    "*",
    "1 OR 1=1",
    "${jndi:x}",
    "thumbnails",
]

TEXTS = {
    "right to left": "\u202eevil\u202c \u2066gpj.exe\u2069",
    "zero width": "a\u200bb\u200d\ufeff",
    "combining": "e" + "\u0301" * 1_900,
    "ligature that grows": "\ufdfa" * 200,
    "sharp s": "ß" * 1_900,
    "emoji of many": "👨‍👩‍👧‍👦" * 200,
    "private use": "\ue000\U0010fffd",
    "controls": "a\x01\x1b[31m\x7f",
    "line separators": "a\u2028b\u2029c",
    "nothing visible": "\u3164",
    "NUL": "a\x00b",
    "markup": "<script>alert(1)</script>",
    "formula": "=1+1",
    "percent": "%00%n%s{0}",
}


def test_an_id_with_a_trick_in_it_is_not_found(mario: Person) -> None:
    routes = (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "complete"))
    for trick, (method, path) in itertools.product(TRICKS, routes):
        where = f"/photos/uploads/{trick}/complete" if path else f"/photos/{trick}"
        answer = mario.send(method, where)
        assert mario.get(f"/docs/{trick}").status_code == 404, trick
        # Chalice says so of a path that leads to no route at all, as a gateway does.
        assert (answer.status_code, answer.json().get("Code")) == (404, "NotFoundError")


def test_a_text_comes_back_as_it_was_written_and_can_be_found(mario: Person) -> None:
    for kind, text in TEXTS.items():
        answer = mario.upload(PICTURE, desc=text, tags=text, filename_orig=text)
        assert answer.status_code == 200, kind
        made = answer.json()["photo"]
        assert made["desc"] == made["tags"] == made["filename_orig"] == text.strip(), kind
        assert mario.photos() == [made]
        assert len(mario.get("/photos/tags").json()["tags"]) == 1
        answer = mario.get(f"/photos?tag={quote(text)}")
        assert [one["id"] for one in answer.json()["photos"]] == [made["id"]], kind
        changed = mario.send("PATCH", f"/photos/{made['id']}", desc=text, city=text)
        assert changed.json()["photo"]["city"] == text.strip(), kind
        mario.delete(f"/photos/{made['id']}")


@pytest.mark.parametrize("character", ["\ufdfa", "\u0390", "\U0001f600", "\u0344", "ß"])
def test_the_longest_texts_of_the_longest_characters_fit_a_row_or_are_refused(
    mario: Person, character: str
) -> None:
    longest = {"desc": 10_000} | dict.fromkeys(
        ("tags", "make", "model", "city", "nation", "address", "filename_orig"), 2_000
    )
    texts = {name: character * length for name, length in longest.items()}
    answers = [
        mario.upload(PICTURE, **texts),
        mario.send("POST", "/photos/uploads", filesize=10, **texts),
        mario.send("PATCH", f"/photos/{mario.upload(PICTURE).json()['photo_id']}", **texts),
    ]
    expected = 400 if character in "\ufdfa\u0390" else 200
    assert [answer.status_code for answer in answers] == [expected] * 3


def test_half_a_character_is_refused_wherever_it_comes(mario: Person) -> None:
    half = "a\udfffb"
    photo = mario.upload(PICTURE).json()["photo"]
    for answer in (
        mario.send("PATCH", f"/photos/{photo['id']}", desc=half),
        mario.send("POST", "/photos/uploads", filesize=10, tags=half),
        mario.send("PATCH", "/users/me", username=half),
        post_json(mario.transport, "/users/signin", {"email": half, "password": "Secret-2026"}),
        post_json(mario.transport, "/users/signin", {"email": "a@example.com", "password": half}),
        post_json(mario.transport, "/users/refresh", {"refreshToken": half}),
        post_json(mario.transport, "/users/signin", {half: 1}),
        mario.send("PATCH", f"/photos/{photo['id']}", **{half: None}),
    ):
        assert answer.status_code == 400
        assert "\\u" not in answer.body.decode()


def test_json_nested_ten_thousand_deep_is_refused(mario: Person) -> None:
    headers = mario.headers | {"Content-Type": "application/json"}
    kinds = {"[": "]", '{"a":': "}", '{"desc":[': "]}", '[{"":': "}]"}
    routes = [("POST", "/users/signin"), ("POST", "/photos/uploads"), ("PATCH", "/users/me")]
    for (opening, closing), (method, path) in itertools.product(kinds.items(), routes):
        for body in (opening * 10_000, opening * 10_000 + "0" + closing * 10_000):
            answer = mario.transport.request(method, path, headers=headers, body=body.encode())
            assert answer.status_code == 400


def test_a_number_of_a_million_digits_is_refused(mario: Person) -> None:
    path = f"/photos/{mario.upload(PICTURE).json()['photo_id']}"
    headers = mario.headers | {"Content-Type": "application/json"}
    for number in ("9" * 1_000_000, "1e999999", "-" + "1" * 5_000, "Infinity"):
        body = f'{{"filesize": {number}}}'.encode()
        answer = mario.request("POST", "/photos/uploads", body, headers)
        assert answer.status_code == 400, number[:20]
        body = f'{{"geotag_lat": {number}, "geotag_lng": 1}}'.encode()
        answer = mario.request("PATCH", path, body, headers)
        assert answer.status_code == 400, number[:20]


def test_thousands_of_parameters_and_repeated_ones_are_read_once(mario: Person) -> None:
    made = mario.upload(PICTURE).json()["photo"]
    many = "&".join(f"p{number}={number}" for number in range(5_000))
    assert mario.get(f"/photos?{many}").json()["photos"] == [made]
    assert mario.get("/photos?" + "limit=1&" * 2_000).json()["photos"] == [made]
    assert mario.get(f"/photos?q={'x' * 100_000}").status_code == 400
    assert mario.get(f"/photos?cursor={'A' * 100_000}").status_code == 400
    assert mario.get(f"/photos?bbox={',' * 100_000}").status_code == 400
    for odd in ("limit=1&limit=x", "limit=x&limit=1", "sort=taken&sort=nothing"):
        assert mario.get(f"/photos?{odd}").status_code in (200, 400)


def test_an_odd_header_breaks_nothing(http: Any, mario: Person) -> None:
    odd = ["x" * 8_000, "é", "a\tb", "Bearer " * 500, "\x7f", ","]
    ignored = ("Accept", "X-Forwarded-For", "Range", "If-Match", "Host", "Cookie")
    for value in odd:
        assert http.get("/photos", headers={"Authorization": value}).status_code == 403
        for name in ignored:
            assert http.get("/photos", headers=mario.headers | {name: value}).status_code == 200
        for name in ("Content-Type", "Idempotency-Key"):
            form = {"Content-Type": "multipart/form-data; boundary=x"} | {name: value}
            answer = http.post("/photos/file", headers=mario.headers | form, body=b"--x--")
            assert answer.status_code in (400, 415)


def test_a_long_refusal_does_not_repeat_what_was_sent(mario: Person) -> None:
    marker = "never-to-be-repeated"
    long = marker + "x" * 100_000
    for answer in (
        mario.get(f"/photos?limit={long}"),
        mario.get(f"/photos?from={long}"),
        mario.send("PATCH", "/users/me", username=long),
        post_json(mario.transport, "/users/signin", {"email": long, "password": long}),
        mario.upload(PICTURE, city=long),
    ):
        assert answer.status_code == 400
        assert marker not in answer.body.decode()


def test_a_field_of_any_name_does_not_grow_the_answer(mario: Person) -> None:
    answer = mario.send("PATCH", "/photos/x", **{"n" * 100_000: 1})
    assert answer.status_code == 400
    assert len(answer.body) < 1_000
    answer = mario.post_form(**{"file": ("a.jpg", PICTURE), "n" * 100_000: b"\xff"})
    assert answer.status_code in (200, 400)
    assert len(answer.body) < 5_000
