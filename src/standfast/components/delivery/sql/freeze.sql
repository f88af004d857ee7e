-- name: freeze
-- The audience, decided once: everybody on the chosen lists, judged with one reason each (function delivery_judged, which a
-- migration makes); who has none becomes a row. Primary keys of subscription and contact; do-not-mail, the general or a
-- brand's, and secure lists by theirs. 1 M people take some seconds.
WITH judged AS (
  SELECT contact_id, email, reason
  FROM delivery_judged(:account_id, :list_ids, :suppressed_list_ids, :secure_list_ids, :brand_id)
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
SELECT reason, count(*)
FROM delivery_judged(:account_id, :list_ids, :suppressed_list_ids, :secure_list_ids, :brand_id) GROUP BY 1;

-- name: extent-of-lists
-- The lowest and highest contact on some lists, each an end of the primary key, and how many subscriptions up to a limit.
SELECT min(e.first), max(e.last),
       (SELECT count(*) FROM (SELECT 1 FROM audience_subscription_v
                              WHERE account_id = :account_id AND list_id = ANY(:list_ids) LIMIT :most) x)
FROM unnest(:list_ids::bigint[]) AS l(id)
CROSS JOIN LATERAL (SELECT min(s.contact_id) AS first, max(s.contact_id) AS last FROM audience_subscription_v s
                    WHERE s.account_id = :account_id AND s.list_id = l.id) e;

-- name: sample-audience
-- The judgement of strips of contacts, `width` numbers from every `step`th on; primary keys throughout.
SELECT j.reason, count(*)
FROM generate_series(:first::bigint, :last::bigint, :step::bigint) AS strip(lowest)
CROSS JOIN LATERAL (
  SELECT reason FROM delivery_judged(:account_id, :list_ids, :suppressed_list_ids, :secure_list_ids, :brand_id,
                                     strip.lowest, strip.lowest + :width)
) j
GROUP BY 1;
