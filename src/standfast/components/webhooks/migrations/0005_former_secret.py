"""The secret before the present one signs too for a while, so that a program can change it without losing an event."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_attempts_before")]
    operations = [
        migrations.AddField(
            "endpoint",
            "former_secret_sealed",
            models.TextField(blank=True, db_default="", help_text="Signs too, until `former_until`."),
        ),
        migrations.AddField("endpoint", "former_until", models.DateTimeField(null=True)),
    ]
