from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "standfast.components.webhooks"
    label = "webhooks"
