-- name: freeze
-- The audience, decided once: everybody on the chosen lists, judged with one reason each (function delivery_judged, which a
-- migration makes); who has none becomes a row. Primary keys of subscription and contact; do-not-mail by its key. 1 M people
-- take some seconds.
WITH judged AS (
  SELECT contact_id, email, reason FROM delivery_judged(:account_id, :list_ids, :suppressed_list_ids)
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
SELECT reason, count(*) FROM delivery_judged(:account_id, :list_ids, :suppressed_list_ids) GROUP BY 1;
