-- name: account-events
-- Openings or clicks of the account in a span of time, from the log in its order: other months are not looked at, and with a
-- contact the index on contacts is used. Machines are left out.
SELECT e.send_id, e.contact_id, r.email, c.uid, e.at, e.data
FROM event e
JOIN delivery_recipient_v r ON r.account_id = e.account_id AND r.send_id = e.send_id AND r.seq = e.seq
LEFT JOIN audience_contact_v c ON c.account_id = e.account_id AND c.id = e.contact_id
WHERE e.account_id = :account_id AND e.at >= :since AND e.at < :until AND e.contact_id > 0 AND e.kind = :kind
  AND (:contact_id::bigint IS NULL OR e.contact_id = :contact_id) AND coalesce(e.data->>'verdict', '') = 'human'
ORDER BY e.position OFFSET :skip LIMIT :take;

-- name: account-responses
-- What recipients of the account did first in a span of time: responses by primary key, what the log says of it by the index on
-- contacts.
SELECT t.send_id, t.contact_id, r.email, c.uid, coalesce(e.at, t.did_at) AS at, e.data
FROM (
  SELECT account_id, send_id, seq, contact_id,
         CASE :kind WHEN 'opened' THEN opened_at WHEN 'clicked' THEN clicked_at WHEN 'bounced' THEN bounced_at
                    WHEN 'unsubscribed' THEN unsubscribed_at ELSE complained_at END AS did_at
  FROM tracking_response
  WHERE account_id = :account_id AND (:contact_id::bigint IS NULL OR contact_id = :contact_id)
) t
LEFT JOIN LATERAL (
  SELECT at, data FROM event
  WHERE account_id = :account_id AND contact_id = t.contact_id AND send_id = t.send_id AND seq = t.seq AND kind = :kind
    AND (:kind NOT IN ('opened', 'clicked') OR coalesce(data->>'verdict', '') = 'human')
  ORDER BY position LIMIT 1
) e ON true
JOIN delivery_recipient_v r ON r.account_id = t.account_id AND r.send_id = t.send_id AND r.seq = t.seq
LEFT JOIN audience_contact_v c ON c.account_id = t.account_id AND c.id = t.contact_id
WHERE t.account_id = :account_id AND t.did_at >= :since AND t.did_at < :until
  AND (:hard::boolean IS NULL OR coalesce(e.data->>'hard', '') = CASE WHEN :hard THEN 'true' ELSE 'false' END)
ORDER BY t.send_id, t.seq OFFSET :skip LIMIT :take;

-- name: account-hours$
-- How many in a span of time, from the roll-ups by hour.
SELECT coalesce(sum(value), 0) FROM tracking_sendhour
WHERE account_id = :account_id AND name = :name AND hour_at >= :since AND hour_at < :until;
