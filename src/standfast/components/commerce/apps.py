from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "standfast.components.commerce"
    label = "commerce"
