"""Streams: sends that never end, whose messages programs hand in one by one."""

import django.db.models.deletion
from django.db import migrations, models

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_api_keys"),
        ("delivery", "0004_sample"),
    ]

    operations = [
        migrations.CreateModel(
            name="StreamSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("sources", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "send_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("send_id", models.BigIntegerField()),
                ("seq", models.IntegerField()),
                ("source_id", models.BigIntegerField(null=True)),
                ("given", models.JSONField()),
                ("raw", models.BinaryField(null=True)),
                ("ignores_do_not_mail", models.BooleanField()),
                ("key", models.CharField(max_length=64, null=True)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="recipient",
            name="delivery_recipient_contact",
        ),
        migrations.AddField(
            model_name="recipient",
            name="occurrence",
            field=models.IntegerField(db_default=0, help_text="0 in bulk, where nobody is twice; in a stream the seq."),
        ),
        migrations.AddField(
            model_name="send",
            name="kind",
            field=models.CharField(
                choices=[("bulk", "Bulk"), ("stream", "Stream")], db_default="bulk", default="bulk", max_length=8
            ),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(
                fields=("account_id", "contact_id", "send_id", "occurrence"), name="delivery_recipient_once"
            ),
        ),
        migrations.AddField(
            model_name="streamsource",
            name="account",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account"),
        ),
        migrations.AddField(
            model_name="streamsource",
            name="send",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="delivery.send"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("key__isnull", False)),
                fields=["account_id", "send_id", "key"],
                name="delivery_submission_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="streamsource",
            constraint=models.UniqueConstraint(fields=("account", "send", "digest"), name="one_stream_source"),
        ),
        TenantTable("delivery_streamsource"),
        TenantTable("delivery_submission"),
    ]
