"""The context that base.html needs on every page."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from standfast.services.application.navigation import page_url, sections


def shell(request: HttpRequest) -> dict[str, Any]:
    """Sidebar, account and accounts to switch to. `request.account` and `request.accounts` are set by the sign-in's middleware."""
    account = getattr(request, "account", None)
    account_id = getattr(account, "id", None)
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "account": account,
        "accounts": getattr(request, "accounts", ()),
        "sidebar": sections(path=request.path, account_id=account_id),
        "home_url": page_url("dashboard", account_id=account_id) or "/",
        "passkeys_here": not _is_address(request),
        "profile_url": page_url("accounts:profile", account_id=account_id),
    }


def _is_address(request: HttpRequest) -> bool:
    """Whether one came by an IP address: browsers make passkeys for host names only (WebAuthn, 5.1.2)."""
    try:
        ipaddress.ip_address(urlsplit(f"//{request.get_host()}").hostname or "")
    except (ValueError, DisallowedHost):
        return False
    return True
