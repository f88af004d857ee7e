"""Addresses of the service. Hosts `rdb.` and `stream.` have theirs, or prefixes on one host: /rdb/..., /stream/..."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path

from standfast.components.content.api import image_of
from standfast.platform import tenancy
from standfast.platform.rest.answers import to_json
from standfast.services.rest_api import own
from standfast.services.rest_api.compatible import compatible
from standfast.services.rest_api.health import rest_api

NUMBER = r"(?P<account_id>[0-9]{1,18})"


def api(request: HttpRequest, account_id: str, rest: str) -> HttpResponseBase:
    host = "stream" if request.get_host().startswith("stream") else "api"
    return compatible(request, host, int(account_id), rest)


def rdb(request: HttpRequest, account_id: str, rest: str) -> HttpResponseBase:
    return compatible(request, "rdb", int(account_id), rest)


def stream(request: HttpRequest, account_id: str, rest: str) -> HttpResponseBase:
    return compatible(request, "stream", int(account_id), rest)


def image(_: HttpRequest, account_id: str, digest: str) -> HttpResponse:
    """An image of a message; no key, for its readers have none, and its address tells nothing that they do not see."""
    with tenancy.account_scope(int(account_id)):
        found = image_of(account_id=int(account_id), digest=digest)
    if found is None:
        return HttpResponse(status=404)
    media_type, data = found
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": "sandbox"}
    return HttpResponse(data, content_type=media_type, headers=headers)


def health(_: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def unknown(_: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    body = {"error": "There is no such resource. The documentation is at /api/v1/docs."}
    return HttpResponse(to_json(body), status=404, content_type="application/json; charset=utf-8")


def refused(_: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    body = {"error": "The request cannot be read."}
    return HttpResponse(to_json(body), status=400, content_type="application/json; charset=utf-8")


handler404 = unknown
handler400 = refused

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^health$", health),
    re_path(r"^healthz/rest-api$", rest_api),
    re_path(rf"^images/{NUMBER}/(?P<digest>[0-9a-f]{{64}})\.(?:png|jpg|gif|webp)$", image),
    path("api/v1/", own.api.urls),
    re_path(rf"^accounts/{NUMBER}/(?P<rest>.+)$", api),
    re_path(rf"^v2/{NUMBER}/(?P<rest>.+)$", api),
    re_path(rf"^rdb/{NUMBER}/(?P<rest>.+)$", rdb),
    re_path(rf"^stream/accounts/{NUMBER}/(?P<rest>.+)$", stream),
    re_path(rf"^{NUMBER}/(?P<rest>.+)$", rdb),  # on the rdb host the account comes first
]
