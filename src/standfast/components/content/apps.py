from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "standfast.components.content"
    label = "content"
