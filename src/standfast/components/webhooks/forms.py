"""Forms of webhooks: an endpoint's address and what it is told, and a span of the log to tell again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from standfast.components.webhooks.endpoints_of import AGAIN_MAX, EndpointInvalid, checked_url
from standfast.components.webhooks.kinds import SUBJECTS, TYPES, type_of
from standfast.components.webhooks.models import Endpoint

POSITION_MAX = 2**63 - 1


class NewSecretForm(forms.Form):
    at_once = forms.BooleanField(
        label="End the present one at once", required=False, help_text="For when somebody has seen it."
    )


class EndpointForm(forms.Form):
    """`kinds_chosen` is empty for everything."""

    url = forms.CharField(
        label="Address", max_length=2000, help_text="Events are posted to it as JSON. Begin with https://.",
        widget=forms.URLInput(attrs={"placeholder": "https://shop.example/hooks", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    description = forms.CharField(
        label="What it is for", max_length=255, required=False, help_text="Only your team sees it."
    )
    which = forms.ChoiceField(
        label="Events", widget=forms.RadioSelect,
        choices=[("everything", "Everything, also kinds that come later"), ("chosen", "Only what I choose")],
    )  # fmt: skip
    kinds = forms.MultipleChoiceField(
        label="Which", required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    )

    def __init__(self, data: Any = None, *, endpoint: Endpoint | None = None) -> None:
        kept = list(endpoint.kinds) if endpoint else []
        initial = {"which": "chosen" if kept else "everything", "kinds": kept}
        if endpoint:
            initial |= {"url": endpoint.url, "description": endpoint.description}
        super().__init__(data, initial=initial)
        self.own = [kind for kind in kept if kind not in TYPES]
        self.fields["kinds"].choices = [(kind, type_of(kind)) for kind in [*TYPES, *self.own]]  # type: ignore[attr-defined]

    @property
    def groups(self) -> list[tuple[str, list[tuple[Any, str]]]]:
        """(subject, its boxes with what each says in words), as the page shows them."""
        boxes = {box.data["value"]: box for box in self["kinds"]}
        shown = [(title, [(boxes[kind], label) for kind, label in kinds.items()]) for title, kinds in SUBJECTS]
        return [*shown, ("Your own", [(boxes[kind], type_of(kind)) for kind in self.own])] if self.own else shown

    def clean_url(self) -> str:
        try:
            return checked_url(self.cleaned_data["url"])
        except EndpointInvalid as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("which") == "chosen" and not values.get("kinds") and "kinds" not in self.errors:
            self.add_error("kinds", "Choose at least one event, or everything.")
        return values

    @property
    def kinds_chosen(self) -> Iterable[str]:
        """As `create_endpoint` takes them."""
        if self.cleaned_data["which"] == "everything":
            return []
        return [type_of(kind) for kind in self.cleaned_data["kinds"]]


class AgainForm(forms.Form):
    """From which to which number of the log."""

    first = forms.IntegerField(label="From number", min_value=1, max_value=POSITION_MAX)
    last = forms.IntegerField(label="To number", min_value=1, max_value=POSITION_MAX)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        first, last = values.get("first"), values.get("last")
        if first is not None and last is not None:
            if last < first:
                self.add_error("last", "This is before the first number.")
            elif last - first >= AGAIN_MAX:
                self.add_error("last", f"At most {AGAIN_MAX:,} numbers at a time.".replace(",", "\u00a0"))
        return values
