"""Answers kept under the keys that programs gave them: the same key again gets the same answer, and nothing happens twice."""

from django.db import migrations

from standfast.platform.tenancy import TenantTable

TABLE = """
CREATE TABLE idempotent_answer (
  account_id bigint NOT NULL,
  key_hash   bytea NOT NULL,
  request    bytea NOT NULL,
  status     smallint,
  headers    jsonb,
  body       bytea,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, key_hash)
);
CREATE INDEX idempotent_answer_age ON idempotent_answer (account_id, created_at);
"""


class Migration(migrations.Migration):
    dependencies = [("platform", "0002_heartbeat")]
    operations = [migrations.RunSQL(TABLE, "DROP TABLE idempotent_answer"), TenantTable("idempotent_answer")]
