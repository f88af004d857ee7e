"""Tenancy, ids, and room on the ledger's pages for the outcomes."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable

IDS = """
CREATE SEQUENCE delivery_lease_id;
ALTER TABLE delivery_lease ALTER id SET DEFAULT nextval('delivery_lease_id');
-- each row is updated once or a few times, soon after it is written: leave room for it on the same page
ALTER TABLE delivery_recipient SET (fillfactor = 60);
"""

VIEWS = """
CREATE VIEW delivery_recipient_v WITH (security_invoker = true) AS
  SELECT account_id, send_id, seq, contact_id, email, status, attempts, next_attempt_at, updated_at, code, reply
  FROM delivery_recipient;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial"), ("platform", "0001_event_log")]
    operations = [
        migrations.RunSQL(IDS, migrations.RunSQL.noop),
        migrations.RunSQL(VIEWS, migrations.RunSQL.noop),
        TenantTable("delivery_route"),
        TenantTable("delivery_sendingdomain"),
        TenantTable("delivery_send"),
        TenantTable("delivery_recipient"),
        TenantTable("delivery_lease"),
    ]
