"""The row that a writer of an account's people locks."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("audience", "0004_lean_indexes")]
    operations = [
        migrations.RunSQL("CREATE TABLE audience_writer (account_id bigint PRIMARY KEY)", "DROP TABLE audience_writer"),
        TenantTable("audience_writer"),
    ]
