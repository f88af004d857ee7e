-- name: record-outcomes
-- Outcomes into the ledger, by one join. The attempt number is the fence: an outcome is applied to the attempt it belongs to,
-- once, whoever replays it. The numbers stand there twice: of a fresh send the statistics know nothing, and without the array
-- the planner reads all of its rows at every flush.
UPDATE delivery_recipient r
SET status = o.status, attempts = o.attempt, next_attempt_at = to_timestamp(o.next_attempt_at), updated_at = to_timestamp(o.at),
    code = o.code, reply = o.reply
FROM unnest(:seqs::int[], :statuses::smallint[], :attempts::smallint[], :next_attempts::float8[], :ats::float8[],
            :codes::smallint[], :replies::text[]) AS o(seq, status, attempt, next_attempt_at, at, code, reply)
WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.seq = ANY(:seqs::int[]) AND r.seq = o.seq AND r.attempts = o.attempt - 1 AND r.status = 0
RETURNING r.seq, r.contact_id;

-- name: finish-send!
-- A send that is no stream is finished when its cursor is at the end, nobody holds a part of it and nothing waits for another attempt.
UPDATE delivery_send s SET state = 'finished', finished_at = :now
WHERE s.account_id = :account_id AND s.id = :send_id AND s.kind = 'bulk' AND s.state = 'ready' AND s.next_seq > s.total
  AND NOT EXISTS (SELECT FROM delivery_lease l WHERE l.account_id = :account_id AND l.send_id = :send_id)
  AND NOT EXISTS (SELECT FROM delivery_recipient r
                  WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.status = 2);

-- name: cancel-rest!
-- What a cancelled send leaves open is cancelled, a range of its primary key at a time. Leased rows are returned by their worker
-- first. No join: of a send that is a few seconds old the statistics know nothing, and the planner looped n times over n rows.
UPDATE delivery_recipient r SET status = 5, next_attempt_at = NULL, updated_at = :now
WHERE r.account_id = :account_id AND r.send_id = :send_id AND r.seq BETWEEN :from_seq AND :to_seq AND r.status IN (0, 2)
  AND NOT EXISTS (SELECT FROM delivery_lease l WHERE l.account_id = :account_id AND l.send_id = :send_id);

-- name: status-counts
-- The books of one send. Reads the ledger's rows: for the end of a send and for audits, not for pages that refresh.
SELECT status, count(*) FROM delivery_recipient WHERE account_id = :account_id AND send_id = :send_id GROUP BY status;

-- name: resend-uncertain
-- A person decided that uncertain messages shall go again (same Message-ID).
UPDATE delivery_recipient SET status = 2, next_attempt_at = :now
WHERE account_id = :account_id AND send_id = :send_id AND status = 4 RETURNING seq;
