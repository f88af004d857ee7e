"""Tables, where their rows lie, the rows, and what rows are found by."""

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
            name="IndexEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "store_id", "entry", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("store_id", models.BigIntegerField()),
                ("entry", models.BinaryField(max_length=28)),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Row",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "store_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("store_id", models.BigIntegerField()),
                ("number", models.BigIntegerField()),
                ("data", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Store",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ended_at", models.DateTimeField(null=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account")),
            ],
        ),
        migrations.CreateModel(
            name="Table",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64)),
                ("columns", models.JSONField(help_text="See columns.Column.")),
                ("next_column", models.IntegerField(default=1)),
                (
                    "next_auto",
                    models.BigIntegerField(default=1, help_text="What a column that counts by itself gets next."),
                ),
                ("last_row", models.BigIntegerField(default=0, help_text="The number of the row that came last.")),
                ("row_count", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account")),
                ("store", models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="tables.store")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "name"), name="one_table_name")],
            },
        ),
        TenantTable("tables_store"),
        TenantTable("tables_table"),
        TenantTable("tables_row"),
        TenantTable("tables_indexentry"),
    ]
