"""What can be put into a content at the cursor: the contact's fields, the message's addresses, the usual Liquid."""

from __future__ import annotations

from typing import NamedTuple

from standfast.components.audience.api import CustomField


class Snippet(NamedTuple):
    """A line of the editor's menu."""

    label: str
    text: str


STANDARD = (
    Snippet("First name", '{{ contact.first_name | default: "friend" }}'),
    Snippet("Last name", "{{ contact.last_name }}"),
    Snippet("E-mail", "{{ contact.email }}"),
    Snippet("Phone", "{{ contact.phone }}"),
    Snippet("Own identifier", "{{ contact.uid }}"),
)
MESSAGE = (
    Snippet("Unsubscribe link", '<a href="{{ campaign.unsubscribe_url }}">Unsubscribe</a>'),
    Snippet("View in a browser", '<a href="{{ campaign.click_to_view }}">View in your browser</a>'),
    Snippet("Preferences", '<a href="{{ campaign.edit_profile }}">Your preferences</a>'),
    Snippet("Report as spam", '<a href="{{ campaign.report_spam }}">Report as spam</a>'),
    Snippet("Postal address", "{{ campaign.address }}"),
    Snippet("Sender's name", "{{ campaign.from_name }}"),
    Snippet("Only if known", "{% if contact.first_name %}Hello {{ contact.first_name }}{% else %}Hello{% endif %}"),
)


def snippets(*, account_id: int) -> list[Snippet]:
    """Standard fields, the account's own fields, then what every message needs. In the account's scope."""
    own = CustomField.objects.filter(account_id=account_id).order_by("label").values_list("label", "key")[:200]
    return [*STANDARD, *(Snippet(label, f"{{{{ contact.{key} }}}}") for label, key in own), *MESSAGE]
