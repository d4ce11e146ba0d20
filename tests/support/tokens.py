"""A user pool that signs access tokens, for tests of their verification."""

import time
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"
CLIENT = "client-id"


class Signer:
    """A user pool that signs tokens."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        self.public = jwk.construct(self.private, "RS256").public_key()

    @property
    def web_key(self) -> dict[str, Any]:
        return {**self.public.to_dict(), "kid": self.kid, "use": "sig"}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        token: str = jwt.encode(
            claims, self.private, algorithm="RS256", headers={"kid": self.kid} | headers
        )
        return token


POOL = Signer("pool-key")


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a valid token, with changes; None removes one."""
    now = int(time.time())
    valid = {
        "sub": "user-1",
        "iss": ISSUER,
        "client_id": CLIENT,
        "token_use": "access",
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in (valid | changed).items() if value is not None}
