from django.apps import AppConfig


class TransactionalConfig(AppConfig):
    name = "standfast.components.transactional"
    label = "transactional"
