"""Ids that programs give to events of theirs, so that the same again is the same event."""

from django.db import migrations, models

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("audience", "0007_brands_and_secure_lists")]
    operations = [
        migrations.CreateModel(
            name="EventKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("key", models.BinaryField(max_length=16)),
                ("at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["account_id", "at"], name="audience_event_key_age")]},
        ),
        TenantTable("audience_eventkey"),
    ]
