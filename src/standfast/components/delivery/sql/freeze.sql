-- name: freeze
-- The audience, decided once: everybody on the chosen lists, judged with one reason each; who has none becomes a row.
-- Primary keys of subscription and contact; do-not-mail by its key. 1 M people take some seconds.
WITH member AS (
  SELECT s.contact_id, bool_or(s.status = 'subscribed') AS subscribed
  FROM audience_subscription_v s
  WHERE s.account_id = :account_id AND s.list_id = ANY(:list_ids)
  GROUP BY s.contact_id
), suppressed AS (
  SELECT DISTINCT s.contact_id FROM audience_subscription_v s
  WHERE s.account_id = :account_id AND s.list_id = ANY(:suppressed_list_ids) AND s.status = 'subscribed'
), judged AS (
  SELECT m.contact_id, c.email,
         CASE WHEN NOT m.subscribed THEN 'unsubscribed'
              WHEN d.email_key IS NOT NULL THEN 'do_not_mail:' || d.reason
              WHEN x.contact_id IS NOT NULL THEN 'suppressed_list' END AS reason
  FROM member m
  JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = m.contact_id
  LEFT JOIN audience_do_not_mail_v d ON d.account_id = :account_id AND d.email_key = c.email_key
  LEFT JOIN suppressed x ON x.contact_id = m.contact_id
), frozen AS (
  INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email)
  SELECT :account_id, :send_id, row_number() OVER (ORDER BY contact_id), contact_id, email
  FROM judged WHERE reason IS NULL ORDER BY contact_id
  RETURNING seq
)
SELECT reason, count(*) FROM judged WHERE reason IS NOT NULL GROUP BY reason
UNION ALL
SELECT NULL, count(*) FROM frozen;

-- name: count-audience
-- The same judgement without writing: what the pre-flight shows.
WITH member AS (
  SELECT s.contact_id, bool_or(s.status = 'subscribed') AS subscribed
  FROM audience_subscription_v s
  WHERE s.account_id = :account_id AND s.list_id = ANY(:list_ids)
  GROUP BY s.contact_id
), suppressed AS (
  SELECT DISTINCT s.contact_id FROM audience_subscription_v s
  WHERE s.account_id = :account_id AND s.list_id = ANY(:suppressed_list_ids) AND s.status = 'subscribed'
)
SELECT CASE WHEN NOT m.subscribed THEN 'unsubscribed'
            WHEN d.email_key IS NOT NULL THEN 'do_not_mail:' || d.reason
            WHEN x.contact_id IS NOT NULL THEN 'suppressed_list' END AS reason, count(*)
FROM member m
JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = m.contact_id
LEFT JOIN audience_do_not_mail_v d ON d.account_id = :account_id AND d.email_key = c.email_key
LEFT JOIN suppressed x ON x.contact_id = m.contact_id
GROUP BY 1;
