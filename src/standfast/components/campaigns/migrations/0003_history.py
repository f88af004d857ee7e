"""A campaign's page shows its history: the few events that are about campaigns are found without reading the others."""

from django.db import migrations

INDEX = """
CREATE INDEX event_campaign ON event (account_id, ((data->>'campaign_id')::bigint), position)
  WHERE kind = 'campaign_moved';
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_tenancy"), ("platform", "0001_event_log")]
    operations = [migrations.RunSQL(INDEX, "DROP INDEX event_campaign")]
