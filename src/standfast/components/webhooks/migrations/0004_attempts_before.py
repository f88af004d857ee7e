"""How many attempts were made before a delivery was sent again: it is tried as often as at first then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0003_custom_kinds")]
    operations = [
        migrations.AddField(
            "delivery",
            "attempts_before",
            models.SmallIntegerField(db_default=0, help_text="Of those, made before it was last sent again."),
        ),
    ]
