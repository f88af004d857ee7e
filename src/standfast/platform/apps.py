from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "standfast.platform"
    label = "platform"
