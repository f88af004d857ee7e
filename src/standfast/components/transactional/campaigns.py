"""Make and find transactional campaigns."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from standfast.components.delivery.api import name_stream, open_stream
from standfast.components.transactional.models import TransactionalCampaign
from standfast.platform import config

FIELDS = (
    "subject",
    "preheader",
    "from_name",
    "from_email",
    "reply_to",
    "content_id",
    "brand_id",
    "email_preview_link",
    "address",
    "language",
    "tags",
)


class NameTaken(ValueError):
    """There is a transactional campaign of that name already."""


def create_campaign(*, account_id: int, name: str, **fields: Any) -> TransactionalCampaign:
    """A campaign with its stream; fields as in FIELDS. In the account's scope. Raises NameTaken."""
    unknown = fields.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"a transactional campaign has no {sorted(unknown)[0]}")
    settings = config.load()
    stream = open_stream(
        account_id=account_id,
        sources={
            "tracker_url": settings.tracker_url,
            "bounce_domain": settings.bounce_domain.split(",")[0].strip(),
            "campaign": {"name": name},  # for reports
            "subject": fields.get("subject", ""),
        },
    )
    try:
        with transaction.atomic():
            return TransactionalCampaign.objects.create(account_id=account_id, name=name, send_id=stream.pk, **fields)
    except IntegrityError as error:
        stream.delete()
        raise NameTaken(f"There is a transactional campaign named “{name}” already.") from error


def change_campaign(campaign: TransactionalCampaign) -> TransactionalCampaign:
    """Save what was changed of it; messages that were taken before stay as they were. In the account's scope. Raises NameTaken."""
    try:
        with transaction.atomic():
            campaign.save()
    except IntegrityError as error:
        raise NameTaken(f"There is a transactional campaign named “{campaign.name}” already.") from error
    name_stream(account_id=campaign.account_id, send_id=campaign.send_id, name=campaign.name, subject=campaign.subject)
    return campaign


def campaign_named(*, account_id: int, name: str, **fields: Any) -> TransactionalCampaign:
    """The campaign of that name, made with the fields where it is new; of many at once one makes it. In the account's scope."""
    name = " ".join(name.split())[:255]
    found = TransactionalCampaign.objects.filter(account_id=account_id, name=name).first()
    if found is not None:
        return found
    try:
        return create_campaign(account_id=account_id, name=name, **fields)
    except NameTaken:
        return TransactionalCampaign.objects.get(account_id=account_id, name=name)
