"""Forms of people, lists, fields and do-not-mail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms

from standfast.components.audience.models import Brand, Contact, CustomField, FieldType, List, SecureList, Tag
from standfast.components.audience.typed_values import parser_of
from standfast.protocols.address import AddressError, parse_address

PREFIX = "field_"
TEXTS = ("first_name", "last_name", "phone", "fax", "time_zone", "uid")


class ContactForm(forms.Form):
    """A person with the account's custom fields; `values()` gives them typed."""

    email = forms.CharField(label="E-mail address", max_length=320)
    first_name = forms.CharField(required=False, max_length=255)
    last_name = forms.CharField(required=False, max_length=255)
    phone = forms.CharField(required=False, max_length=255)
    fax = forms.CharField(required=False, max_length=255)
    uid = forms.CharField(label="Your own number (UID)", required=False, max_length=255)
    time_zone = forms.CharField(required=False, max_length=64, help_text="Such as Europe/Berlin.")
    tags = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, *args: Any, customs: Sequence[CustomField], tags: Iterable[Tag], lists: Iterable[List] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.customs = list(customs)
        for custom in self.customs:
            self.fields[PREFIX + custom.key] = forms.CharField(
                label=custom.label, required=False, help_text=_HELP.get(custom.field_type, "")
            )
        choices: Any = [(str(tag.pk), tag.name) for tag in tags]
        self.fields["tags"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["tags"]
        places = [(str(place.pk), place.name) for place in lists]
        if places:
            self.fields["lists"] = forms.MultipleChoiceField(
                label="Subscribe to", required=False, choices=places, widget=forms.CheckboxSelectMultiple
            )

    def clean_email(self) -> str:
        try:
            return parse_address(self.cleaned_data["email"]).email
        except AddressError as error:
            raise forms.ValidationError(f"This is no address: {error.reason}.") from error

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"].strip()
        if zone and zone not in available_timezones():
            raise forms.ValidationError("This time zone is unknown. Write it like Europe/Berlin.")
        return zone

    def clean(self) -> dict[str, Any]:
        self.typed: dict[str, Any] = {}
        for custom in self.customs:
            text = (self.cleaned_data.get(PREFIX + custom.key) or "").strip()
            if text:
                try:
                    self.typed[custom.key] = json.loads(parser_of(custom.field_type)(text))
                except ValueError as error:
                    self.add_error(PREFIX + custom.key, f"“{text[:50]}” {error}.")
        return self.cleaned_data

    def tag_ids(self) -> list[int]:
        return [int(tag) for tag in self.cleaned_data.get("tags", ())]

    @staticmethod
    def initial_of(contact: Contact) -> dict[str, Any]:
        shown = {PREFIX + key: _shown(value) for key, value in contact.fields.items()}
        texts = {name: getattr(contact, name) or "" for name in TEXTS}
        return {**texts, **shown, "email": contact.email, "tags": [str(tag) for tag in contact.tag_ids]}


_HELP: dict[str, str] = {
    FieldType.NUMBER: "A number.",
    FieldType.DATE: "A date, such as 2024-12-31.",
    FieldType.DATETIME: "Date and time, such as 2024-12-31 18:30 (UTC).",
    FieldType.BOOLEAN: "Yes or no.",
}


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


class ListForm(forms.ModelForm):
    """The brand is asked for where the account has one."""

    class Meta:
        model = List
        fields: ClassVar = ["name", "description", "brand"]
        help_texts: ClassVar = {
            "description": "Only your team sees it.",
            "brand": "Who unsubscribes from a brand's mail leaves the lists of that brand; from other mail, the lists of none.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.filter(account_id=self.instance.account_id).order_by("name")
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        self.fields["brand"].empty_label = "None"  # type: ignore[attr-defined]
        if not brands.exists():
            del self.fields["brand"]


class BrandForm(forms.Form):
    name = forms.CharField(max_length=255, help_text="As your readers know it; programs name it so in X-BrandName.")

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class SecureListForm(forms.ModelForm):
    class Meta:
        model = SecureList
        fields: ClassVar = ["name", "description"]
        help_texts: ClassVar = {"description": "Only your team sees it."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A new one's default is the database's, which a form would write out as the Python object that stands for it.
        super().__init__(*args, **{"initial": {"description": ""}, **kwargs})


class HashesForm(forms.Form):
    file = forms.FileField()


class FieldForm(forms.ModelForm):
    """A new custom field; its key is made from its label."""

    class Meta:
        model = CustomField
        fields: ClassVar = ["label", "field_type"]
        labels: ClassVar = {"label": "Name", "field_type": "Holds"}


class TagForm(forms.ModelForm):
    class Meta:
        model = Tag
        fields: ClassVar = ["name"]


class DoNotMailForm(forms.Form):
    addresses = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}), max_length=1_000_000, help_text="One on each line."
    )
    detail = forms.CharField(label="Why", required=False, max_length=255, help_text="Only your team sees it.")


class UploadForm(forms.Form):
    file = forms.FileField()
    target_list = forms.ChoiceField(label="Onto the list", required=False)
    new_list = forms.CharField(label="or a new list", required=False, max_length=255)

    def __init__(self, *args: Any, lists: Iterable[List], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target_list"].choices = [  # type: ignore[attr-defined]
            ("", "Choose in the next step"),
            *((str(one.pk), one.name) for one in lists),
        ]
