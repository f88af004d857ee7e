-- name: contacts-of-ids
SELECT id FROM audience_contact WHERE account_id = :account_id AND id = ANY(:ids::bigint[]);

-- name: contacts-of-uids
-- Partial unique index (account_id, uid).
SELECT uid, id FROM audience_contact WHERE account_id = :account_id AND uid = ANY(:uids::text[]);

-- name: take-event-keys
-- Ids of events that are new, or were forgotten by now; in their order, so that two batches with the same ids wait for each other
-- instead of locking each other out. Primary key (account_id, key).
INSERT INTO audience_eventkey AS k (account_id, key, at)
SELECT :account_id, decode(given, 'hex'), :now FROM unnest(string_to_array(:keys, ',')) AS given ORDER BY given
ON CONFLICT (account_id, key) DO UPDATE SET at = excluded.at WHERE k.at < :before
RETURNING key;

-- name: events-after
-- The account's log from a position on. Primary key (account_id, position, at) of each partition.
SELECT position, kind, at, contact_id, send_id, seq, data FROM event
WHERE account_id = :account_id AND position > :after ORDER BY position LIMIT :most;
