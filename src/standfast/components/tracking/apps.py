from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "standfast.components.tracking"
    label = "tracking"
