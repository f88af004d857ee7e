-- name: export-delivered
-- Who has it: taken by a server and not sent back later. Primary keys of recipient and response, in their order.
SELECT r.email, r.contact_id, r.updated_at AS at, NULL::jsonb AS data, c.uid
FROM delivery_recipient_v r
LEFT JOIN tracking_response_v t ON t.account_id = r.account_id AND t.send_id = r.send_id AND t.seq = r.seq
LEFT JOIN audience_contact_v c ON c.account_id = r.account_id AND c.id = r.contact_id
WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.status = 1 AND t.bounced_at IS NULL
ORDER BY r.seq;

-- name: export-responses
-- Who unsubscribed or complained, as it stands. Primary keys of response and recipient.
SELECT r.email, r.contact_id, CASE :did WHEN 'unsubscribed' THEN t.unsubscribed_at ELSE t.complained_at END AS at,
       NULL::jsonb AS data, c.uid
FROM tracking_response_v t
JOIN delivery_recipient_v r ON r.account_id = t.account_id AND r.send_id = t.send_id AND r.seq = t.seq
LEFT JOIN audience_contact_v c ON c.account_id = t.account_id AND c.id = t.contact_id
WHERE t.account_id = :account_id AND t.send_id = :send_id
  AND CASE :did WHEN 'unsubscribed' THEN t.unsubscribed_at ELSE t.complained_at END IS NOT NULL
ORDER BY t.seq;

-- name: export-events
-- Every opening or click, from the log in its order: the months before the send are not looked at.
SELECT r.email, e.contact_id, e.at, e.data, c.uid
FROM event e
JOIN delivery_recipient_v r ON r.account_id = e.account_id AND r.send_id = e.send_id AND r.seq = e.seq
LEFT JOIN audience_contact_v c ON c.account_id = e.account_id AND c.id = e.contact_id
WHERE e.account_id = :account_id AND e.send_id = :send_id AND e.at >= :since AND e.contact_id > 0 AND e.kind = :kind
  AND (:machines OR coalesce(e.data->>'verdict', '') = 'human')
ORDER BY e.position;

-- name: export-first-events
-- The same, only the first of each recipient (or, by link, the first of each recipient and link). The sort spills to disk.
SELECT r.email, e.contact_id, e.at, e.data, c.uid
FROM (
  SELECT DISTINCT ON (seq, link) account_id, send_id, seq, contact_id, at, data,
         CASE WHEN :by_link THEN coalesce(data->>'link', '') ELSE '' END AS link
  FROM event
  WHERE account_id = :account_id AND send_id = :send_id AND at >= :since AND contact_id > 0 AND kind = :kind
    AND (:machines OR kind = 'bounced' OR coalesce(data->>'verdict', '') = 'human')
  ORDER BY seq, link, position
) e
JOIN delivery_recipient_v r ON r.account_id = e.account_id AND r.send_id = e.send_id AND r.seq = e.seq
LEFT JOIN audience_contact_v c ON c.account_id = e.account_id AND c.id = e.contact_id
WHERE e.account_id = :account_id AND (:hard::boolean IS NULL OR coalesce(e.data->>'hard', '') = CASE WHEN :hard THEN 'true' ELSE 'false' END)
ORDER BY e.seq;
