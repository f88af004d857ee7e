from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "standfast.components.campaigns"
    label = "campaigns"
