"""How Django's forms look: `{{ form }}` and `{{ field.as_field_group }}` come out of our partials."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class HouseRenderer(TemplatesSetting):
    """FORM_RENDERER; needs `django.forms` in INSTALLED_APPS for the widgets' own templates."""

    form_template_name = "partials/form_fields.html"
    field_template_name = "partials/field.html"
