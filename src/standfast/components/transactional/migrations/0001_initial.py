"""Transactional campaigns."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0003_api_keys"),
        ("content", "0002_tenancy"),
    ]

    operations = [
        migrations.CreateModel(
            name="TransactionalCampaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("subject", models.CharField(blank=True, max_length=255)),
                ("preheader", models.CharField(blank=True, max_length=255)),
                ("from_name", models.CharField(blank=True, max_length=255)),
                ("from_email", models.CharField(blank=True, max_length=320)),
                ("reply_to", models.CharField(blank=True, max_length=320)),
                ("email_preview_link", models.CharField(blank=True, max_length=255)),
                ("address", models.CharField(blank=True, max_length=255)),
                ("language", models.CharField(default="en", max_length=16)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), default=list, size=None
                    ),
                ),
                ("send_id", models.BigIntegerField(help_text="The stream of its messages.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account")),
                (
                    "content",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, to="content.content"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "name"), name="one_transactional_campaign"),
                    models.UniqueConstraint(fields=("account", "send_id"), name="one_transactional_stream"),
                ],
            },
        ),
        TenantTable("transactional_transactionalcampaign"),
    ]
