"""Forms of the account's sending domains and its way out."""

from __future__ import annotations

from typing import Any

from django import forms

from standfast.components.delivery.models import Route, TlsMode
from standfast.components.delivery.routes import PASSWORD, Way
from standfast.platform import config, sealing
from standfast.protocols.address import AddressError, domain_to_ascii, parse_address

CONNECTIONS_MAX = 100
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
FIRST_WAITS = (_MINUTE, 5 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, _HOUR)
LONGEST_WAITS = (_HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 12 * _HOUR)
LIVES = (6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY)


class DomainForm(forms.Form):
    """A domain to send from."""

    domain = forms.CharField(
        label="Domain", max_length=255, help_text="What stands after the @ of your From address.",
        widget=forms.TextInput(attrs={"placeholder": "news.example.com", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_domain(self) -> str:
        text = str(self.cleaned_data["domain"]).strip().lower()
        text = text.removeprefix("https://").removeprefix("http://").rpartition("@")[2].partition("/")[0]
        try:
            return parse_address(f"mail@{text}").domain
        except AddressError as error:
            raise forms.ValidationError(f"This is no domain one could send from: {error.reason}.") from error


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
        fields = (
            "to_inbox", "host", "port", "tls", "username", "connections", "retry_seconds", "retry_seconds_max",
            "life_seconds",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["to_inbox"] = "inbox" if self.instance.to_inbox else "relay"
        if self.data.get("to_inbox") == "inbox":
            self.fields["host"].required = False
        self.before = (self.instance.host, self.instance.port, self.instance.username)
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
        host = str(self.cleaned_data["host"]).strip().strip(".").lower()
        if not host or all(char in "0123456789abcdef:." for char in host):
            return host  # an IP address; where it may be is asked at the connection
        try:
            return domain_to_ascii(host)
        except AddressError as error:
            raise forms.ValidationError("This is no host name.") from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("username") and not values.get("password") and self._goes_elsewhere(values):
            self.add_error("password", "Type the password again: it would go to another server or user.")
        if values.get("retry_seconds", 0) > values.get("retry_seconds_max", _DAY):
            self.add_error("retry_seconds_max", "This is shorter than the first wait.")
        return values

    def _goes_elsewhere(self, values: dict[str, Any]) -> bool:
        return (values.get("host"), values.get("port"), values.get("username")) != self.before

    def way(self) -> Way:
        """The way as it would be when saved; of a valid form."""
        values = self.cleaned_data
        if values["to_inbox"]:
            settings = config.load()
            return Way(settings.host, settings.inbox_port, "none", "", "", values["connections"])
        return Way(
            values["host"], values["port"], values["tls"], values["username"], self._password(), values["connections"]
        )

    def _password(self) -> str:
        if not self.cleaned_data["username"]:
            return ""
        if self.cleaned_data["password"]:
            return str(self.cleaned_data["password"])
        kept = self.instance.password_sealed
        return sealing.unseal(kept, purpose=PASSWORD) if kept else ""

    def save(self, commit: bool = True) -> Route:
        values = self.cleaned_data
        if not values["username"]:
            self.instance.password_sealed = ""
        elif values["password"]:
            self.instance.password_sealed = sealing.seal(values["password"], purpose=PASSWORD)
        return super().save(commit)  # type: ignore[no-any-return]
