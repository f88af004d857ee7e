"""Forms of the content pages."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from standfast.components.content.models import Content
from standfast.components.content.writing import SOURCE_CHARS_MAX


class ContentForm(forms.ModelForm):
    """A content. `seen` is the `updated_at` of what the writer began with: a save over somebody else's is noticed by it."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Content
        fields: ClassVar = ["name", "subject", "preheader", "source_kind", "source", "text_source", "inline_css"]
        labels: ClassVar = {
            "source": "Source",
            "source_kind": "Written in",
            "text_source": "Plain text",
            "inline_css": "Write styles into the elements",
        }
        help_texts: ClassVar = {
            "name": "Only your team sees it.",
            "subject": "A campaign may have its own.",
            "preheader": "Shown behind the subject in many inboxes.",
            "text_source": "For readers without HTML. Left empty, it is made from the HTML.",
            "inline_css": "Some mail programs ignore style sheets.",
        }
        widgets: ClassVar = {"text_source": forms.Textarea(attrs={"rows": 12, "spellcheck": "true"})}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name in ("source", "text_source"):
            self.fields[name].max_length = SOURCE_CHARS_MAX  # type: ignore[attr-defined]
            self.fields[name].strip = False  # type: ignore[attr-defined]

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"]
        if len(source) > SOURCE_CHARS_MAX:
            raise forms.ValidationError(
                f"The source has {len(source):,} characters; {SOURCE_CHARS_MAX:,} are the most. Mail programs cut off far earlier."
            )
        return source
