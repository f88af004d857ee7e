-- name: ledger
-- Recipients of a send one by one, in the order of the primary key; the page adds ORDER BY seq and LIMIT, so it reads no more than
-- it shows. A contact is found by its unique key on (account, contact, send); a part of an address by reading on.
SELECT r.seq, r.contact_id, r.email, r.status, r.attempts, r.code, r.reply, r.updated_at, r.next_attempt_at,
       t.opened_at, t.opens, t.clicked_at, t.clicks, t.machine_opened_at, t.machine_clicked_at,
       t.unsubscribed_at, t.complained_at, t.bounced_at
FROM delivery_recipient_v r
LEFT JOIN tracking_response_v t ON t.account_id = r.account_id AND t.send_id = r.send_id AND t.seq = r.seq
WHERE r.account_id = :account_id AND r.send_id = :send_id
  AND (:after::int IS NULL OR r.seq > :after) AND (:before::int IS NULL OR r.seq < :before)
  AND (:statuses::smallint[] IS NULL OR r.status = ANY(:statuses::smallint[]))
  AND (:contact_id::bigint IS NULL OR r.contact_id = :contact_id)
  AND (:part::text IS NULL OR strpos(lower(r.email), :part) > 0)
  AND (NOT :not_bounced OR t.bounced_at IS NULL);

-- name: ledger-of-responses
-- The same for what people did, beginning at their responses, which are fewer than the recipients.
SELECT r.seq, r.contact_id, r.email, r.status, r.attempts, r.code, r.reply, r.updated_at, r.next_attempt_at,
       t.opened_at, t.opens, t.clicked_at, t.clicks, t.machine_opened_at, t.machine_clicked_at,
       t.unsubscribed_at, t.complained_at, t.bounced_at
FROM tracking_response_v t
JOIN delivery_recipient_v r ON r.account_id = t.account_id AND r.send_id = t.send_id AND r.seq = t.seq
WHERE t.account_id = :account_id AND t.send_id = :send_id
  AND (:after::int IS NULL OR t.seq > :after) AND (:before::int IS NULL OR t.seq < :before)
  AND (:statuses::smallint[] IS NULL OR r.status = ANY(:statuses::smallint[]))
  AND (:contact_id::bigint IS NULL OR r.contact_id = :contact_id)
  AND (:part::text IS NULL OR strpos(lower(r.email), :part) > 0)
  AND CASE :did WHEN 'opened' THEN t.opened_at WHEN 'clicked' THEN t.clicked_at WHEN 'bounced' THEN t.bounced_at
                   WHEN 'unsubscribed' THEN t.unsubscribed_at WHEN 'complained' THEN t.complained_at
                   WHEN 'uncertain' THEN t.uncertain_at WHEN 'machines' THEN least(t.machine_opened_at, t.machine_clicked_at)
      END IS NOT NULL;

-- name: contact-of-address
SELECT id FROM audience_contact_v WHERE account_id = :account_id AND email_key = :email_key;

-- name: last-recipient
-- The highest number of a send: the end of its part of the primary key.
SELECT max(seq) FROM delivery_recipient_v WHERE account_id = :account_id AND send_id = :send_id;
