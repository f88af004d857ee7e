"""What a campaign is rendered from: its content and settings, put together once and frozen with the send."""

from __future__ import annotations

import time
from typing import Any

from standfast.components.campaigns.models import Campaign
from standfast.components.content.api import CompiledMessage, LinkSigner, compile_message
from standfast.platform import config
from standfast.protocols.keys import derive


def sources_of(campaign: Campaign) -> dict[str, Any]:
    """The sources of the send (see delivery.freeze_send). The campaign must have a content."""
    content = campaign.content
    assert content is not None
    settings = config.load()
    subject = campaign.subject or content.subject
    return {
        "subject": subject,
        "preheader": campaign.preheader or content.preheader,
        "html": content.source,
        "source_kind": content.source_kind,
        "text": content.text_source,
        "inline_css": content.inline_css,
        "from_name": campaign.from_name,
        "from_email": campaign.from_email,
        "reply_to": campaign.reply_to,
        "tracker_url": settings.tracker_url,
        "bounce_domain": settings.bounce_domain.split(",")[0].strip(),
        "campaign": campaign_values(campaign, subject),
    }


def campaign_values(campaign: Campaign, subject: str) -> dict[str, Any]:
    """The object `campaign` of templates."""
    return {
        "id": campaign.pk,
        "name": campaign.name,
        "from_name": campaign.from_name,
        "from_email": campaign.from_email,
        "subject": subject,
        "reply_to": campaign.reply_to or campaign.from_email,
        "address": campaign.address or campaign.account.address,
        "language": campaign.language,
        "send_time": int((campaign.send_at.timestamp() if campaign.send_at else None) or time.time()),
    }


def compiled(campaign: Campaign) -> CompiledMessage:
    """Compile the campaign's content as the worker will. Raises ContentError with line and reason."""
    sources = sources_of(campaign)
    settings = config.load()
    signer = LinkSigner(
        settings.tracker_url, derive(settings.secret(), "tokens"), campaign.account_id, campaign.send_id or 0
    )
    return compile_message(
        subject=sources["subject"],
        preheader=sources["preheader"],
        html_source=sources["html"],
        source_kind=sources["source_kind"],
        text_source=sources["text"],
        inline_css=sources["inline_css"],
        links=signer,
    )
