"""The event log: append-only, by month, keyed by account; who read how far; what each spool has handed over."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable

LOG = """
CREATE TABLE event_head (
  account_id bigint PRIMARY KEY,
  position   bigint NOT NULL
);
CREATE TABLE event (
  account_id bigint NOT NULL,
  position   bigint NOT NULL,
  at         timestamptz NOT NULL,
  kind       text NOT NULL,
  contact_id bigint,
  send_id    bigint,
  seq        integer,
  data       jsonb,
  PRIMARY KEY (account_id, position, at)
) PARTITION BY RANGE (at);
-- a contact's timeline, newest first
CREATE INDEX event_contact ON event (account_id, contact_id, position) WHERE contact_id IS NOT NULL;
CREATE TABLE event_other PARTITION OF event DEFAULT;
-- the policy is the parent's; without one of its own nobody reads a partition round it
ALTER TABLE event_other ENABLE ROW LEVEL SECURITY;
CREATE TABLE event_cursor (
  account_id bigint NOT NULL,
  consumer   text NOT NULL,
  position   bigint NOT NULL,
  PRIMARY KEY (account_id, consumer)
);
CREATE TABLE event_source (
  account_id bigint NOT NULL,
  node       text NOT NULL,
  position   bigint NOT NULL,
  PRIMARY KEY (account_id, node)
);
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(LOG, "DROP TABLE event, event_head, event_cursor, event_source"),
        TenantTable("event"),
        TenantTable("event_head"),
        TenantTable("event_cursor"),
        TenantTable("event_source"),
    ]
