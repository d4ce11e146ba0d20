"""HMAC-SHA256, wherever something is signed."""

import hashlib
import hmac


def hmac_sha256(key: bytes, message: str) -> bytes:
    """Return the 32 bytes of HMAC-SHA256 (RFC 2104) over a text in UTF-8."""
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
