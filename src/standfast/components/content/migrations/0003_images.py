"""Images that programs hand in."""

from django.db import migrations, models

from standfast.platform.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("content", "0002_tenancy")]
    operations = [
        migrations.CreateModel(
            name="ContentImage",
            fields=[
                ("account_id", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "digest", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=4)),
                ("size", models.IntegerField()),
                ("data", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        TenantTable("content_contentimage"),
    ]
