"""Generate adversarial request bodies, the same ones for the same random numbers."""

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import app
from chalicelib.api.error_table import BODY_LIMIT
from chalicelib.photos.photo import METADATA
from tests.support.bodies import NUMBER, Body, Pieces
from tests.support.people import WRONG_PASSWORD

TEXTS = [
    *("a", "A", " ", "\n", "\t", "\0", ",", ",a", ", ", ".", "-", "=", "_", "%", "%41", "é", "ß"),
    *("\u0301", "\u0344", "\u0390", "\u0130", "\u1e9e", "\ufdfa", "\U0001d15e", "\U0001f600"),
    *("\u0f77", "\u2028", "\u3000", "\uac00", "\u1100\u1161\u11a8", "a\u0315\u0300\u05ae", "{#},"),
    *("\u202e", "\ufeff", "a\u0316\u0301", "\x1f", "0", "9", "1.", "e9", "T1", "2012-07-15"),
]
_JSON_UNITS = [
    *("[", "[[],", "{}", "{},", "[],", "[[[]]],", '{"":', '{"a":[', '"a",', '"{#}",', "0,", "1e5,"),
    *("9", "0", "1" * 4_300 + ",", "0." + "1" * 800 + "e-400,", "1.5e300,", "-", "NaN,", "null,"),
    *("-Infinity,", "true,", '"{#}":0,', '"{#}":{},', '"a":0,', '"\\ud800{#}":0,', "\n", " ", "\t"),
    *('"', "\\", "\\\\", "\\n", "\\u0041", "\\ud83d\\ude00", "\\ud800", "\ufeff", "\0", "\udcff"),
    *(
        '{"a":"',
        '"\\u00df\\ufdfa",',
        "/",
        "//",
        "/*",
        "e",
        "e9",
        "E+",
        "1_0,",
        "tru",
        "}",
        "]",
        ",",
    ),
]
_HEADER_UNITS = [
    *(";", '";', "; ", ";=", ";a=b", '"', '\\"', "\\", "=", "%", "%41", "'", "''", "(", ")", "<>"),
    *("\r\n ", "\r\n\t;", "\r\nA: b", "\r\n:", "\n", "\r", "\n a=", ": ", "=?utf-8?q?=41?=", "=?"),
    *("; filename*{#}*=%41", '; filename*{#}="a"', "; filename*0*=utf-8''a", "; name*{#}*=''%ff"),
    *(
        "; name={#}",
        "; filename*=utf-7''%2B",
        "; filename*=x{#}''",
        "=?idna?b?",
        "\0",
        "é",
        "\udcff",
    ),
    *("; filename*" + "9" * 400 + "=a", "; {#}*{#}*={#}", "\u2028", "\x85", "\x0b", "\x1c", "--x"),
]
_BODY_UNITS = [
    *(
        "\r\n",
        "\r\n\r\n",
        "\n\n",
        "--",
        "--x",
        "\r\n--",
        "\r\n--x",
        "\r\n--x\r\n",
        "\r\n--x--",
        "-",
    ),
    *(
        "\r\n--x\r\n\r\n",
        "\r\n--xA:b\r\n\r\n",
        "\r\n--x\r\nContent-Disposition: form-data",
        "\r\n-",
    ),
    '\r\n--x\r\nContent-Disposition: form-data; name="{#}"\r\n\r\n',
    '--x\r\nContent-Disposition: form-data; name="tags"\r\n\r\na\r\n',
]
_BASE64_UNITS = [
    *(
        "A",
        "AAAA",
        "AA==",
        "=",
        "A ",
        "AA\n",
        " ",
        "\r\n",
        "\t",
        "-",
        "_",
        "/",
        "+",
        "\u00a0",
        "\0",
    ),
    *(
        "data:image/",
        ";a=a",
        ";a",
        ";",
        ",",
        ";base64,",
        "a.+-",
        "\u3000A",
        "A\u2003",
        "\x1c",
        "R0lG",
    ),
]
_BOUNDARIES = [
    *(
        "x",
        '"x"',
        '"x;y"',
        '"x ;zzz"',
        '";x"',
        '"x""',
        "-",
        '"-"',
        "-" * 70,
        '"\r\n"',
        "x; charset=x",
    ),
    *("x; boundary=y", "x" * 2_000, '"' + ";" * 8_000, "a'b", "X", "%", '"x\\"', "\u0301", "=x"),
]
_TYPES = [
    *("application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded"),
    *(
        "text/plain",
        "application/octet-stream",
        "multipart/mixed; boundary=x",
        "",
        "*/*",
        "image/gif",
    ),
    *("application/json, multipart/form-data; boundary=x", "multipart/form-data", "," * 8_000),
]
_VALID: dict[str, Any] = {
    "email": "a@example.com",
    "password": WRONG_PASSWORD,
    "username": "A",
    "code": "123456",
    "oldPassword": WRONG_PASSWORD,
    "newPassword": WRONG_PASSWORD,
    "refreshToken": "a",
    "filesize": 1,
}
_ROUTES = [(method, path) for path, methods in app.app.routes.items() for method in methods]
_WITH_JSON = [
    (method, path)
    for method, path in _ROUTES
    if app.app.routes[path][method].view_function.operation.body and path != "/photos/file"
]
_DISPOSITION = "Content-Disposition: form-data; name="
_GIF = "GIF89a\x01\0\x01\0\udc80\0\0\0\0\0\udcff\udcff\udcff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
_IMAGE = f"--x\r\n{_DISPOSITION}file\r\n\r\n{_GIF}\r\n"


class Search:
    """Looks for the most expensive bodies by changing those that were expensive before."""

    def __init__(self, bodies: Iterable[Body]) -> None:
        self._expensive = [(0.0, body) for body in bodies]

    def propose(self, chance: random.Random) -> Body:
        """Return the next body to try."""
        if self._expensive and chance.random() < 0.4:
            return mutated(chance.choice(self._expensive)[1], chance)
        return body_of_chance(chance)

    def learn(self, body: Body, seconds: float) -> None:
        """Remember what a body cost."""
        self._expensive.append((seconds, body))
        self._expensive.sort(key=lambda one: -one[0])
        del self._expensive[30:]


def body_of_chance(chance: random.Random) -> Body:
    """Return a body of any kind; most are as large as a deployed album accepts."""
    make = chance.choice((_json, _json, _form_headers, _form_headers, _form_text, _form, _any))
    # The largest body, and the largest in JSON.
    size = chance.choice((BODY_LIMIT, BODY_LIMIT, 499_000, 2_000))
    return make(chance, size)


def mutated(body: Body, chance: random.Random) -> Body:
    """Return a body with another unit, another count, another piece or another content type."""
    pieces = list(body.pieces)
    place = chance.randrange(len(pieces))
    text, count = pieces[place]
    units = [*TEXTS, *_JSON_UNITS, *_HEADER_UNITS, *_BODY_UNITS, *_BASE64_UNITS]
    change = chance.randrange(6)
    if change == 0:
        pieces[place] = (chance.choice(units), count)
    elif change == 1:
        start = chance.randrange(len(text) + 1)
        pieces[place] = (text[:start] + chance.choice(units) + text[start:], count)
    elif change == 2:
        pieces[place] = (text, max(1, chance.choice((count // 2, count * 2, 1, 60, 2_000))))
    elif change == 3:
        pieces.insert(place, (chance.choice(units), chance.choice((1, 60, 2_000, BODY_LIMIT))))
    elif change == 4:
        method, path = chance.choice(_WITH_JSON)
        return replace(body, method=method, path=path) if "json" in body.content_type else body
    else:
        return replace(body, encoding=chance.choice(("utf-8", "utf-16", "utf-32", "utf-16-le")))
    while sum(len(one) * times for one, times in pieces) > 2 * BODY_LIMIT:
        pieces = [(one, max(1, times // 2)) for one, times in pieces]
    return replace(body, pieces=tuple(pieces))


def _filling(unit: str, size: int) -> tuple[str, int]:
    return unit, max(1, size // len(unit.encode("utf-8", "surrogateescape")))


def _units(units: list[str], chance: random.Random) -> str:
    """Return one unit, or a few in a row."""
    return "".join(chance.choice(units) for _ in range(chance.choice((1, 1, 1, 2, 3))))


def _json(chance: random.Random, size: int) -> Body:
    """Return JSON with one huge field, or a huge number of them."""
    size = min(size, chance.choice((499_000, 499_000, 499_000, BODY_LIMIT)))
    method, path = chance.choice(_WITH_JSON)
    shape = app.app.routes[path][method].view_function.operation.body
    names: list[str] = list(shape.__struct_encode_fields__)
    start = json.dumps({name: _VALID[name] for name in names if name in _VALID})[:-1]
    start += "," if len(start) > 1 else ""
    name = json.dumps(chance.choice([*names, "unknown", "", "\ud800"])) + ":"
    filling = _filling(_units(_JSON_UNITS, chance), size)
    text = _filling(_units(TEXTS, chance).replace("\n", "\\n").replace("\t", "\\t"), size)
    half = _filling(chance.choice(("[", '{"a":', '[{"":')), size // 2)
    closing = {"[": "]", '{"a":': "}", '[{"":': "}]"}[half[0]]
    pieces: Pieces = chance.choice(
        (
            ((start + name + '"', 1), text, ('"}', 1)),
            ((start + name + '"', 1), filling, ('"}', 1)),
            ((start + name + "[", 1), filling, ("0]}", 1)),
            ((start + name, 1), filling, ("}", 1)),
            ((start + name, 1), half, (closing, half[1]), ("}", 1)),
            ((start, 1), filling, (name + "0}", 1)),
            ((start, 1), _filling('"' + _units(TEXTS, chance) + '{#}":0,', size), ('"":0}', 1)),
            ((start + name + '"' + filling[0][0] * 1_990 + '",', 1), filling, ('"":0}', 1)),
            (filling,),
        )
    )
    encoding = chance.choice(("utf-8",) * 6 + ("utf-16", "utf-32", "utf-16-be"))
    return Body(method, path, "application/json", pieces, encoding)


def _form_of(chance: random.Random, *pieces: tuple[str, int]) -> Body:
    boundary = chance.choice(("x",) * 4 + ('"x"', '"x;y"', *_BOUNDARIES))
    return Body("POST", "/photos/file", f"multipart/form-data; boundary={boundary}", pieces)


def _form_headers(chance: random.Random, size: int) -> Body:
    """Return a form with one part of huge headers, or as many parts as fit."""
    unit = _units(_HEADER_UNITS, chance)
    start = "--x\r\n" + chance.choice(
        (_DISPOSITION, _DISPOSITION + '"', "A: ", "", _DISPOSITION + "a; ")
    )
    end = chance.choice(("", '"')) + "\r\n\r\na\r\n"
    if chance.random() < 0.4:
        return _form_of(chance, (start, 1), _filling(unit, size), (end + _IMAGE + "--x--", 1))
    length = chance.choice((0, 100, 1_900, 1_900, 20_000))
    filled, count = _filling(unit, length)
    count = 60 if length == 1_900 else chance.choice((60, 1_000, size // (length + 40)))
    inner = "".join(filled.replace(NUMBER, str(n)) for n in range(_filling(unit, length)[1]))
    return _form_of(chance, (start + inner[:length] + end, max(1, count)), (_IMAGE + "--x--", 1))


def _form_text(chance: random.Random, size: int) -> Body:
    """Return a form with one huge field, or all fields as long as they may be."""
    if chance.random() < 0.5:
        filling = _filling(_units(_BASE64_UNITS, chance), size)
        prefix = chance.choice(("", "", "data:image/gif;base64,", "data:image/"))
        start = f"--x\r\n{_DISPOSITION}base64_image\r\n\r\n{prefix}"
        return _form_of(chance, (start, 1), filling, ("\r\n--x--", 1))
    unit = _units(TEXTS, chance)
    if chance.random() < 0.5:
        name = chance.choice(METADATA)
        start = f"{_IMAGE}--x\r\n{_DISPOSITION}{name}\r\n\r\n"
        return _form_of(chance, (start, 1), _filling(unit, size), ("\r\n--x--", 1))
    text = (unit * 2_000)[: chance.choice((1_990, 2_000))]
    fields = "".join(f"--x\r\n{_DISPOSITION}{name}\r\n\r\n{text}\r\n" for name in METADATA[:8])
    return _form_of(chance, (_IMAGE + fields, 1), ("--x--", 1))


def _form(chance: random.Random, size: int) -> Body:
    """Return a form of boundaries, before, between and after its parts."""
    units = [*_BODY_UNITS, *_BODY_UNITS, *_HEADER_UNITS]
    fillings = [_filling(_units(units, chance), size // 2) for _ in range(chance.choice((1, 2)))]
    pieces: list[tuple[str, int]] = [(_IMAGE, 1), ("--x--", 1)]
    for filling in fillings:
        pieces.insert(chance.randrange(len(pieces) + 1), filling)
    return _form_of(chance, *pieces)


def _any(chance: random.Random, size: int) -> Body:
    """Return any units for any route, as any content type."""
    method, path = chance.choice(_ROUTES)
    units = [*TEXTS, *_JSON_UNITS, *_HEADER_UNITS, *_BODY_UNITS, *_BASE64_UNITS]
    pieces = tuple(
        _filling(_units(units, chance), size // count)
        for count in [chance.choice((1, 2, 3))]
        for _ in range(count)
    )
    return Body(method, path, chance.choice(_TYPES), pieces)
