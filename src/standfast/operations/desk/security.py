"""What every answer carries, and how often somebody may try."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from standfast.operations.desk import settings

POLICY = "; ".join(
    (
        "default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'", "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)  # fmt: skip
_SCHEMA = "create table if not exists desk_attempt (what text not null, at real not null)"
_INDEX = "create index if not exists desk_attempt_what on desk_attempt (what, at)"


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: nothing inline, nothing framed, nothing kept by caches."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.get_host()  # refuses a name that is not ours, whatever the view
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("X-Robots-Tag", "noindex")
        return response

    return answer


def client(request: HttpRequest) -> str:
    """The address that asks: the connection's, or the last one that a proxy of ours saw."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if address in settings.PROXIES:
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()[:64] or address
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    # Whoever has one IPv6 address has the 2^64 of its network.
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else address


def too_often(what: str, *, most: int, seconds: float) -> bool:
    """Whether this was tried `most` times already within the last seconds. Does not count as a try."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEMA)
        cursor.execute("select count(*) from desk_attempt where what = %s and at > %s", [what, time.time() - seconds])
        row = cursor.fetchone()
    return row is not None and row[0] >= most


def tried(*whats: str) -> None:
    """Write down a try of each; tries of more than a day ago are forgotten."""
    now = time.time()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SCHEMA)
        cursor.execute(_INDEX)
        cursor.execute("delete from desk_attempt where at < %s", [now - 86400])
        for what in whats:
            cursor.execute("insert into desk_attempt (what, at) values (%s, %s)", [what, now])
