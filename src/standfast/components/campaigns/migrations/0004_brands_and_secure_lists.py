"""A campaign may be a brand's, and leave out secure lists."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audience", "0009_brands_of_mail"), ("campaigns", "0003_history")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="brand",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.RESTRICT, to="audience.brand"
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="secure_list_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), blank=True, db_default=[], default=list, size=None
            ),
        ),
    ]
