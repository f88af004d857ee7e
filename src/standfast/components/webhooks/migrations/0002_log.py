"""What the pages of an endpoint need: when it last worked, and its deliveries by state."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial")]
    operations = [
        migrations.AddField(
            "endpoint",
            "worked_at",
            models.DateTimeField(help_text="When it last said 2xx, as exactly as WORKED_EVERY.", null=True),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["account_id", "endpoint_id", "state", "position"], name="webhooks_delivery_log"),
        ),
    ]
