"""Keys for each purpose from the installation's one secret, so that no key serves two masters. Source: RFC 7693 (BLAKE2)."""

from hashlib import blake2b


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for `purpose` (at most 16 ASCII characters). Raises ValueError when the secret is under 32 bytes."""
    if len(secret) < 32:
        raise ValueError("the secret must be 32 bytes")
    return blake2b(secret[:32], digest_size=32, person=purpose.encode("ascii")).digest()
