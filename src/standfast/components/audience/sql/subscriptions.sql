-- name: subscribe
-- Primary key (account_id, list_id, contact_id). Only people of the account; returns who was not subscribed before.
INSERT INTO audience_subscription AS s (account_id, list_id, contact_id, status, since_at)
SELECT :account_id, :list_id, c.id, 'subscribed', :at FROM audience_contact c
WHERE c.account_id = :account_id AND c.id = ANY(:contact_ids)
ON CONFLICT (account_id, list_id, contact_id)
DO UPDATE SET status = 'subscribed', since_at = excluded.since_at WHERE s.status <> 'subscribed'
RETURNING contact_id;

-- name: unsubscribe
-- From one list, or from all of the account where :list_id is null. Index (account_id, contact_id).
UPDATE audience_subscription SET status = 'unsubscribed', since_at = :at
WHERE account_id = :account_id AND contact_id = ANY(:contact_ids) AND status = 'subscribed'
  AND (:list_id::bigint IS NULL OR list_id = :list_id)
RETURNING contact_id, list_id;

-- name: remove-from-lists
-- From some lists, or from all of the account where :list_ids is null. Index (account_id, contact_id).
DELETE FROM audience_subscription
WHERE account_id = :account_id AND contact_id = ANY(:contact_ids) AND (:list_ids::bigint[] IS NULL OR list_id = ANY(:list_ids))
RETURNING contact_id, list_id;

-- name: members
-- A page of a list's people, in the order of its primary key.
SELECT s.contact_id, s.status, s.since_at FROM audience_subscription s
WHERE s.account_id = :account_id AND s.list_id = :list_id ORDER BY s.contact_id LIMIT :per OFFSET :skip;

-- name: add-do-not-mail
-- The first reason stays, but a weaker one (a person may take an unsubscription back) gives way to a complaint or a bounce.
INSERT INTO audience_donotmail AS d (account_id, email_key, email, reason, detail, created_at)
SELECT :account_id, e.email_key, e.email, :reason, :detail, :at
FROM unnest(:keys::text[], :emails::text[]) AS e(email_key, email)
ON CONFLICT (account_id, email_key) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, created_at = excluded.created_at
  WHERE d.reason = 'unsubscribe' AND excluded.reason IN ('complaint', 'hard_bounce')
RETURNING email_key;

-- name: contacts-of-keys
SELECT email_key, id FROM audience_contact WHERE account_id = :account_id AND email_key = ANY(:keys);

-- name: add-brand-do-not-mail
-- Primary key (account_id, brand_id, email_key). The first reason stays.
INSERT INTO audience_branddonotmail (account_id, brand_id, email_key, email, reason, created_at)
SELECT :account_id, :brand_id, e.email_key, e.email, :reason, :at FROM unnest(:keys::text[], :emails::text[]) AS e(email_key, email)
ON CONFLICT DO NOTHING RETURNING email_key;

-- name: count-brand-do-not-mail
-- How many addresses want no mail of each brand; counted up to a limit, by the primary key.
SELECT b.id, (SELECT count(*) FROM (SELECT FROM audience_branddonotmail d
                                    WHERE d.account_id = :account_id AND d.brand_id = b.id LIMIT 100000) x)
FROM audience_brand b WHERE b.account_id = :account_id ORDER BY b.id LIMIT 500;

-- name: hold-brands
-- A deletion waits for the end of the transaction that makes mail bear a brand.
SELECT id FROM audience_brand WHERE account_id = :account_id AND id = ANY(:brand_ids) ORDER BY id FOR KEY SHARE;

-- name: bear-brand!
INSERT INTO audience_brandedmail (account_id, send_id, seq, brand_id)
SELECT :account_id, :send_id, m.seq, m.brand_id FROM unnest(:seqs::int[], :brand_ids::bigint[]) AS m(seq, brand_id);

-- name: lift-brand-do-not-mail
-- Of one brand, or of all where :brand_id is null. Index (account_id, email_key).
DELETE FROM audience_branddonotmail
WHERE account_id = :account_id AND email_key = :key AND (:brand_id::bigint IS NULL OR brand_id = :brand_id) RETURNING brand_id;

-- name: add-digests!
INSERT INTO audience_securelistentry (account_id, secure_list_id, digest)
SELECT DISTINCT :account_id::bigint, :secure_list_id::bigint, decode(d, 'hex') FROM unnest(:digests::text[]) d ON CONFLICT DO NOTHING;

-- name: known-digests
-- Primary key (account_id, secure_list_id, digest).
SELECT DISTINCT encode(digest, 'hex') FROM audience_securelistentry
WHERE account_id = :account_id AND secure_list_id = ANY(:secure_list_ids)
  AND digest IN (SELECT decode(d, 'hex') FROM unnest(:digests::text[]) d);

-- name: count-list
-- One pass over a list: its people by status, and those of them whose address bounced or complained. For a job, or a small list.
SELECT count(*) FILTER (WHERE s.status = 'subscribed') AS subscribers, count(*) FILTER (WHERE s.status = 'unsubscribed') AS unsubscribes,
       count(*) FILTER (WHERE d.reason IS NULL AND m.bounced > 0) AS soft_bounces,
       count(*) FILTER (WHERE d.reason = 'hard_bounce') AS hard_bounces, count(*) FILTER (WHERE d.reason = 'complaint') AS complaints
FROM audience_subscription s
JOIN audience_contact c ON c.account_id = :account_id AND c.id = s.contact_id
LEFT JOIN audience_donotmail d ON d.account_id = :account_id AND d.email_key = c.email_key AND d.reason IN ('hard_bounce', 'complaint')
LEFT JOIN audience_contactsummary m ON m.account_id = :account_id AND m.contact_id = s.contact_id
WHERE s.account_id = :account_id AND s.list_id = :list_id;

-- name: tag-people
-- Primary key (account_id, id). Returns in whom something changed.
UPDATE audience_contact c SET updated_at = :at, tag_ids = ARRAY(
  SELECT DISTINCT t FROM unnest(c.tag_ids || :add::bigint[]) t WHERE t <> ALL(:drop::bigint[]) ORDER BY t)
WHERE c.account_id = :account_id AND c.id = ANY(:contact_ids::bigint[])
  AND (NOT c.tag_ids @> :add::bigint[] OR c.tag_ids && :drop::bigint[])
RETURNING c.id;
