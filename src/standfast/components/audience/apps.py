from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "standfast.components.audience"
    label = "audience"
