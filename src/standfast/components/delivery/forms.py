"""Forms of the account's sending domains and its way out."""

from __future__ import annotations

from typing import Any

from django import forms

from standfast.components.delivery.domains import DomainRefused, domain_name
from standfast.components.delivery.models import Route, TlsMode
from standfast.components.delivery.relay import (
    CONNECTIONS_MAX,
    FIRST_WAITS,
    LIVES,
    LONGEST_WAITS,
    WAYS,
    faults_of,
    host_of,
    keep_password,
    way_with,
    where_of,
)
from standfast.components.delivery.routes import Way

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class DomainForm(forms.Form):
    """A domain to send from."""

    domain = forms.CharField(
        label="Domain", max_length=255, help_text="What stands after the @ of your From address.",
        widget=forms.TextInput(attrs={"placeholder": "news.example.com", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_domain(self) -> str:
        try:
            return domain_name(self.cleaned_data["domain"])
        except DomainRefused as error:
            raise forms.ValidationError(str(error)) from error


def _said(seconds: int) -> str:
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 else ''}"
    return f"{seconds} seconds"


def _waits(label: str, hint: str, seconds: tuple[int, ...]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, help_text=hint, coerce=int, choices=[(each, _said(each)) for each in seconds]
    )


class RelayForm(forms.ModelForm):
    """The account's way out. The password is asked for again when it would go somewhere else, and never shown."""

    to_inbox = forms.TypedChoiceField(
        label="Where mail goes",
        coerce=lambda text: text == "inbox",
        choices=[
            ("inbox", "Keep it here, in the inbox: nothing leaves this installation"),
            ("relay", "Send it, through a mail server"),
        ],
        widget=forms.RadioSelect,
    )
    host = forms.CharField(
        label="Host", max_length=253, error_messages={"required": "Which mail server shall it go through?"},
        widget=forms.TextInput(attrs={"placeholder": "smtp.example.com", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535)
    tls = forms.ChoiceField(label="Encryption", choices=TlsMode.choices)
    username = forms.CharField(
        label="User", max_length=255, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label="Password", max_length=512, strip=False, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    connections = forms.IntegerField(
        label="Connections at once", min_value=1, max_value=CONNECTIONS_MAX,
        help_text="What the mail server allows; more are faster up to that.",
    )  # fmt: skip
    retry_seconds = _waits("First retry after", "Doubles each time.", FIRST_WAITS)
    retry_seconds_max = _waits("At most every", "The longest wait.", LONGEST_WAITS)
    life_seconds = _waits("Give up after", "Then it counts as bounced.", LIVES)

    class Meta:
        model = Route
        fields = WAYS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["to_inbox"] = "inbox" if self.instance.to_inbox else "relay"
        if self.data.get("to_inbox") == "inbox":
            self.fields["host"].required = False
        self.before = where_of(self.instance)
        if self.instance.password_sealed:
            self.fields["password"].widget.attrs["placeholder"] = "Saved; type to replace it"
        for name in ("retry_seconds", "retry_seconds_max", "life_seconds"):
            self._keep_choice(name)

    def _keep_choice(self, name: str) -> None:
        """A wait that was set elsewhere stays as it is."""
        field: Any = self.fields[name]
        value = getattr(self.instance, name)
        if value not in [choice for choice, _ in field.choices]:
            field.choices = sorted([*field.choices, (value, _said(value))])

    def clean_host(self) -> str:
        try:
            return host_of(self.cleaned_data["host"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for name, text in faults_of(values, before=self.before).items():
            self.add_error(name, text)
        return values

    def way(self) -> Way:
        """The way as it would be when saved; of a valid form."""
        return way_with(self.instance, self.cleaned_data)

    def save(self, commit: bool = True) -> Route:
        values = self.cleaned_data
        keep_password(self.instance, username=values["username"], password=values["password"])
        return super().save(commit)  # type: ignore[no-any-return]
