from django.apps import AppConfig


class TablesConfig(AppConfig):
    name = "standfast.components.tables"
    label = "tables"
