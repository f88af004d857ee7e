"""How a probe ends: `Good`, or `Bad` with a reason; and what an error of the system means for the target."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass

from standfast.operations.monitoring.report import Reason


@dataclass(frozen=True, slots=True)
class Good:
    """detail: one line for people. seen: the answer's fingerprint."""

    detail: str
    seen: tuple[str, ...] = ()


class Bad(Exception):
    """The target is not as it should be."""

    def __init__(self, reason: Reason, detail: str, seen: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.seen = reason, detail, seen


_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
# Our own want of descriptors, ports or memory says nothing about the target.
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}

# X509_V_ERR_* of OpenSSL (include/openssl/x509_vfy.h).
_VERIFY_CODES = {
    9: Reason.TLS_EXPIRED,  # not yet valid
    10: Reason.TLS_EXPIRED,
    62: Reason.TLS_NAME,
    64: Reason.TLS_NAME,  # address mismatch
    **dict.fromkeys((2, 18, 19, 20, 21, 27, 28), Reason.TLS_ISSUER),  # issuer unknown, self-signed, not trusted
}


def of_error(error: OSError) -> tuple[Reason, str]:
    """The reason and the line for people."""
    text = error.strerror or str(error) or type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_CODES.get(error.verify_code, Reason.TLS_OTHER), f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return Reason.TLS_OTHER, f"TLS: {error.reason or text}"
    if isinstance(error, ConnectionRefusedError):
        return Reason.REFUSED, "connection refused"
    if isinstance(error, ConnectionError):
        return Reason.RESET, f"connection reset ({text})"
    if error.errno in _UNREACHABLE:
        return Reason.UNREACHABLE, text
    if error.errno in _OURS:
        return Reason.MISCONFIGURED, f"cannot probe from here: {text}"
    return Reason.PROTOCOL, f"{type(error).__name__}: {text}"
