"""Behind a proxy of ours each visitor has limits of their own, and names no other address than the proxy saw."""

import runpy

from allauth.core.internal.httpkit import get_client_ip
from django.test import RequestFactory, override_settings

from standfast import settings


def test_a_visitor_is_who_the_proxy_saw(monkeypatch):
    monkeypatch.setenv("STANDFAST_BEHIND_TLS", "1")
    behind = runpy.run_path(settings.__file__)
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=behind["ALLAUTH_TRUSTED_PROXY_COUNT"]):
        request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.9, 203.0.113.7")
        assert get_client_ip(request) == "203.0.113.7"
    monkeypatch.delenv("STANDFAST_BEHIND_TLS")
    assert "ALLAUTH_TRUSTED_PROXY_COUNT" not in runpy.run_path(settings.__file__)
    assert get_client_ip(request) == "10.0.0.1"  # a header that nobody vouches for
