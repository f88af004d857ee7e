"""Room for the names of programs' own events: custom_ and sixty characters."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_log")]
    operations = [
        migrations.AlterField(model_name="delivery", name="kind", field=models.CharField(max_length=80)),
        migrations.AlterField(
            model_name="endpoint",
            name="kinds",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=80), blank=True, default=list, size=None
            ),
        ),
    ]
