"""Tenancy, and room for rows that are updated often."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable

IDS = """
ALTER TABLE tracking_response SET (fillfactor = 70);
ALTER TABLE tracking_sendcounter SET (fillfactor = 50);
ALTER TABLE tracking_sendhour SET (fillfactor = 50);
ALTER TABLE tracking_linkcounter SET (fillfactor = 50);
"""

VIEWS = """
CREATE VIEW tracking_response_v WITH (security_invoker = true) AS
  SELECT account_id, send_id, seq, contact_id, opened_at, machine_opened_at, clicked_at, machine_clicked_at,
         unsubscribed_at, complained_at, bounced_at, opens, clicks
  FROM tracking_response;
"""


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial"), ("platform", "0001_event_log")]
    operations = [
        migrations.RunSQL(IDS, migrations.RunSQL.noop),
        migrations.RunSQL(VIEWS, migrations.RunSQL.noop),
        TenantTable("tracking_response"),
        TenantTable("tracking_sendcounter"),
        TenantTable("tracking_sendhour"),
        TenantTable("tracking_linkcounter"),
        TenantTable("tracking_linkcontact"),
    ]
