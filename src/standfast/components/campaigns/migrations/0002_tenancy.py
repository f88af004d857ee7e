"""Tenancy."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("platform", "0001_event_log")]
    operations = [
        TenantTable("campaigns_campaign"),
        TenantTable("campaigns_hold"),
    ]
