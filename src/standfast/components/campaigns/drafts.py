"""What a campaign that has not left is set up with: made, changed, and which version of it somebody looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from standfast.components.audience.api import Brand, List, SecureList
from standfast.components.campaigns import states
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.content.api import Content
from standfast.protocols.address import AddressError, parse_address

TEXTS = ("name", "subject", "preheader", "from_name", "from_email", "reply_to", "address", "language")
LISTS = ("list_ids", "suppressed_list_ids")
DETAILS = (*TEXTS, "brand_id")
PEOPLE = (*LISTS, "secure_list_ids")
SETTINGS = (*DETAILS, "content_id", *PEOPLE, "rate_per_minute")
RATE_MAX = 1_000_000
BOTH = "A list is both chosen and left out, so nobody on it would get the campaign."


class Fault(NamedTuple):
    """What is wrong with one setting, and what to set instead."""

    name: str
    what: str
    remedy: str


def version_of(campaign: Campaign, fields: Sequence[str]) -> str:
    """A short name for the present values of some fields: two that show the same have the same."""
    values = json.dumps([getattr(campaign, name) for name in fields], default=str)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def create_draft(*, account_id: int, values: Mapping[str, Any], by_user_id: int | None = None) -> Campaign:
    """A new draft with these settings. In the account's scope."""
    return Campaign.objects.create(
        account_id=account_id, created_by_id=by_user_id, state_since_at=states.now(), **values
    )


def change_draft(campaign: Campaign, values: Mapping[str, Any]) -> None:
    """Change some settings of a locked campaign. Raises IllegalMove for one that is no draft any more."""
    if campaign.state != CampaignState.DRAFT:
        raise states.IllegalMove(
            f"Nothing was changed: this campaign is {campaign.get_state_display().lower()} by now."
        )
    for name, value in values.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=[*values, "updated_at"])


def normalised(*, account_id: int, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Settings as they are kept, and what is wrong with them; of those that are given. In the account's scope."""
    kept, faults = dict(values), []
    for name in ("from_email", "reply_to"):
        if kept.get(name):
            try:
                kept[name] = parse_address(kept[name]).email
            except AddressError as error:
                faults.append(Fault(name, f"is no address: {error.reason}", "send one such as news@shop.example"))
    content_id = kept.get("content_id")
    if content_id is not None and not Content.objects.filter(account_id=account_id, pk=content_id).exists():
        faults.append(Fault("content_id", "is no content of this account", "send the id of one, or null"))
    brand_id = kept.get("brand_id")
    if brand_id is not None and not Brand.objects.filter(account_id=account_id, pk=brand_id).exists():
        faults.append(Fault("brand_id", "is no brand of this account", "send the id of one, or null"))
    for name in PEOPLE:
        if name in kept:
            kept[name] = sorted(set(kept[name]))
            kind: Any = SecureList if name == "secure_list_ids" else List
            known = set(kind.objects.filter(account_id=account_id, pk__in=kept[name]).values_list("pk", flat=True))
            faults += [
                Fault(name, f"holds {each}, which is no list of this account", "send ids of lists that exist")
                for each in kept[name]
                if each not in known
            ][:1]
    return kept, faults
