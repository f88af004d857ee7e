"""The judgement of an audience for a part of the account's numbers: a sample of a million people is judged at once."""

import importlib

from django.db import migrations

WHOLE = importlib.import_module("standfast.components.delivery.migrations.0003_judgement").JUDGED
DROP = "DROP FUNCTION delivery_judged(bigint, bigint[], bigint[])"

# The whole is the default. Both sides are cut by number before they meet: a strip of them costs what it holds.
JUDGED = """
CREATE FUNCTION delivery_judged(account bigint, lists bigint[], left_out bigint[],
                                lowest bigint DEFAULT 0, below bigint DEFAULT 9223372036854775807)
RETURNS TABLE (contact_id bigint, email varchar, reason text) LANGUAGE sql STABLE AS $$
  WITH member AS (
    SELECT s.contact_id, bool_or(s.status = 'subscribed') AS subscribed
    FROM audience_subscription_v s
    WHERE s.account_id = account AND s.list_id = ANY(lists) AND s.contact_id >= lowest AND s.contact_id < below
    GROUP BY s.contact_id
  ), suppressed AS (
    SELECT DISTINCT s.contact_id FROM audience_subscription_v s
    WHERE s.account_id = account AND s.list_id = ANY(left_out) AND s.status = 'subscribed'
      AND s.contact_id >= lowest AND s.contact_id < below
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
    dependencies = [("delivery", "0003_judgement")]
    operations = [
        migrations.RunSQL(DROP, WHOLE),
        migrations.RunSQL(JUDGED, "DROP FUNCTION delivery_judged(bigint, bigint[], bigint[], bigint, bigint)"),
    ]
