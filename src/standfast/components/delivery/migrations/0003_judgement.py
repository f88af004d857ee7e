"""Who of an audience gets mail and who is left out for which reason, once for the freeze and for the count before it."""

from django.db import migrations

# A function, because a view takes no parameters; in plain SQL and STABLE, so that the planner writes it into the query that
# calls it. It runs with the rights of who calls: row-level security holds.
JUDGED = """
CREATE FUNCTION delivery_judged(account bigint, lists bigint[], left_out bigint[])
RETURNS TABLE (contact_id bigint, email varchar, reason text) LANGUAGE sql STABLE AS $$
  WITH member AS (
    SELECT s.contact_id, bool_or(s.status = 'subscribed') AS subscribed
    FROM audience_subscription_v s
    WHERE s.account_id = account AND s.list_id = ANY(lists)
    GROUP BY s.contact_id
  ), suppressed AS (
    SELECT DISTINCT s.contact_id FROM audience_subscription_v s
    WHERE s.account_id = account AND s.list_id = ANY(left_out) AND s.status = 'subscribed'
  )
  SELECT m.contact_id, c.email,
         CASE WHEN NOT m.subscribed THEN 'unsubscribed'
              WHEN d.email_key IS NOT NULL THEN 'do_not_mail:' || d.reason
              WHEN x.contact_id IS NOT NULL THEN 'suppressed_list' END
  FROM member m
  JOIN audience_contact_v c ON c.account_id = account AND c.id = m.contact_id
  LEFT JOIN audience_do_not_mail_v d ON d.account_id = account AND d.email_key = c.email_key
  LEFT JOIN suppressed x ON x.contact_id = m.contact_id
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0002_tenancy"), ("audience", "0005_writer")]
    operations = [migrations.RunSQL(JUDGED, "DROP FUNCTION delivery_judged(bigint, bigint[], bigint[])")]
