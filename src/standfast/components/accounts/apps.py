from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "standfast.components.accounts"
    label = "accounts"
