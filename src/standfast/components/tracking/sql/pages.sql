-- name: page-events
-- A page of every opening or click of a send. How many a recipient has stands in the responses (primary key), so that only
-- the page's recipients are looked up in the log, by the index on contacts.
WITH counted AS (
  SELECT seq, contact_id, n, sum(n) OVER (ORDER BY seq) AS upto
  FROM (
    SELECT seq, contact_id, CASE :kind WHEN 'opened' THEN opens ELSE clicks END AS n
    FROM tracking_response WHERE account_id = :account_id AND send_id = :send_id
  ) r
  WHERE n > 0
), wanted AS MATERIALIZED (
  SELECT seq, contact_id, upto - n AS before FROM counted WHERE upto > :skip AND upto - n < :skip + :take
)
SELECT r.email, w.contact_id, e.at, e.data, c.uid
FROM wanted w
JOIN LATERAL (
  SELECT position, at, data FROM event
  WHERE account_id = :account_id AND contact_id = w.contact_id AND send_id = :send_id AND seq = w.seq AND at >= :since
    AND kind = :kind AND coalesce(data->>'verdict', '') = 'human'
) e ON true
JOIN delivery_recipient_v r ON r.account_id = :account_id AND r.send_id = :send_id AND r.seq = w.seq
LEFT JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = w.contact_id
ORDER BY w.seq, e.position
OFFSET greatest(:skip - coalesce((SELECT min(before) FROM wanted), 0), 0) LIMIT :take;

-- name: page-first
-- A page of the first opening or click of each recipient: responses by primary key, the log by the index on contacts.
SELECT r.email, t.contact_id, coalesce(e.at, t.did_at) AS at, e.data, c.uid
FROM (
  SELECT seq, contact_id, CASE :kind WHEN 'opened' THEN opened_at ELSE clicked_at END AS did_at
  FROM tracking_response
  WHERE account_id = :account_id AND send_id = :send_id
    AND CASE :kind WHEN 'opened' THEN opened_at ELSE clicked_at END IS NOT NULL
  ORDER BY seq OFFSET :skip LIMIT :take
) t
LEFT JOIN LATERAL (
  SELECT at, data FROM event
  WHERE account_id = :account_id AND contact_id = t.contact_id AND send_id = :send_id AND seq = t.seq AND at >= :since
    AND kind IN (:kind, 'clicked') AND coalesce(data->>'verdict', '') = 'human'
  ORDER BY kind <> :kind, position LIMIT 1
) e ON true
JOIN delivery_recipient_v r ON r.account_id = :account_id AND r.send_id = :send_id AND r.seq = t.seq
LEFT JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = t.contact_id
ORDER BY t.seq;

-- name: page-first-links
-- A page of the first click of each recipient on each link.
SELECT r.email, r.contact_id, e.at, e.data, c.uid
FROM (
  SELECT link, seq FROM tracking_linkcontact
  WHERE account_id = :account_id AND send_id = :send_id AND link > 0 AND clicks > 0
  ORDER BY link, seq OFFSET :skip LIMIT :take
) t
JOIN delivery_recipient_v r ON r.account_id = :account_id AND r.send_id = :send_id AND r.seq = t.seq
JOIN LATERAL (
  SELECT at, data FROM event
  WHERE account_id = :account_id AND contact_id = r.contact_id AND send_id = :send_id AND seq = t.seq AND at >= :since
    AND kind = 'clicked' AND data->>'link' = t.link::text AND coalesce(data->>'verdict', '') = 'human'
  ORDER BY position LIMIT 1
) e ON true
LEFT JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = r.contact_id
ORDER BY t.link, t.seq;

-- name: page-bounces
-- A page of bounces, one a recipient; few beside the recipients.
SELECT r.email, t.contact_id, coalesce(e.at, t.bounced_at) AS at, e.data, c.uid
FROM tracking_response t
LEFT JOIN LATERAL (
  SELECT at, data FROM event
  WHERE account_id = :account_id AND contact_id = t.contact_id AND send_id = :send_id AND seq = t.seq AND at >= :since
    AND kind = 'bounced'
  ORDER BY position LIMIT 1
) e ON true
JOIN delivery_recipient_v r ON r.account_id = :account_id AND r.send_id = :send_id AND r.seq = t.seq
LEFT JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = t.contact_id
WHERE t.account_id = :account_id AND t.send_id = :send_id AND t.bounced_at IS NOT NULL
  AND (:hard::boolean IS NULL OR coalesce(e.data->>'hard', '') = CASE WHEN :hard THEN 'true' ELSE 'false' END)
ORDER BY t.seq OFFSET :skip LIMIT :take;
