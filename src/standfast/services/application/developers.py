"""Where a programmer begins: the addresses of the services, a first call, and what there is to build with."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from standfast.components.accounts.api import ApiKey, account_page
from standfast.components.transactional.api import TransactionalCampaign
from standfast.components.webhooks.api import Endpoint, EndpointState
from standfast.platform import config

KEY = "STANDFAST_KEY"


@account_page
@require_GET
def developers(request: HttpRequest, account_id: int) -> HttpResponse:
    settings = config.load()
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    endpoints = Endpoint.objects.filter(account_id=account_id)
    troubled = endpoints.filter(
        Q(state=EndpointState.DISABLED) | Q(state=EndpointState.ACTIVE, failing_since__isnull=False)
    )
    context = {
        "settings": settings,
        "keys": ApiKey.objects.filter(alive, account_id=account_id, revoked_at=None).count(),
        "endpoints": endpoints.count(), "troubled": troubled.count(),
        "campaigns": TransactionalCampaign.objects.filter(account_id=account_id).count(),
        "key_line": f"export {KEY}=sf_{account_id}_…",
        "own_call": f'curl {settings.rest_url}/api/v1/lists \\\n  -H "Authorization: Bearer ${KEY}"',
        "compatible_call": f'curl "{settings.rest_url}/accounts/{account_id}/lists.json?auth_token=${KEY}"',
    }  # fmt: skip
    return render(request, "developers.html", context)
