"""The form of a transactional campaign: what its messages have when they say nothing themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from standfast.components.content.api import LANGUAGES, Content
from standfast.components.transactional.models import TransactionalCampaign
from standfast.components.transactional.submitting import Refused, check_senders
from standfast.protocols.address import AddressError, parse_address


class CampaignForm(forms.ModelForm):
    """Everything but the name may be left to the messages."""

    class Meta:
        model = TransactionalCampaign
        fields: ClassVar = [
            "name", "subject", "preheader", "from_name", "from_email", "reply_to", "content", "address", "language",
        ]  # fmt: skip
        labels: ClassVar = {
            "from_name": "From", "from_email": "From address", "reply_to": "Replies go to", "address": "Postal address",
        }  # fmt: skip
        help_texts: ClassVar = {
            "name": "SMTP programs name it in X-CampaignName: a name that is new there makes another campaign.",
            "subject": "Left empty, the content's.",
            "preheader": "Shown behind the subject. Left empty, the content's.",
            "from_name": "A name that readers know.",
            "from_email": "An address of one of your sending domains.",
            "reply_to": "Left empty, the From address.",
            "content": "Liquid in it reads a message's tags as {{ tag.order }}.",
            "address": "Left empty, the account's.",
        }
        widgets: ClassVar = {"language": forms.Select(choices=LANGUAGES)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        content: Any = self.fields["content"]
        content.queryset = Content.objects.filter(account_id=self.instance.account_id).only("name").order_by("name")
        content.required = False
        content.empty_label = "None: each message brings its own"
        language = self.instance.language
        if language not in dict(LANGUAGES):  # one that a program gave stays
            self.fields["language"].widget.choices = [*LANGUAGES, (language, language)]

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name:
            raise forms.ValidationError("It needs a name.")
        return name

    def clean_from_email(self) -> str:
        email: str = self.cleaned_data["from_email"]
        if email:
            try:
                check_senders(self.instance.account_id, [email])
            except Refused as refused:
                raise forms.ValidationError(refused.text) from refused
        return email

    def clean_reply_to(self) -> str:
        email: str = self.cleaned_data["reply_to"]
        if email:
            try:
                parse_address(email)
            except AddressError as error:
                raise forms.ValidationError(f"This address cannot be used: {error}.") from error
        return email
