from django.apps import AppConfig


class ApplicationConfig(AppConfig):
    name = "standfast.services.application"
    label = "application"
