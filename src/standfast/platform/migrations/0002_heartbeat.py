"""When each kind of worker last finished a step: what the health endpoints read. One row a kind, whoever wrote last."""

from django.db import migrations

TABLE = """
CREATE TABLE heartbeat (
  name   text PRIMARY KEY,
  at     timestamptz NOT NULL,
  detail jsonb NOT NULL
) WITH (fillfactor = 50);  -- every write is an update in place
"""


class Migration(migrations.Migration):
    dependencies = [("platform", "0001_event_log")]
    operations = [migrations.RunSQL(TABLE, "DROP TABLE heartbeat")]
