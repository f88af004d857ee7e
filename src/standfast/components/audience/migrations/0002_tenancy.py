"""Tenancy, ids and the views that other components may read."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable

IDS = """
CREATE SEQUENCE audience_contact_id;
ALTER TABLE audience_contact ALTER id SET DEFAULT nextval('audience_contact_id');
-- updates of a contact stay on their page, so that indexes are not touched
ALTER TABLE audience_contact SET (fillfactor = 85);
ALTER TABLE audience_contactsummary SET (fillfactor = 70);
CREATE INDEX audience_contact_newest ON audience_contact (account_id, id DESC);
"""

VIEWS = """
CREATE VIEW audience_contact_v WITH (security_invoker = true) AS
  SELECT account_id, id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, created_at, updated_at
  FROM audience_contact;
CREATE VIEW audience_subscription_v WITH (security_invoker = true) AS
  SELECT account_id, list_id, contact_id, status FROM audience_subscription;
CREATE VIEW audience_do_not_mail_v WITH (security_invoker = true) AS
  SELECT account_id, email_key, reason FROM audience_donotmail;
"""


class Migration(migrations.Migration):
    dependencies = [("audience", "0001_initial"), ("platform", "0001_event_log")]
    operations = [
        migrations.RunSQL(IDS, migrations.RunSQL.noop),
        migrations.RunSQL(VIEWS, migrations.RunSQL.noop),
        TenantTable("audience_customfield"),
        TenantTable("audience_tag"),
        TenantTable("audience_list"),
        TenantTable("audience_contact"),
        TenantTable("audience_subscription"),
        TenantTable("audience_donotmail"),
        TenantTable("audience_contactsummary"),
        TenantTable("audience_import"),
    ]
