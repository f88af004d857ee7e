-- name: make-incoming#
-- Rows on their way in; NULL means "not given": it leaves what is there. One per address.
CREATE TEMP TABLE IF NOT EXISTS audience_incoming (
  n integer NOT NULL, email text NOT NULL, email_key text NOT NULL, uid text, first_name text, last_name text, phone text, fax text,
  time_zone text, fields jsonb, tag_ids bigint[]
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS audience_seen (key bigint PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS audience_landed (
  contact_id bigint, email_key text NOT NULL, outcome text NOT NULL, n integer, list_id bigint,
  ours boolean NOT NULL DEFAULT false, repeated boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;

-- name: clear-incoming#
TRUNCATE audience_incoming, audience_landed;

-- name: forget-seen#
CREATE TEMP TABLE IF NOT EXISTS audience_seen (key bigint PRIMARY KEY);
TRUNCATE audience_seen;

-- name: resolve-tags!
-- From numbers of the batch's tags to ids, with those that everybody gets.
UPDATE audience_incoming i SET tag_ids = ARRAY(
  SELECT DISTINCT id FROM unnest(:always::bigint[] || ARRAY(SELECT (:ids::bigint[])[t] FROM unnest(i.tag_ids) t)) id ORDER BY id)
WHERE i.tag_ids IS NOT NULL OR :always::bigint[] <> '{}';

-- name: taken-uids
-- Rows whose own number belongs to somebody else: the unique index on (account_id, uid) would refuse the whole batch.
SELECT i.n FROM audience_incoming i CROSS JOIN LATERAL (
  SELECT c.email_key FROM audience_contact c WHERE c.account_id = :account_id AND c.uid = i.uid LIMIT 1
) c
WHERE c.email_key <> i.email_key
UNION
SELECT n FROM (
  SELECT n, row_number() OVER (PARTITION BY uid ORDER BY n DESC) AS place FROM audience_incoming WHERE uid IS NOT NULL
) twice WHERE place > 1;

-- Every look-up in a large table below is a LATERAL with a LIMIT: one descent of the index a row, never a pass over the account.

-- name: land-known!
-- What becomes of those who are in the account already. Unique index (account_id, email_key).
-- :stamp is the import's own time: who was made by this import (`ours`) may be changed by its later rows (the last row wins).
INSERT INTO audience_landed (contact_id, email_key, n, ours, outcome)
SELECT c.id, i.email_key, i.n, c.created_at = :stamp,
       CASE WHEN NOT :update_known AND c.created_at <> :stamp THEN 'left_out'
            WHEN i.email <> c.email
              OR coalesce(i.uid, c.uid) IS DISTINCT FROM c.uid
              OR coalesce(i.first_name, c.first_name) <> c.first_name OR coalesce(i.last_name, c.last_name) <> c.last_name
              OR coalesce(i.phone, c.phone) <> c.phone OR coalesce(i.fax, c.fax) <> c.fax
              OR coalesce(i.time_zone, c.time_zone) <> c.time_zone
              OR (i.fields IS NOT NULL AND NOT c.fields @> i.fields)
              OR (i.tag_ids IS NOT NULL AND NOT c.tag_ids @> i.tag_ids) THEN 'updated'
            ELSE 'unchanged' END
FROM audience_incoming i CROSS JOIN LATERAL (
  SELECT * FROM audience_contact c WHERE c.account_id = :account_id AND c.email_key = i.email_key LIMIT 1
) c;

-- name: change-known!
-- An INSERT that always conflicts, for its look-up cannot be planned wrongly. Nobody changes people meanwhile: see locking.
INSERT INTO audience_contact AS c (account_id, id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids,
                                   created_at, updated_at)
SELECT :account_id, k.id, i.email, i.email_key, coalesce(i.uid, k.uid), coalesce(i.first_name, k.first_name),
       coalesce(i.last_name, k.last_name), coalesce(i.phone, k.phone), coalesce(i.fax, k.fax), coalesce(i.time_zone, k.time_zone),
       CASE WHEN i.fields IS NULL THEN k.fields ELSE k.fields || i.fields END,
       CASE WHEN i.tag_ids IS NULL OR k.tag_ids @> i.tag_ids THEN k.tag_ids
            ELSE ARRAY(SELECT DISTINCT unnest(k.tag_ids || i.tag_ids)) END,
       k.created_at, :stamp
FROM audience_landed l JOIN audience_incoming i ON i.n = l.n CROSS JOIN LATERAL (
  SELECT * FROM audience_contact c WHERE c.account_id = :account_id AND c.email_key = i.email_key LIMIT 1
) k
WHERE l.outcome = 'updated'
ON CONFLICT (account_id, email_key) DO UPDATE SET
  email = excluded.email, uid = excluded.uid, first_name = excluded.first_name, last_name = excluded.last_name,
  phone = excluded.phone, fax = excluded.fax, time_zone = excluded.time_zone, fields = excluded.fields, tag_ids = excluded.tag_ids,
  updated_at = excluded.updated_at;

-- name: make-new!
-- Everybody else. Without ON CONFLICT, whose arbitration costs a fifth of the insert: other writers wait, see locking.
WITH made AS (
  INSERT INTO audience_contact (account_id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids,
                                created_at, updated_at)
  SELECT :account_id, i.email, i.email_key, i.uid, coalesce(i.first_name, ''), coalesce(i.last_name, ''), coalesce(i.phone, ''),
         coalesce(i.fax, ''), coalesce(i.time_zone, ''), coalesce(i.fields, '{}'), coalesce(i.tag_ids, '{}'), :stamp, :stamp
  FROM audience_incoming i
  WHERE NOT EXISTS (SELECT FROM audience_landed l WHERE l.n = i.n)
  RETURNING id, email_key
)
INSERT INTO audience_landed (contact_id, email_key, outcome) SELECT id, email_key, 'created' FROM made;

-- name: take-values-away!
-- Fields that were given as null go, after the landing. Unique index (account_id, email_key).
UPDATE audience_contact c SET fields = jsonb_strip_nulls(c.fields)
WHERE c.account_id = :account_id AND c.email_key = ANY(:keys::text[]);

-- name: land-absent!
-- The same for a check, or where the options leave new people out.
INSERT INTO audience_landed (email_key, n, outcome)
SELECT i.email_key, i.n, CASE WHEN :create_new THEN 'created' ELSE 'left_out' END
FROM audience_incoming i WHERE NOT EXISTS (SELECT FROM audience_landed l WHERE l.n = i.n);

-- name: note-ours!
-- Whom this import made it has met before.
UPDATE audience_landed SET repeated = true WHERE ours;

-- name: note-seen!
-- Mark the rows of the others whom it has met before, and remember those whom it has not. Whom it makes bears its stamp and needs
-- no remembering, but in a check nobody is made. What is remembered lives no longer than the connection.
WITH fresh AS (
  INSERT INTO audience_seen SELECT hashtextextended(email_key, 0) FROM audience_landed
  WHERE NOT ours AND (:dry OR outcome <> 'created') ON CONFLICT DO NOTHING RETURNING key
)
UPDATE audience_landed l SET repeated = true
WHERE NOT ours AND (:dry OR outcome <> 'created')
  AND NOT EXISTS (SELECT FROM fresh f WHERE f.key = hashtextextended(l.email_key, 0));

-- name: note-skipped!
-- The same for rows that are passed over when a killed import goes on.
INSERT INTO audience_seen SELECT hashtextextended(email_key, 0) FROM audience_incoming ON CONFLICT DO NOTHING;

-- name: join-new!
-- Who is new cannot be on the list yet.
INSERT INTO audience_subscription (account_id, list_id, contact_id, status, since_at)
SELECT :account_id, :list_id, contact_id, 'subscribed', :stamp FROM audience_landed WHERE outcome = 'created';

-- name: join-known
-- Put the others who landed on the list; whoever unsubscribed from it stays so unless :resubscribe. Primary key (account_id,
-- list_id, contact_id). Counts by what became of them.
WITH member AS (
  SELECT l.contact_id, l.repeated, s.status FROM audience_landed l LEFT JOIN LATERAL (
    SELECT s.status FROM audience_subscription s
    WHERE s.account_id = :account_id AND s.list_id = :list_id AND s.contact_id = l.contact_id LIMIT 1
  ) s ON true
  WHERE l.outcome IN ('updated', 'unchanged')
), joined AS (
  INSERT INTO audience_subscription AS s (account_id, list_id, contact_id, status, since_at)
  SELECT :account_id, :list_id, contact_id, 'subscribed', :stamp FROM member
  WHERE NOT :dry AND (status IS NULL OR (:resubscribe AND status = 'unsubscribed'))
  ON CONFLICT (account_id, list_id, contact_id) DO UPDATE SET status = 'subscribed', since_at = excluded.since_at
  RETURNING contact_id
), marked AS (
  UPDATE audience_landed l SET list_id = :list_id FROM joined j WHERE l.contact_id = j.contact_id
)
SELECT count(*) FILTER (WHERE NOT repeated AND (status IS NULL OR (:resubscribe AND status = 'unsubscribed'))) AS subscribed,
       count(*) FILTER (WHERE NOT repeated AND NOT :resubscribe AND status = 'unsubscribed') AS kept_unsubscribed
FROM member;

-- name: count-do-not-mail$
SELECT count(*) FROM audience_landed l CROSS JOIN LATERAL (
  SELECT FROM audience_donotmail d WHERE d.account_id = :account_id AND d.email_key = l.email_key LIMIT 1
) d
WHERE l.outcome <> 'left_out' AND NOT l.repeated;

-- name: log-new!
-- One event per new person, at positions already taken, after :before. Its data is the same for all.
INSERT INTO event (account_id, position, at, kind, contact_id, data)
SELECT :account_id, :before + row_number() OVER (), :at, 'contact_imported', contact_id, :created::jsonb
FROM audience_landed WHERE outcome = 'created';

-- name: log-known!
-- One for each other person in whom something changed.
INSERT INTO event (account_id, position, at, kind, contact_id, data)
SELECT :account_id, :last - row_number() OVER () + 1, :at, 'contact_imported', contact_id,
       jsonb_strip_nulls(jsonb_build_object('import', :import_id::bigint, 'change', outcome, 'list', list_id))
FROM audience_landed WHERE outcome = 'updated' OR (outcome <> 'created' AND list_id IS NOT NULL);

-- name: count-landed
SELECT outcome, count(*) FILTER (WHERE NOT repeated), count(*) FILTER (WHERE repeated),
       count(*) FILTER (WHERE outcome IN ('created', 'updated') OR list_id IS NOT NULL)
FROM audience_landed GROUP BY outcome;
