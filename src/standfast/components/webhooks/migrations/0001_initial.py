"""Endpoints, deliveries, attempts."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0003_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "endpoint_id",
                        "position",
                        "n",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("endpoint_id", models.BigIntegerField()),
                ("position", models.BigIntegerField()),
                ("n", models.SmallIntegerField()),
                ("at", models.DateTimeField()),
                ("status", models.SmallIntegerField(null=True)),
                ("milliseconds", models.IntegerField(null=True)),
                ("detail", models.CharField(max_length=255, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "endpoint_id",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("endpoint_id", models.BigIntegerField()),
                ("position", models.BigIntegerField()),
                ("kind", models.CharField(max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "Waiting"),
                            ("trying", "Being sent"),
                            ("done", "Delivered"),
                            ("failed", "Given up"),
                        ],
                        db_default="due",
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(db_default=0)),
                ("next_at", models.DateTimeField()),
                ("detail", models.CharField(max_length=255, null=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["due", "trying"])),
                        fields=["account_id", "next_at"],
                        name="webhooks_delivery_due",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.CharField(max_length=2000)),
                ("description", models.CharField(blank=True, max_length=255)),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("secret_sealed", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("disabled", "Disabled: it failed for too long, or asked for it"),
                        ],
                        default="active",
                        max_length=8,
                    ),
                ),
                (
                    "from_position",
                    models.BigIntegerField(help_text="It is told what happened after this position of the log."),
                ),
                ("failing_since", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account")),
            ],
        ),
        TenantTable("webhooks_endpoint"),
        TenantTable("webhooks_delivery"),
        TenantTable("webhooks_attempt"),
    ]
