-- name: make-incoming#
-- Rows on their way in; NULL means "not given": it leaves what is there. One per address.
CREATE TEMP TABLE IF NOT EXISTS audience_incoming (
  n integer NOT NULL, email text NOT NULL, email_key text NOT NULL, uid text, first_name text, last_name text, phone text, fax text,
  time_zone text, fields jsonb, tag_ids bigint[]
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS audience_seen (key bigint PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS audience_landed (
  n integer NOT NULL, contact_id bigint, email_key text NOT NULL, outcome text NOT NULL, list_id bigint,
  repeated boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;

-- name: clear-incoming#
TRUNCATE audience_incoming, audience_landed;

-- name: forget-seen#
CREATE TEMP TABLE IF NOT EXISTS audience_seen (key bigint PRIMARY KEY);
TRUNCATE audience_seen;

-- name: taken-uids
-- Rows whose own number belongs to somebody else: the unique index on (account_id, uid) would refuse the whole batch.
SELECT i.n FROM audience_incoming i
JOIN audience_contact c ON c.account_id = :account_id AND c.uid = i.uid
WHERE c.email_key <> i.email_key
UNION
SELECT n FROM (
  SELECT n, row_number() OVER (PARTITION BY uid ORDER BY n DESC) AS place FROM audience_incoming WHERE uid IS NOT NULL
) twice WHERE place > 1;

-- name: land!
-- Everybody in `audience_incoming` into contact, with what became of each in `audience_landed`. Unique index (account_id, email_key).
-- :stamp is the import's own time: who was made by this import may be changed by its later rows (the last row wins).
WITH known AS MATERIALIZED (
  SELECT i.*, c.id AS contact_id, c.created_at = :stamp AS ours,
         (i.email IS DISTINCT FROM c.email
          OR coalesce(i.uid, c.uid) IS DISTINCT FROM c.uid
          OR coalesce(i.first_name, c.first_name) <> c.first_name OR coalesce(i.last_name, c.last_name) <> c.last_name
          OR coalesce(i.phone, c.phone) <> c.phone OR coalesce(i.fax, c.fax) <> c.fax
          OR coalesce(i.time_zone, c.time_zone) <> c.time_zone
          OR (i.fields IS NOT NULL AND NOT c.fields @> i.fields)
          OR (i.tag_ids IS NOT NULL AND NOT c.tag_ids @> i.tag_ids)) AS differs
  FROM audience_incoming i
  JOIN audience_contact c ON c.account_id = :account_id AND c.email_key = i.email_key
), made AS (
  INSERT INTO audience_contact AS c (account_id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids,
                                     created_at, updated_at)
  SELECT :account_id, i.email, i.email_key, i.uid, coalesce(i.first_name, ''), coalesce(i.last_name, ''), coalesce(i.phone, ''),
         coalesce(i.fax, ''), coalesce(i.time_zone, ''), coalesce(i.fields, '{}'), coalesce(i.tag_ids, '{}'), :stamp, :stamp
  FROM audience_incoming i
  WHERE :create_new AND NOT :dry AND NOT EXISTS (SELECT FROM known k WHERE k.n = i.n)
  RETURNING c.id, c.email_key
), changed AS (
  UPDATE audience_contact c SET
    email = k.email, uid = coalesce(k.uid, c.uid), first_name = coalesce(k.first_name, c.first_name),
    last_name = coalesce(k.last_name, c.last_name), phone = coalesce(k.phone, c.phone), fax = coalesce(k.fax, c.fax),
    time_zone = coalesce(k.time_zone, c.time_zone),
    fields = CASE WHEN k.fields IS NULL THEN c.fields ELSE c.fields || k.fields END,
    tag_ids = CASE WHEN k.tag_ids IS NULL OR c.tag_ids @> k.tag_ids THEN c.tag_ids
                   ELSE ARRAY(SELECT DISTINCT unnest(c.tag_ids || k.tag_ids)) END,
    updated_at = :stamp
  FROM known k
  WHERE c.account_id = :account_id AND c.id = k.contact_id AND k.differs AND (:update_known OR k.ours) AND NOT :dry
)
INSERT INTO audience_landed (n, contact_id, email_key, outcome)
SELECT k.n, k.contact_id, k.email_key,
       CASE WHEN NOT :update_known AND NOT k.ours THEN 'left_out' WHEN k.differs THEN 'updated' ELSE 'unchanged' END
FROM known k
UNION ALL
SELECT i.n, m.id, i.email_key, CASE WHEN :create_new THEN 'created' ELSE 'left_out' END
FROM audience_incoming i LEFT JOIN made m ON m.email_key = i.email_key
WHERE NOT EXISTS (SELECT FROM known k WHERE k.n = i.n);

-- name: note-seen!
-- Mark the rows of people whom this import has met before, and remember the others. Also run for rows that are skipped when a
-- killed import goes on: what was seen lives no longer than the connection.
WITH fresh AS (
  INSERT INTO audience_seen SELECT hashtextextended(email_key, 0) FROM audience_incoming ON CONFLICT DO NOTHING RETURNING key
)
UPDATE audience_landed l SET repeated = true
WHERE NOT EXISTS (SELECT FROM fresh f WHERE f.key = hashtextextended(l.email_key, 0));

-- name: join-list
-- Put those who landed on the list; whoever unsubscribed from it stays so unless :resubscribe. Counts by what became of them.
WITH member AS (
  SELECT l.contact_id, l.repeated, s.status FROM audience_landed l
  LEFT JOIN audience_subscription s ON s.account_id = :account_id AND s.list_id = :list_id AND s.contact_id = l.contact_id
  WHERE l.outcome <> 'left_out'
), joined AS (
  INSERT INTO audience_subscription AS s (account_id, list_id, contact_id, status, since_at)
  SELECT :account_id, :list_id, contact_id, 'subscribed', :stamp FROM member
  WHERE NOT :dry AND (status IS NULL OR (:resubscribe AND status = 'unsubscribed'))
  ON CONFLICT (account_id, list_id, contact_id) DO UPDATE SET status = 'subscribed', since_at = excluded.since_at
  RETURNING contact_id
), marked AS (
  UPDATE audience_landed l SET list_id = :list_id FROM joined j
  WHERE l.contact_id = j.contact_id AND l.outcome <> 'created' -- who is new is on the list without saying
)
SELECT count(*) FILTER (WHERE NOT repeated AND (status IS NULL OR (:resubscribe AND status = 'unsubscribed'))) AS subscribed,
       count(*) FILTER (WHERE NOT repeated AND NOT :resubscribe AND status = 'unsubscribed') AS kept_unsubscribed
FROM member;

-- name: count-do-not-mail$
SELECT count(*) FROM audience_landed l
JOIN audience_donotmail d ON d.account_id = :account_id AND d.email_key = l.email_key
WHERE l.outcome <> 'left_out' AND NOT l.repeated;

-- name: log-landed!
-- One event per person in whom something changed, at positions already taken up to :last.
INSERT INTO event (account_id, position, at, kind, contact_id, data)
SELECT :account_id, :last - row_number() OVER () + 1, :at, 'contact_imported', contact_id,
       CASE WHEN outcome = 'created' THEN :created::jsonb
            ELSE jsonb_strip_nulls(jsonb_build_object('import', :import_id::bigint, 'change', outcome, 'list', list_id)) END
FROM audience_landed
WHERE outcome IN ('created', 'updated') OR list_id IS NOT NULL;

-- name: count-landed
SELECT outcome, count(*) FILTER (WHERE NOT repeated), count(*) FILTER (WHERE repeated),
       count(*) FILTER (WHERE outcome IN ('created', 'updated') OR list_id IS NOT NULL)
FROM audience_landed GROUP BY outcome;
