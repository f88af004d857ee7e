"""What lists, tags and fields say through the API; brands with addresses they must not mail; hashed suppression lists."""

import django.db.models.deletion
from django.db import migrations, models

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_api_keys"),
        ("audience", "0006_came"),
    ]

    operations = [
        migrations.CreateModel(
            name="SecureListEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "secure_list_id",
                        "digest",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("secure_list_id", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.AddField(
            model_name="customfield",
            name="default_value",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="customfield",
            name="updated_at",
            field=models.DateTimeField(auto_now=True),
        ),
        migrations.AddField(
            model_name="list",
            name="add_to_unsubscribe_page",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name="list",
            name="address",
            field=models.CharField(
                blank=True, db_default="", help_text="The postal address below mails.", max_length=255
            ),
        ),
        migrations.AddField(
            model_name="list",
            name="complaints",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="list",
            name="display_name",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="list",
            name="from_email",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="list",
            name="from_name",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="list",
            name="hard_bounces",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="list",
            name="language",
            field=models.CharField(blank=True, db_default="en", max_length=32),
        ),
        migrations.AddField(
            model_name="list",
            name="post_url",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="list",
            name="refreshed_at",
            field=models.DateTimeField(help_text="When the counts were taken.", null=True),
        ),
        migrations.AddField(
            model_name="list",
            name="reply_to_email",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="list",
            name="soft_bounces",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="list",
            name="subscribers",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="list",
            name="unsubscribes",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.CreateModel(
            name="BrandDoNotMail",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "brand_id",
                        "email_key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("brand_id", models.BigIntegerField()),
                ("email_key", models.CharField(max_length=320)),
                ("email", models.CharField(max_length=320)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["account_id", "email_key"], name="audience_brand_key")],
            },
        ),
        migrations.CreateModel(
            name="Brand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "name"), name="one_brand_name")],
            },
        ),
        migrations.CreateModel(
            name="SecureList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("description", models.CharField(blank=True, db_default="", max_length=255)),
                ("size", models.BigIntegerField(db_default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "name"), name="one_secure_list_name")],
            },
        ),
        TenantTable("audience_brand"),
        TenantTable("audience_branddonotmail"),
        TenantTable("audience_securelist"),
        TenantTable("audience_securelistentry"),
    ]
