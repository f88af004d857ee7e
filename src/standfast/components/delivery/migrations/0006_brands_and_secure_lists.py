"""The judgement of an audience leaves out secure lists, and heeds the do-not-mail of the campaign's brand or the general one."""

import importlib

import django.contrib.postgres.fields
from django.db import migrations, models

BEFORE = importlib.import_module("standfast.components.delivery.migrations.0004_sample").JUDGED
DROP_BEFORE = "DROP FUNCTION delivery_judged(bigint, bigint[], bigint[], bigint, bigint)"
DROP = "DROP FUNCTION delivery_judged(bigint, bigint[], bigint[], bigint[], bigint, bigint, bigint)"

# General do-not-mail is for mail of no brand, a brand's for mail of that brand; a dead address is dead for all. Of secure lists
# hashes alone are known: each person's are looked up in the entries' primary key, last, as it is the dearest. The caller's
# constants are written into the query: without a brand or secure lists nothing of theirs is left in the plan.
JUDGED = """
CREATE FUNCTION delivery_judged(account bigint, lists bigint[], left_out bigint[], secure bigint[], brand bigint,
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
              WHEN b.email_key IS NOT NULL THEN 'brand_do_not_mail:' || b.reason
              WHEN x.contact_id IS NOT NULL THEN 'suppressed_list'
              WHEN cardinality(secure) > 0 AND (
                EXISTS (SELECT FROM audience_secure_list_entry_v e WHERE e.account_id = account
                        AND e.secure_list_id = ANY(secure) AND e.digest = decode(md5(c.email_key), 'hex'))
                OR EXISTS (SELECT FROM audience_secure_list_entry_v e WHERE e.account_id = account
                           AND e.secure_list_id = ANY(secure) AND e.digest = sha256(convert_to(c.email_key, 'UTF8')))
              ) THEN 'secure_list' END
  FROM member m
  JOIN audience_contact_v c ON c.account_id = account AND c.id = m.contact_id
  LEFT JOIN audience_do_not_mail_v d ON d.account_id = account AND d.email_key = c.email_key
    AND (brand IS NULL OR d.reason = 'hard_bounce')
  LEFT JOIN audience_brand_do_not_mail_v b ON b.account_id = account AND b.brand_id = brand AND b.email_key = c.email_key
  LEFT JOIN suppressed x ON x.contact_id = m.contact_id
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0005_streams"), ("audience", "0009_brands_of_mail")]
    operations = [
        migrations.AddField(
            model_name="send",
            name="secure_list_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_default=[],
                default=list,
                help_text="Looked at again when a message is sent.",
                size=None,
            ),
        ),
        migrations.RunSQL(DROP_BEFORE, BEFORE),
        migrations.RunSQL(JUDGED, DROP),
    ]
