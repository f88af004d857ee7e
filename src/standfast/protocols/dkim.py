"""DKIM signatures (RFC 6376; Ed25519: RFC 8463): relaxed headers, simple body, the same headers a million times.

Simple body, because our bodies are canonical already: they end in one CRLF and no line has trailing blanks. The key is
loaded, and everything in the signature's own header that does not change is written, once.
"""

import base64
import hashlib
import re
import time
from binascii import b2a_base64
from collections.abc import Sequence
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from .headers import Header, HeaderFrame

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]

# From is listed once more than it occurs ("oversigned", RFC 6376 section 8.15), so that nobody can add a second one.
# List-Unsubscribe and its -Post must be covered (RFC 8058 section 4).
OVERSIGNED = b"from"
SIGNED = (
    b"From",
    b"To",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"Reply-To",
    b"MIME-Version",
    b"Content-Type",
    b"List-Unsubscribe",
    b"List-Unsubscribe-Post",
    b"Feedback-ID",
)
RSA_BITS = 2048
_B64_LINE_CHARS = 72
_WHITESPACE = re.compile(rb"[ \t\r\n]+")
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PKCS1V15, _SHA256 = padding.PKCS1v15(), hashes.SHA256()


class DkimError(ValueError):
    """The key, domain, selector or headers are not fit for signing; the text says what to do."""


class NewKey(NamedTuple):
    """private_pem: PKCS #8, to be kept secret; dns_txt: the value of the TXT record at `record_name`."""

    private_pem: str
    dns_txt: str


class _Plan(NamedTuple):
    """What one frame of headers needs: which of its values to sign, and the signature's header around what changes."""

    places: tuple[int, ...]  # of the values to sign, in order
    relaxed: bytes  # what is hashed: %b for each value, %d for the time, %b for the body's hash
    wire: bytes  # the signature's header: %d for the time, %b for the body's hash, %b for the signature


class Letter(NamedTuple):
    """What is signed of one message: the values that its frame leaves open, its body, the time in unix seconds."""

    values: Sequence[bytes]
    body: bytes
    signed_at: int


class Signer:
    """Signs for one domain and selector. `sign` may be called from several threads; RSA and SHA-256 release the GIL."""

    def __init__(self, domain: str, selector: str, private_key_pem: str | bytes, algorithm: Algorithm = "rsa-sha256"):
        """Raises DkimError for a key that cannot be read or does not belong to the algorithm."""
        if not _DOMAIN.fullmatch(domain) or not _DOMAIN.fullmatch(selector):
            raise DkimError("domain and selector must be plain host names (punycode)")
        pem = private_key_pem.encode() if isinstance(private_key_pem, str) else private_key_pem
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise DkimError("the private key is not a PEM key without password; make a new one") from error
        fits = ed25519.Ed25519PrivateKey if algorithm == "ed25519-sha256" else rsa.RSAPrivateKey
        if not isinstance(key, fits):
            raise DkimError(f"the private key is not one for {algorithm}")
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size < 1024:
            raise DkimError(f"an RSA key of {key.key_size} bits is refused by receivers; use {RSA_BITS}")
        self.domain, self.selector, self.algorithm = domain.lower(), selector, algorithm
        self._key = key
        self._is_rsa = isinstance(key, rsa.RSAPrivateKey)
        self._plans: dict[HeaderFrame, _Plan] = {}

    def sign(self, headers: Sequence[Header], body: bytes, *, signed_at: int | None = None) -> bytes:
        """The whole DKIM-Signature header with its CRLF, to stand before `headers`.

        headers: (name, value) without the CRLF at the end; values may be folded. body: CRLF lines.
        signed_at: unix seconds, now when None. Raises DkimError without exactly one From.
        """
        return sign_all([self], headers, body, signed_at=signed_at)

    def _to_sign(self, frame: HeaderFrame, letter: Letter, hashed_body: bytes) -> bytes:
        """The canonical headers, the signature's own among them."""
        plan = self._plans.get(frame) or self._plan(frame)
        values = tuple([letter.values[place] for place in plan.places])
        # Most values need no relaxing; plain searches over all of them cost a third of one regular expression.
        probe = b"\n%b\n" % b"\n".join(values)
        if b"\r" in probe or b"\t" in probe or b"  " in probe or b"\n " in probe or b" \n" in probe:
            values = tuple([_relaxed(value) for value in values])
        return plan.relaxed % (*values, letter.signed_at, hashed_body)

    def _wire(self, frame: HeaderFrame, letter: Letter, hashed_body: bytes, signature: bytes) -> bytes:
        text = b2a_base64(signature, newline=False)
        lines = [text[at : at + _B64_LINE_CHARS] for at in range(0, len(text), _B64_LINE_CHARS)]
        plan = self._plans.get(frame) or self._plan(frame)
        return plan.wire % (letter.signed_at, hashed_body, b"\r\n\t".join(lines))

    def raw_signature(self, data: bytes) -> bytes:
        """Sign canonical headers, nothing else: what a signature costs at least."""
        if self._is_rsa:
            return self._key.sign(data, _PKCS1V15, _SHA256)  # type: ignore[call-arg, no-any-return, union-attr]
        # RFC 8463 section 3: Ed25519 signs the SHA-256 of the headers, not the headers.
        return self._key.sign(hashlib.sha256(data).digest())  # type: ignore[call-arg, no-any-return, union-attr]

    def _plan(self, frame: HeaderFrame) -> _Plan:
        lowered = [name.lower() for name in frame.names]
        if lowered.count(b"from") != 1:
            raise DkimError("a message to be signed needs exactly one From header")
        places: list[int] = []
        listed: list[bytes] = []
        for name in SIGNED:
            # Of a header that occurs several times the last is taken first (RFC 6376 section 5.4.2).
            found = [place for place, other in enumerate(lowered) if other == name.lower()]
            places += reversed(found)
            listed += [name] * (len(found) + (name.lower() == OVERSIGNED))
        fixed = f"v=1; a={self.algorithm}; c=relaxed/simple; d={self.domain}; s={self.selector};".encode()
        h = _folded_names(listed)
        relaxed = b"".join([b"%b:%b\r\n" % (lowered[place], _template(frame.fixed[place])) for place in places])
        relaxed += b"dkim-signature:%b t=%%d; h=%b; bh=%%b; b=" % (fixed, h.replace(b"\r\n\t", b" "))
        wire = b"DKIM-Signature: %b\r\n\tt=%%d; h=%b;\r\n\tbh=%%b;\r\n\tb=%%b\r\n" % (fixed, h)
        if len(self._plans) >= 256:
            self._plans.clear()
        slots = [place for place, value in enumerate(frame.fixed) if value is None]
        signed = tuple([slots.index(place) for place in places if frame.fixed[place] is None])
        return self._plans.setdefault(frame, _Plan(signed, relaxed, wire))


def sign_all(
    signers: Sequence[Signer], headers: Sequence[Header], body: bytes, *, signed_at: int | None = None
) -> bytes:
    """One DKIM-Signature header for each signer (RSA, and Ed25519 beside it); the body is hashed once."""
    names, values = tuple([name for name, _ in headers]), [value for _, value in headers]
    letter = Letter(values, body, int(time.time()) if signed_at is None else signed_at)
    return sign_letters(signers, HeaderFrame(names, (None,) * len(names)), [letter])[0]


def sign_letters(signers: Sequence[Signer], frame: HeaderFrame, letters: Sequence[Letter]) -> list[bytes]:
    """The same for many messages under one frame, step by step over all of them: an RSA signature pushes everything else
    out of the processor's nearest caches, so one between any two steps makes the steps dearer by a half."""
    signed = [b""] * len(letters)
    hashes = [body_hash(letter.body) for letter in letters] if signers else []
    for signer in signers:
        sign = signer.raw_signature
        raw = [sign(data) for data in [signer._to_sign(frame, *pair) for pair in zip(letters, hashes, strict=True)]]
        for place, (letter, hashed, signature) in enumerate(zip(letters, hashes, raw, strict=True)):
            signed[place] += signer._wire(frame, letter, hashed, signature)
    return signed


def body_hash(body: bytes) -> bytes:
    """The bh= value: base64 of SHA-256 over the body in simple canonical form (RFC 6376 section 3.4.3)."""
    if body.endswith(b"\r\n\r\n") or not body.endswith(b"\r\n"):
        end = len(body)
        while body.endswith(b"\r\n", 0, end):
            end -= 2
        body = body[:end] + b"\r\n"
    return b2a_base64(hashlib.sha256(body).digest(), newline=False)


def _relaxed(value: bytes) -> bytes:
    """A header's value in relaxed canonical form (RFC 6376 section 3.4.2)."""
    return _WHITESPACE.sub(b" ", value).strip(b" ")


def _template(fixed: bytes | None) -> bytes:
    return b"%b" if fixed is None else _relaxed(fixed).replace(b"%", b"%%")


def record_name(*, selector: str, domain: str) -> str:
    """Where the TXT record with the public key stands."""
    return f"{selector}._domainkey.{domain}"


def new_key(algorithm: Algorithm = "rsa-sha256") -> NewKey:
    """Make a key pair: the private key, and the TXT record's value for `record_name`.

    An RSA value is longer than 255 characters, so a zone file has to write it as two strings.
    """
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == "ed25519-sha256":
        key = ed25519.Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        kind = "ed25519"
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        kind = "rsa"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return NewKey(pem.decode(), f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}")


def _folded_names(names: list[bytes]) -> bytes:
    lines, line = [], b""
    for name in names:
        if len(line) + len(name) > 56:
            lines.append(line)
            line = b""
        line += name + b":"
    return b"\r\n\t".join([*lines, line.removesuffix(b":")])
