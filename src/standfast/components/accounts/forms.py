"""Forms of people and accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from standfast.components.accounts import time_zones
from standfast.components.accounts.models import Account, Role, User

ADDRESS_HELP = "Street, town and country. The law asks for it in every marketing e-mail."
PASSWORD_HELP = "At least ten characters; a few words together are easy to keep."  # noqa: S105 - a sentence


def _name(label: str = "Your name") -> forms.CharField:
    return forms.CharField(label=label, max_length=255, widget=forms.TextInput(attrs={"autocomplete": "name"}))


def _password(
    label: str = "Password", autocomplete: str = "new-password", hint: str = PASSWORD_HELP
) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=512, widget=widget, help_text=hint)


def _email(label: str = "E-mail address") -> forms.EmailField:
    return forms.EmailField(label=label, max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


def _check_password(form: forms.Form, user: User) -> None:
    """Put what is wrong with the form's password beside its field."""
    if "password" in form.cleaned_data:
        try:
            validate_password(form.cleaned_data["password"], user)
        except ValidationError as error:
            form.add_error("password", error)


class _AccountFields(forms.Form):
    """Name, time zone and postal address of an account."""

    account_name = forms.CharField(
        label="Account", max_length=255, help_text="Your company, shop or club: the name your team knows."
    )
    # The browser's own zone is put in by the page where nothing was chosen.
    time_zone = forms.ChoiceField(
        label="Time zone", choices=time_zones.choices, widget=forms.Select(attrs={"data-time-zone": ""}),
        help_text="For schedules and reports.",
    )  # fmt: skip
    address = forms.CharField(label="Postal address", max_length=255, required=False, help_text=ADDRESS_HELP)


class AccountForm(_AccountFields):
    """A new account of somebody who has a sign-in."""


class AccountSettingsForm(forms.ModelForm):
    """An account's own settings."""

    time_zone = forms.ChoiceField(label="Time zone", choices=time_zones.choices, help_text="For schedules and reports.")

    class Meta:
        model = Account
        fields = ("name", "time_zone", "address")
        labels = {"name": "Name", "address": "Postal address"}
        help_texts = {"address": ADDRESS_HELP}


class WelcomeForm(_AccountFields):
    """The first user and their account."""

    name = _name()
    email = _email()
    password = _password()
    field_order = ("name", "email", "password", "account_name", "time_zone", "address")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        _check_password(self, User(email=values.get("email", ""), name=values.get("name", "")))
        return self.cleaned_data


class JoinForm(forms.Form):
    """An invited person without a sign-in; the address is the invitation's."""

    name = _name()
    password = _password()

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        _check_password(self, User(email=self.email, name=values.get("name", "")))
        return self.cleaned_data


class InviteForm(forms.Form):
    """Somebody to ask into the account."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.MEMBER)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class RoleForm(forms.Form):
    """A member's new role."""

    role = forms.ChoiceField(choices=Role.choices)


class ProfileForm(forms.ModelForm):
    """Who one is. Another address means another way in, so it asks for the password."""

    name = _name("Name")
    email = _email()
    password = _password("Your password", "current-password", "Needed only to change the address.")
    field_order = ("name", "email", "password")

    class Meta:
        model = User
        fields = ("name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].required = False
        self.email_before = self.instance.email

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody else signs in with this address.")
        return email

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        changed = "email" in values and values["email"] != self.email_before.lower()
        if changed and not self.instance.check_password(values.get("password", "")):
            self.add_error("password", "This is not your password.")
        return self.cleaned_data
