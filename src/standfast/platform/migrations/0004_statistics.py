"""The planner's statistics after one account's rows came in by the thousand; only a table's owner may take them.

Of the account alone: all columns of a wide table take most of a second, and those are autovacuum's.
"""

from django.db import migrations

LEARN = """
CREATE FUNCTION platform_learn(known regclass, account bigint, rows_at_least bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  plan json;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = known AND c.relkind IN ('r', 'p')
                   AND c.relnamespace = 'public'::regnamespace AND c.reltuples < rows_at_least * 50.0) THEN
    RETURN false;
  END IF;
  EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM %s WHERE account_id = %s', known, account) INTO plan;
  IF (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8 * 10 >= rows_at_least THEN
    RETURN false;
  END IF;
  EXECUTE format('ANALYZE %s (account_id)', known);
  RETURN true;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("platform", "0003_idempotency")]
    operations = [migrations.RunSQL(LEARN, "DROP FUNCTION platform_learn")]
