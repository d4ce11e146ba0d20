"""Access tokens: which are accepted, which are rejected, and where the keys come from."""

import base64
import hashlib
import hmac
import json
import urllib.error
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from jose import jws

from chalicelib.accounts import tokens
from chalicelib.accounts.tokens import AccessToken, KeySet, TokenVerifier
from chalicelib.errors import NotSignedIn, Unavailable
from tests.support.tokens import CLIENT, ISSUER, POOL, Signer, claims

OTHER_POOL = Signer(POOL.kid)  # another pool's key with the same name


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(KeySet(lambda: [POOL.web_key]), ISSUER, CLIENT)


def test_valid_token_of_the_pool_is_accepted(verifier: TokenVerifier) -> None:
    token = POOL.sign(claims(iat=1_700_000_000))
    assert verifier.verify(token) == AccessToken("user-1", 1_700_000_000)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1_700_000_000},
        {"exp": "never"},
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"},
        {"client_id": "another client"},
        {"client_id": None, "aud": CLIENT},
        {"token_use": "id"},
        {"sub": ""},
        {"sub": ["user-1"]},
        {"iat": "now"},
        *({name: None} for name in claims()),
    ],
    ids=str,
)
def test_token_with_a_wrong_or_missing_claim_is_rejected(
    verifier: TokenVerifier, changed: dict[str, Any]
) -> None:
    with pytest.raises(NotSignedIn):
        verifier.verify(POOL.sign(claims(**changed)))


def part(value: bytes | dict[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hs256_with_the_public_key() -> str:
    # The library refuses to sign with a PEM as a shared secret; an attacker does not.
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': POOL.kid})}.{part(claims())}"
    digest = hmac.new(POOL.public.to_pem(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{part(digest)}"


def without_signature() -> str:
    return f"{part({'alg': 'none', 'kid': POOL.kid})}.{part(claims())}."


def with_changed_claims() -> str:
    header, _, signature = POOL.sign(claims()).split(".")
    _, payload, _ = POOL.sign(claims(sub="user-2")).split(".")
    return f"{header}.{payload}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        without_signature,
        hs256_with_the_public_key,
        with_changed_claims,
        lambda: OTHER_POOL.sign(claims()),
        lambda: POOL.sign(claims(), kid="unknown"),
        lambda: POOL.sign(claims(), kid=["pool-key"]),
        lambda: jws.sign(b"[1]", POOL.private, {"kid": POOL.kid}, algorithm="RS256"),
        lambda: "",
        lambda: "a.b.c",
        lambda: "é" * 100,
        lambda: "." * 1000,
        lambda: "W1tbW1tbW1tb" * 700 + ".e30.e30",
    ],
)
def test_forged_token_is_rejected(verifier: TokenVerifier, forge: Callable[[], str]) -> None:
    with pytest.raises(NotSignedIn):
        verifier.verify(forge())


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Fetch:
    """A pool's key set on the network, which counts how often it is fetched."""

    def __init__(self, *signers: Signer) -> None:
        self.signers = list(signers)
        self.count = 0
        self.down = False

    def __call__(self) -> list[dict[str, Any]]:
        self.count += 1
        if self.down:
            raise Unavailable
        return [signer.web_key for signer in self.signers]


NEW = Signer("new-key")


def test_keys_are_fetched_once() -> None:
    fetch = Fetch(POOL)
    keys = KeySet(fetch, Clock())
    assert keys.find("pool-key") is not None
    assert keys.find("pool-key") is not None
    assert fetch.count == 1


def test_keys_of_other_types_are_ignored() -> None:
    keys = KeySet(lambda: [{"kid": "ec", "kty": "EC", "crv": "P-256"}, POOL.web_key], Clock())
    assert keys.find("pool-key") is not None
    assert keys.find("ec") is None


def test_malformed_key_never_rejects_a_token() -> None:
    broken = {"kid": POOL.kid, "kty": "RSA", "e": "AQAB"}
    verifier = TokenVerifier(KeySet(lambda: [broken], Clock()), ISSUER, CLIENT)
    with pytest.raises(Unavailable):
        verifier.verify(POOL.sign(claims()))


def test_rotated_key_is_found_without_a_restart() -> None:
    fetch, clock = Fetch(POOL), Clock()
    keys = KeySet(fetch, clock)
    keys.find("pool-key")
    fetch.signers.append(NEW)
    clock.now += 61
    assert keys.find("new-key") is not None


@pytest.mark.parametrize("signers", [[POOL], []], ids=["some keys", "no keys"])
def test_unknown_key_fetches_the_keys_at_most_once_a_minute(signers: list[Signer]) -> None:
    fetch, clock = Fetch(*signers), Clock()
    keys = KeySet(fetch, clock)
    for _ in range(100):
        assert keys.find("unknown") is None
        clock.now += 1
    assert fetch.count == 2


def test_unreachable_key_set_is_unavailable_until_it_is_reachable() -> None:
    fetch, clock = Fetch(POOL), Clock()
    fetch.down = True
    keys = KeySet(fetch, clock)
    for _ in range(2):
        with pytest.raises(Unavailable):
            keys.find("pool-key")
    fetch.down = False
    assert keys.find("pool-key") is not None


def test_unknown_key_is_not_rejected_while_the_key_set_is_unreachable() -> None:
    fetch, clock = Fetch(POOL), Clock()
    keys = KeySet(fetch, clock)
    keys.find("pool-key")
    fetch.down = True
    clock.now += 61
    for _ in range(3):
        with pytest.raises(Unavailable):
            keys.find("new-key")
    assert fetch.count == 2
    assert keys.find("pool-key") is not None


class Response:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        return self._body

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"\xff"])
def test_malformed_key_set_is_unavailable(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: Response(body))
    with pytest.raises(Unavailable):
        tokens.fetch_keys("https://cognito.test/jwks.json")


@pytest.mark.parametrize("error", [TimeoutError(), urllib.error.URLError("no route")])
def test_host_that_does_not_respond_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def urlopen(url: str, timeout: float) -> NoReturn:
        assert 0 < timeout < 10
        raise error

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    with pytest.raises(Unavailable):
        tokens.fetch_keys("https://cognito.test/jwks.json")
