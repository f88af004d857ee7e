"""A transactional campaign may be a brand's."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audience", "0009_brands_of_mail"), ("transactional", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="transactionalcampaign",
            name="brand",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, to="audience.brand"),
        ),
    ]
