"""Properties of token verification that hold for every token."""

import base64
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.accounts.tokens import KeySet, TokenVerifier
from chalicelib.errors import NotSignedIn
from tests.support.strategies import ANY_TEXT, JSON
from tests.support.tokens import CLIENT, ISSUER, POOL, claims

VERIFIER = TokenVerifier(KeySet(lambda: [POOL.web_key]), ISSUER, CLIENT)


@given(ANY_TEXT)
def test_text_that_is_not_a_token_is_rejected(text: str) -> None:
    with pytest.raises(NotSignedIn):
        VERIFIER.verify(text)


@settings(max_examples=40)
@given(JSON, JSON, st.sampled_from(["alg", "kid", "typ", "crit", "zip", "jku", "jwk", "b64"]))
def test_token_with_any_header_and_claims_is_rejected_unless_the_pool_signed_it(
    header: Any, payload: Any, name: str
) -> None:
    head = {"alg": "RS256", "kid": POOL.kid} | {name: header}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (head, payload)
    ]
    for signature in ("", "AAAA", POOL.sign(claims()).split(".")[2]):
        with pytest.raises(NotSignedIn):
            VERIFIER.verify(".".join([*parts, signature]))


@settings(max_examples=40)
@given(st.sampled_from(sorted(claims())), JSON)
def test_signed_token_with_another_claim_is_rejected_unless_the_claim_may_vary(
    name: str, value: Any
) -> None:
    valid = claims()
    assume(value != valid[name])
    token = POOL.sign(valid | {name: value})
    try:
        access = VERIFIER.verify(token)
    except NotSignedIn:
        return
    assert name in ("sub", "iat", "exp")
    assert isinstance(access.sub, str)
    assert isinstance(access.issued_at, int)
