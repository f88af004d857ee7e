"""How a program hands a message in, with a campaign's own values, ready to be pasted into a shell."""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

from standfast.components.transactional.models import TransactionalCampaign
from standfast.platform.config import Config

EXAMPLE = "alice@example.net"
KEY = "STANDFAST_KEY"


class Snippets(NamedTuple):
    """Commands; each reads the key from the environment, so that it stands in no history."""

    key: str
    smtp: str
    messages: str
    deliver: str


def snippets(campaign: TransactionalCampaign, settings: Config) -> Snippets:
    """Of a campaign, at this installation's addresses."""
    return Snippets(
        f"export {KEY}=sf_{campaign.account_id}_…", _smtp(campaign, settings), _messages(campaign, settings),
        _deliver(campaign, settings),
    )  # fmt: skip


def _smtp(campaign: TransactionalCampaign, settings: Config) -> str:
    sender = _line(campaign.from_email) or "receipts@shop.example"
    name = _line(campaign.from_name)
    headers = [
        f"From: {json.dumps(name, ensure_ascii=False)} <{sender}>" if name else f"From: {sender}",
        f"To: {EXAMPLE}",
        f"Subject: {_line(campaign.subject) if campaign.subject and '{' not in campaign.subject else 'Your receipt'}",
        f"X-CampaignName: {_line(campaign.name)}",
    ]
    tls = " --ssl-reqd" if settings.submission_tls else ""
    lines = [
        f"curl smtp://{settings.submission_host}:{settings.submission_port}{tls} --crlf",
        f'  --user "key:${KEY}" --login-options AUTH=PLAIN',
        f"  --mail-from {shlex.quote(sender)} --mail-rcpt {EXAMPLE}",
        "  --upload-file - <<'MAIL'",
    ]
    return " \\\n".join(lines) + "\n" + "\n".join([*headers, "", "Thank you.", "MAIL"])


def _messages(campaign: TransactionalCampaign, settings: Config) -> str:
    message: dict[str, Any] = {"email": EXAMPLE, "tags": {"order": "A-1"}, "key": "order-A-1", **_own(campaign)}
    if campaign.content_id is None:
        message["text"] = "Thank you for order {{ tag.order }}."
    body = {"campaign_id": campaign.pk, "messages": [message]}
    return _post(f"{settings.rest_url}/api/v1/messages", body, header=f'"Authorization: Bearer ${KEY}"')


def _deliver(campaign: TransactionalCampaign, settings: Config) -> str:
    email: dict[str, Any] = {
        "campaign_id": campaign.pk,
        "contact": {"email": EXAMPLE},
        "tags": {"order": "A-1"},
        **_own(campaign),
    }
    if campaign.content_id is None:
        email["content"] = {"text_part": "Thank you for order {{ tag.order }}."}
    return _post(
        f"{settings.rest_url}/accounts/{campaign.account_id}/emails/deliver.json", {"email": email}, query=f"?auth_token=${KEY}"
    )  # fmt: skip


def _own(campaign: TransactionalCampaign) -> dict[str, str]:
    """What a message must bring because the campaign has none."""
    own = {"subject": "Your receipt"} if not campaign.subject and campaign.content_id is None else {}
    return own if campaign.from_email else own | {"from_email": "receipts@shop.example"}


def _post(url: str, body: dict[str, Any], *, header: str = "", query: str = "") -> str:
    target = f'"{url}{query}"' if query else url
    more = f" \\\n  -H {header}" if header else ""
    data = shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))
    return f"curl {target}{more} \\\n  -H 'Content-Type: application/json' \\\n  --data {data}"


def _line(text: str) -> str:
    """A header's value is one line."""
    return " ".join(text.split())
