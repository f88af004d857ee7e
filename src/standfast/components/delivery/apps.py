from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "standfast.components.delivery"
    label = "delivery"
