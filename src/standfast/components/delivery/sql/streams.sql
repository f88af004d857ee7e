-- name: lock-stream^
-- The end of a stream, held until the commit: who appends next waits for it. Primary key of the small table.
SELECT total FROM delivery_send
WHERE account_id = :account_id AND id = :send_id AND kind = 'stream' AND state IN ('ready', 'paused') FOR UPDATE;

-- name: known-submissions
-- Which of these messages were taken already. Partial index delivery_submission_key.
SELECT s.key, max(s.seq) FROM delivery_submission s
WHERE s.account_id = :account_id AND s.send_id = :send_id AND s.key = ANY(:keys::text[]) AND s.created_at > :since
GROUP BY s.key;

-- name: append-submissions!
-- Ledger rows and what they are made of, and the stream's new end. A message for later waits like one that was deferred.
WITH fresh AS (
  SELECT * FROM unnest(:seqs::int[], :contacts::bigint[], :emails::text[], :dues::timestamptz[], :sources::bigint[],
                       :values::jsonb[], :raws::bytea[], :ignores::boolean[], :keys::text[])
    AS f(seq, contact_id, email, due_at, source_id, given, raw, ignores, key)
), ledger AS (
  INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email, occurrence, status, next_attempt_at)
  SELECT :account_id, :send_id, seq, contact_id, email, seq, CASE WHEN due_at IS NULL THEN 0 ELSE 2 END, due_at FROM fresh
), made AS (
  INSERT INTO delivery_submission (account_id, send_id, seq, source_id, given, raw, ignores_do_not_mail, key, created_at)
  SELECT :account_id, :send_id, seq, source_id, given, raw, ignores, key, :now FROM fresh
)
UPDATE delivery_send SET total = (SELECT max(seq) FROM fresh) WHERE account_id = :account_id AND id = :send_id;

-- name: submissions-of
-- What the leased messages of a stream are made of. Primary key.
SELECT s.seq, s.source_id, s.given, s.raw, s.ignores_do_not_mail FROM delivery_submission s
WHERE s.account_id = :account_id AND s.send_id = :send_id AND s.seq = ANY(:seqs::int[]);

-- name: source-of-stream^
SELECT sources FROM delivery_streamsource WHERE account_id = :account_id AND send_id = :send_id AND id = :source_id;
