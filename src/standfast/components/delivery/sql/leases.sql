-- name: sends-with-work
-- Which sends have something to lease now, over all accounts: no lock, a hint where to look. Index delivery_send_state;
-- the second part reads the small partial index delivery_recipient_due.
SELECT s.account_id, s.id, s.kind = 'stream' AS is_stream
FROM delivery_send s
WHERE s.state = 'ready'
  AND (s.next_lease_at IS NULL OR s.next_lease_at <= :now OR s.next_lease_at > :now + interval '2 minutes')
  AND (s.next_seq <= s.total
       OR EXISTS (SELECT FROM delivery_recipient r
                  WHERE r.account_id = s.account_id AND r.send_id = s.id AND r.status = 2 AND r.next_attempt_at <= :now))
ORDER BY s.kind = 'stream' DESC, s.id;

-- name: lease-range^
-- Move the send's cursor and write down who holds the range, in one statement: one row updated per range, not per message.
-- A limited send never waits longer than a minute for its next range: what is later than that was written by a clock that has
-- jumped back since.
WITH claimed AS (
  SELECT id, next_seq, total FROM delivery_send
  WHERE account_id = :account_id AND id = :send_id AND state = 'ready' AND next_seq <= total
    AND (next_lease_at IS NULL OR next_lease_at <= :now OR next_lease_at > :now + interval '2 minutes')
  FOR UPDATE SKIP LOCKED
), moved AS (
  UPDATE delivery_send s
  SET next_seq = least(c.next_seq + :size, c.total + 1),
      next_lease_at = CASE WHEN s.rate_per_minute IS NULL THEN s.next_lease_at
        ELSE least(greatest(coalesce(s.next_lease_at, :now), :now - interval '1 second'), :now)
             + (least(:size, c.total + 1 - c.next_seq) * 60.0 / s.rate_per_minute) * interval '1 second' END
  FROM claimed c
  WHERE s.account_id = :account_id AND s.id = c.id
  RETURNING c.next_seq AS lo, s.next_seq - 1 AS hi
)
INSERT INTO delivery_lease (account_id, send_id, lo, hi, node, journal, leased_at, expires_at)
SELECT :account_id, :send_id, lo, hi, :node, :journal, :now, :expires_at FROM moved
RETURNING id, lo, hi, seqs;

-- name: lease-due^
-- Row leases for what is to be tried again: marked pending and written into the lease in the same statement. An array and no
-- join: of a fresh send the statistics know nothing, and a join would read all of its rows for each of these.
WITH open_send AS (
  SELECT id FROM delivery_send WHERE account_id = :account_id AND id = :send_id AND state = 'ready'
), due AS (
  SELECT r.seq FROM delivery_recipient r
  WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.status = 2 AND r.next_attempt_at <= :now
    AND EXISTS (SELECT FROM open_send)
  ORDER BY r.next_attempt_at LIMIT :size
  FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE delivery_recipient r SET status = 0, next_attempt_at = NULL
  WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.seq = ANY(ARRAY(SELECT seq FROM due))
  RETURNING r.seq
)
INSERT INTO delivery_lease (account_id, send_id, seqs, node, journal, leased_at, expires_at)
SELECT :account_id, :send_id, array_agg(seq ORDER BY seq), :node, :journal, :now, :expires_at FROM taken
HAVING count(*) > 0
RETURNING id, lo, hi, seqs;

-- name: leased-recipients
-- The leased messages with what their people are like now: who was deleted, put on do-not-mail (the general, or that of the
-- mail's brand) or on a secure list since the freeze is told apart, by the rules of delivery_judged. A send without brand and
-- secure lists pays one look into the small index of branded mail a message.
-- What another lease names one by one is that lease's: a message for later lies within a stream's range and is leased alone when
-- its time comes, which may be before the range is read. Of two such leases the later one holds it.
-- Every look is one of its own into a primary key, never a join: OFFSET 0 and the inner SELECTs forbid it, as the planner would
-- read an account's whole do-not-mail for each lease. The lease's numbers are an array: a range with a choice before it is no
-- condition for an index once the statement is planned for any values.
WITH whole AS (
  SELECT s.secure_list_ids, m.brand_id FROM delivery_send s
  LEFT JOIN audience_branded_mail_v m ON m.account_id = :account_id AND m.send_id = s.id AND m.seq = 0
  WHERE s.account_id = :account_id AND s.id = :send_id
), leased AS MATERIALIZED (
  SELECT r.seq, r.contact_id, r.email, r.attempts,
         coalesce((SELECT w.brand_id FROM whole w),
                  (SELECT m.brand_id FROM audience_branded_mail_v m
                   WHERE m.account_id = :account_id AND m.send_id = :send_id AND m.seq = r.seq)) AS brand_id
  FROM delivery_recipient r
  WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.status = 0
    AND r.seq = ANY(:seqs::int[])
    AND NOT r.seq = ANY(ARRAY(SELECT unnest(o.seqs) FROM delivery_lease o
                              WHERE o.account_id = :account_id AND o.send_id = :send_id AND o.id <> :lease_id
                                AND (:is_range OR o.id > :lease_id)))
)
SELECT r.seq, r.contact_id, r.email, r.attempts, (c.email_key IS NOT NULL OR r.contact_id = 0) AS exists,
       (SELECT d.reason FROM audience_do_not_mail_v d
        WHERE d.account_id = :account_id AND d.email_key = c.email_key
          AND (r.brand_id IS NULL OR d.reason = 'hard_bounce')) AS do_not_mail,
       CASE WHEN r.brand_id IS NOT NULL THEN (
         SELECT b.reason FROM audience_brand_do_not_mail_v b
         WHERE b.account_id = :account_id AND b.brand_id = r.brand_id AND b.email_key = c.email_key
       ) END AS brand_do_not_mail,
       CASE WHEN cardinality((SELECT w.secure_list_ids FROM whole w)) > 0 THEN EXISTS (
         SELECT FROM audience_secure_list_entry_v e
         WHERE e.account_id = :account_id AND e.secure_list_id = ANY((SELECT w.secure_list_ids FROM whole w)::bigint[])
           AND e.digest IN (decode(md5(c.email_key), 'hex'), sha256(convert_to(c.email_key, 'UTF8')))
       ) ELSE false END AS on_secure_list,
       c.first_name, c.last_name, c.phone, c.fax, c.uid, c.time_zone, c.fields, c.created_at, c.updated_at
FROM leased r
LEFT JOIN LATERAL (
  SELECT p.email_key, p.first_name, p.last_name, p.phone, p.fax, p.uid, p.time_zone, p.fields, p.created_at, p.updated_at
  FROM audience_contact_v p WHERE p.account_id = :account_id AND p.id = r.contact_id OFFSET 0
) c ON true
ORDER BY r.seq;

-- name: extend-lease!
UPDATE delivery_lease SET expires_at = :expires_at WHERE account_id = :account_id AND id = :lease_id;

-- name: end-lease!
DELETE FROM delivery_lease WHERE account_id = :account_id AND id = :lease_id;

-- name: return-unattempted!
-- What a lease did not attempt is due again at once. Rows with an outcome are no longer pending and stay as they are.
UPDATE delivery_recipient SET status = 2, next_attempt_at = :now
WHERE account_id = :account_id AND send_id = :send_id AND status = 0 AND seq = ANY(:seqs);

-- name: all-leases
-- Leases for the recovery to look at, a few a worker.
-- over accounts: those of a dead worker may be anybody's
SELECT account_id, id, send_id, lo, hi, seqs, node, journal, expires_at FROM delivery_lease ORDER BY account_id, id;

-- name: lock-lease^
SELECT id FROM delivery_lease WHERE account_id = :account_id AND id = :lease_id FOR UPDATE SKIP LOCKED;

-- name: pending-of-lease
-- Without what another lease names one by one (see leased-recipients).
SELECT r.seq, r.attempts FROM delivery_recipient r
WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.status = 0
  AND r.seq = ANY(:seqs::int[])
  AND NOT r.seq = ANY(ARRAY(SELECT unnest(o.seqs) FROM delivery_lease o
                            WHERE o.account_id = :account_id AND o.send_id = :send_id AND o.id <> :lease_id
                              AND (:is_range OR o.id > :lease_id)))
ORDER BY r.seq;
