-- name: enqueue!
-- A row for every event of the span and every endpoint that wants it. Primary key of the log; a span is read once. A test is for
-- the endpoint alone that asked for it, whose row is made with it.
INSERT INTO webhooks_delivery (account_id, endpoint_id, position, kind, next_at)
SELECT :account_id, n.id, e.position, e.kind, :now
FROM event e
JOIN webhooks_endpoint n ON n.account_id = :account_id AND n.state <> 'disabled' AND e.position > n.from_position
  AND (n.kinds = '{}' OR e.kind = ANY(n.kinds))
WHERE e.account_id = :account_id AND e.position > :after AND e.position <= :upto AND e.kind <> 'webhook_test'
ON CONFLICT (account_id, endpoint_id, position) DO NOTHING;

-- name: accounts-due
-- Where there is something to send now, over all accounts: a hint, no lock. Partial index webhooks_delivery_due.
SELECT DISTINCT d.account_id FROM webhooks_delivery d WHERE d.state IN ('due', 'trying') AND d.next_at <= :now;

-- name: take
-- Lease what is due: marked as being tried until `until`, the attempt counted, in one statement.
WITH due AS (
  SELECT d.endpoint_id, d.position FROM webhooks_delivery d
  JOIN webhooks_endpoint n ON n.account_id = :account_id AND n.id = d.endpoint_id AND n.state = 'active'
  WHERE d.account_id = :account_id AND d.state IN ('due', 'trying') AND d.next_at <= :now
  ORDER BY d.next_at, d.position LIMIT :size FOR UPDATE OF d SKIP LOCKED
), taken AS (
  UPDATE webhooks_delivery d SET state = 'trying', attempts = d.attempts + 1, next_at = :until
  FROM due WHERE d.account_id = :account_id AND d.endpoint_id = due.endpoint_id AND d.position = due.position
  RETURNING d.endpoint_id, d.position, d.attempts, d.attempts - d.attempts_before AS tries
), noted AS (
  INSERT INTO webhooks_attempt (account_id, endpoint_id, position, n, at)
  SELECT :account_id, endpoint_id, position, attempts, :now FROM taken
  ON CONFLICT (account_id, endpoint_id, position, n) DO NOTHING
)
SELECT t.endpoint_id, t.position, t.attempts, t.tries, n.url, n.secret_sealed,
  CASE WHEN n.former_until > :now THEN n.former_secret_sealed END AS former_secret_sealed, e.kind, e.at, e.contact_id, e.send_id, e.seq, e.data, c.email
FROM taken t
JOIN webhooks_endpoint n ON n.account_id = :account_id AND n.id = t.endpoint_id
JOIN event e ON e.account_id = :account_id AND e.position = t.position
LEFT JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = e.contact_id;

-- name: note-attempt!
UPDATE webhooks_attempt SET status = :status, milliseconds = :milliseconds, detail = :detail
WHERE account_id = :account_id AND endpoint_id = :endpoint_id AND position = :position AND n = :n;

-- name: settle!
-- The fence is the attempt's number: an attempt that took longer than its lease changes nothing any more.
UPDATE webhooks_delivery SET state = :state, next_at = :next_at, detail = :detail, done_at = :done_at
WHERE account_id = :account_id AND endpoint_id = :endpoint_id AND position = :position AND attempts = :n AND state = 'trying';

-- name: endpoint-failed!
UPDATE webhooks_endpoint SET failing_since = coalesce(failing_since, :now),
  state = CASE WHEN :gone OR failing_since < :long_ago THEN 'disabled' ELSE state END
WHERE account_id = :account_id AND id = :endpoint_id AND state = 'active';

-- name: endpoint-works!
-- Once in a while, not once a delivery.
UPDATE webhooks_endpoint SET failing_since = NULL, worked_at = :now
WHERE account_id = :account_id AND id = :endpoint_id AND (failing_since IS NOT NULL OR worked_at IS NULL OR worked_at < :lately);

-- name: again!
-- Send a part of the log again to an endpoint: what was delivered or given up is due once more, what never was is made.
INSERT INTO webhooks_delivery (account_id, endpoint_id, position, kind, next_at)
SELECT :account_id, n.id, e.position, e.kind, :now
FROM event e JOIN webhooks_endpoint n ON n.account_id = :account_id AND n.id = :endpoint_id AND (n.kinds = '{}' OR e.kind = ANY(n.kinds))
WHERE e.account_id = :account_id AND e.position >= :first AND e.position <= :last
ON CONFLICT (account_id, endpoint_id, position) DO UPDATE SET state = 'due', next_at = excluded.next_at, done_at = NULL,
  attempts_before = webhooks_delivery.attempts;

-- name: deliveries
-- An endpoint's deliveries, of one state or all, the latest first, below a place. Primary key.
SELECT d.endpoint_id, d.position, d.kind, d.state, d.attempts, d.next_at, d.detail, d.done_at FROM webhooks_delivery d
WHERE d.account_id = :account_id AND d.endpoint_id = :endpoint_id AND (:state::text IS NULL OR d.state = :state)
  AND d.position < :below
ORDER BY d.position DESC LIMIT :most;

-- name: accounts-with-old
-- over accounts: where there is something to forget
SELECT DISTINCT d.account_id FROM webhooks_delivery d WHERE d.state IN ('done', 'failed') AND d.done_at < :before;

-- name: accounts-with-old-attempts
-- over accounts: the same for attempts
SELECT DISTINCT t.account_id FROM webhooks_attempt t WHERE t.at < :before;

-- name: forget-old!
DELETE FROM webhooks_delivery d WHERE d.account_id = :account_id AND d.state IN ('done', 'failed') AND d.done_at < :before;

-- name: forget-old-attempts!
DELETE FROM webhooks_attempt t WHERE t.account_id = :account_id AND t.at < :before;
