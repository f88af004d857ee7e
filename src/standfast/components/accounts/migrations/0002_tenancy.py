"""Memberships and invitations: an account sees its own, a person sees theirs."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("platform", "0001_event_log")]
    operations = [
        TenantTable("accounts_membership", also="user_id = nullif(current_setting('app.user_id', true), '')::bigint"),
        TenantTable("accounts_invitation"),
    ]
