"""What every route shares: health, CORS, methods."""

from typing import Any

from chalicelib import __version__
from tests.support.people import Person


def test_health_needs_no_aws(http: Any, aws_calls: list[str]) -> None:
    response = http.get("/health")
    assert (response.status_code, response.json()) == (
        200,
        {"ok": True, "version": __version__},
    )
    assert aws_calls == []


def test_every_answer_carries_cors_headers(http: Any, mario: Person) -> None:
    answers = [
        http.get("/health"),
        http.post("/users/signin", body=b"nonsense", headers={"Content-Type": "application/json"}),
        mario.get("/photos"),
        mario.get("/photos/nothing"),
        http.post("/users/signin", body=b"a=b", headers={"Content-Type": "text/plain"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 404, 415]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {"*"}
