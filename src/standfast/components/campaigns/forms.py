"""Forms of a campaign's four steps. Each saves its own fields alone, and notices when they were changed meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms

from standfast.components.campaigns.drafts import BOTH, RATE_MAX, TEXTS
from standfast.components.campaigns.models import Campaign
from standfast.components.content.api import LANGUAGES
from standfast.components.delivery import api as delivery
from standfast.protocols.address import AddressError, parse_address


class DetailsForm(forms.ModelForm):
    """Who it is from and what stands in the inbox. The page shows the brand where the account has one."""

    brand_id = forms.TypedChoiceField(
        label="Brand", required=False, coerce=int, empty_value=None,
        help_text="Who wants no mail of the brand is left out, instead of who is on the general do-not-mail.",
    )  # fmt: skip

    class Meta:
        model = Campaign
        fields: ClassVar = TEXTS
        labels: ClassVar = {
            "from_name": "From", "from_email": "From address", "reply_to": "Replies go to", "address": "Postal address",
        }  # fmt: skip
        help_texts: ClassVar = {
            "name": "Only your team sees it.",
            "subject": "Left empty, the content's.",
            "preheader": "Shown behind the subject. Left empty, the content's.",
            "from_name": "A name that readers know.",
            "from_email": "An address of one of your sending domains.",
            "reply_to": "Left empty, the From address.",
            "address": "The law asks for it in every marketing e-mail. Left empty, the account's.",
        }
        widgets: ClassVar = {"language": forms.Select(choices=LANGUAGES)}

    def __init__(self, *args: Any, brands: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[tuple[int | str, str]] = [("", "None"), *brands]
        self.fields["brand_id"].choices = choices  # type: ignore[attr-defined]
        self.fields["brand_id"].initial = self.instance.brand_id
        self.fields["from_name"].required = self.fields["from_email"].required = True

    def clean_from_email(self) -> str:
        email: str = self.cleaned_data["from_email"]
        if email:
            try:
                parse_address(email)
            except AddressError as error:
                raise forms.ValidationError(f"This address cannot be used: {error}.") from error
        return email


class PeopleForm(forms.Form):
    """Lists by id; the page draws the boxes."""

    list_ids = forms.TypedMultipleChoiceField(coerce=int, required=False)
    suppressed_list_ids = forms.TypedMultipleChoiceField(coerce=int, required=False)
    secure_list_ids = forms.TypedMultipleChoiceField(coerce=int, required=False)

    def __init__(
        self, data: Any = None, *, lists: Sequence[tuple[int, str]], secure_lists: Sequence[tuple[int, str]] = ()
    ) -> None:
        super().__init__(data)
        self.fields["secure_list_ids"].choices = secure_lists  # type: ignore[attr-defined]
        for name in ("list_ids", "suppressed_list_ids"):
            self.fields[name].choices = lists  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        both = set(values.get("list_ids") or ()) & set(values.get("suppressed_list_ids") or ())
        if both:
            raise forms.ValidationError(BOTH)
        return values


class ScheduleForm(forms.Form):
    """Now, or a wall-clock time in the account's zone; at most so many messages a minute."""

    when = forms.ChoiceField(
        label="When",
        choices=[("now", "As soon as I press send"), ("at", "At a time I choose")],
        widget=forms.RadioSelect,
    )
    date = forms.DateField(
        label="Day",
        error_messages={"required": "Choose a day, or send it now."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label="Time",
        error_messages={"required": "Choose a time, or send it now."},
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    rate_per_minute = forms.IntegerField(
        label="At most this many a minute", required=False, min_value=1, max_value=RATE_MAX,
        help_text="Left empty, as fast as they take it. A new domain does better with a slow start.",
    )  # fmt: skip

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        for name in ("date", "time"):
            self.fields[name].required = not self.is_bound or self.data.get("when") == "at"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        values["send_at"] = None
        if values.get("when") == "at":
            if not values.get("date") or not values.get("time"):
                return values  # said beside the fields
            values["send_at"] = in_zone(values["date"], values["time"], self.zone)
            if values["send_at"] <= dt.datetime.now(dt.UTC):
                raise forms.ValidationError("That time has passed. Choose a later one, or send it now.")
        return values


def in_zone(date: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Wall clock to UTC; of two equal times in autumn the first. Raises ValidationError for one that spring leaves out."""
    local = dt.datetime.combine(date, time, zone)
    try:
        found = local.astimezone(dt.UTC)
    except OverflowError:  # the first and the last day of the calendar
        raise forms.ValidationError("Choose a day within the next years.") from None
    if found.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise forms.ValidationError("This time does not exist on that day: the clocks go forward. Choose another one.")
    return found


class TestForm(forms.Form):
    """Addresses for a test, and whom it is rendered as."""

    emails = forms.CharField(
        label="To", widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=f"Up to {delivery.TEST_RECIPIENTS_MAX} addresses, apart by commas, spaces or lines.",
    )  # fmt: skip
    as_contact = forms.CharField(
        label="Written as if to", required=False, max_length=320,
        help_text="A contact's address: its fields are filled in. Left empty, your newest contact.",
    )  # fmt: skip

    def clean_emails(self) -> list[str]:
        words = self.cleaned_data["emails"].replace(",", " ").replace(";", " ").split()
        found: dict[str, str] = {}
        for word in words:
            try:
                address = parse_address(word.strip("<>"))
            except AddressError as error:
                raise forms.ValidationError(f"{word[:80]} is no address: {error}.") from error
            found[address.key] = address.email
        if len(found) > delivery.TEST_RECIPIENTS_MAX:
            raise forms.ValidationError(
                f"These are {len(found)}; a test goes to {delivery.TEST_RECIPIENTS_MAX} at most."
            )
        if not found:
            raise forms.ValidationError("Write at least one address.")
        return list(found.values())
