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
