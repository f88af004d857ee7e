-- name: fold-summary!
-- What people did, added to a row each. Machines do not count. Primary key of event; conflict on (account_id, contact_id).
INSERT INTO audience_contactsummary AS s (account_id, contact_id, delivered, opened, clicked, bounced, last_delivered_at, last_opened_at,
                                          last_clicked_at, last_bounced_at)
SELECT :account_id, contact_id,
       count(*) FILTER (WHERE kind = 'delivered'), count(*) FILTER (WHERE kind = 'opened'),
       count(*) FILTER (WHERE kind = 'clicked'), count(*) FILTER (WHERE kind = 'bounced'),
       max(at) FILTER (WHERE kind = 'delivered'), max(at) FILTER (WHERE kind = 'opened'),
       max(at) FILTER (WHERE kind = 'clicked'), max(at) FILTER (WHERE kind = 'bounced')
FROM event
WHERE account_id = :account_id AND position > :after AND position <= :upto AND contact_id > 0
  AND (kind IN ('delivered', 'bounced') OR (kind IN ('opened', 'clicked') AND data->>'verdict' = 'human'))
GROUP BY contact_id
ON CONFLICT (account_id, contact_id) DO UPDATE SET
  delivered = s.delivered + excluded.delivered, opened = s.opened + excluded.opened,
  clicked = s.clicked + excluded.clicked, bounced = s.bounced + excluded.bounced,
  last_delivered_at = greatest(s.last_delivered_at, excluded.last_delivered_at),
  last_opened_at = greatest(s.last_opened_at, excluded.last_opened_at),
  last_clicked_at = greatest(s.last_clicked_at, excluded.last_clicked_at),
  last_bounced_at = greatest(s.last_bounced_at, excluded.last_bounced_at);

-- name: wishes
-- Who must not be mailed any more, or again, in the order in which it happened, and the brand of the mail that it is about.
-- Primary keys of event and branded mail.
SELECT e.position, e.at, e.kind, e.contact_id, e.send_id, e.seq, coalesce(e.data->>'text', ''),
       (SELECT m.brand_id FROM audience_brandedmail m
        WHERE m.account_id = :account_id AND m.send_id = e.send_id AND m.seq IN (0, e.seq) ORDER BY m.seq DESC LIMIT 1)
FROM event e
WHERE e.account_id = :account_id AND e.position > :after AND e.position <= :upto AND e.contact_id > 0
  AND (e.kind IN ('complained', 'resubscribed')
       OR (e.kind = 'unsubscribed' AND e.send_id IS NOT NULL)
       OR (e.kind = 'bounced' AND (e.data->>'hard')::boolean AND e.data->>'class' = ANY(:suppressing)))
ORDER BY e.position;

-- name: suppress-contacts!
-- On do-not-mail by the key (account_id, email_key). The weightier reason stays: whoever complained or bounced cannot be
-- taken off by taking an unsubscription back.
INSERT INTO audience_donotmail AS d (account_id, email_key, email, reason, detail, created_at)
SELECT :account_id, c.email_key, c.email, :reason, left(w.detail, 255), w.at
FROM unnest(:contact_ids::bigint[], :details::text[], :ats::timestamptz[]) AS w(contact_id, detail, at)
JOIN audience_contact c ON c.account_id = :account_id AND c.id = w.contact_id
ON CONFLICT (account_id, email_key) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, created_at = excluded.created_at
  WHERE d.reason = 'unsubscribe' AND excluded.reason IN ('complaint', 'hard_bounce');

-- name: suppress-contacts-of-brand!
-- The same on a brand's do-not-mail, by the key (account_id, brand_id, email_key).
INSERT INTO audience_branddonotmail AS d (account_id, brand_id, email_key, email, reason, detail, created_at)
SELECT :account_id, :brand_id, c.email_key, c.email, :reason, left(w.detail, 255), w.at
FROM unnest(:contact_ids::bigint[], :details::text[], :ats::timestamptz[]) AS w(contact_id, detail, at)
JOIN audience_contact c ON c.account_id = :account_id AND c.id = w.contact_id
ON CONFLICT (account_id, brand_id, email_key)
DO UPDATE SET reason = excluded.reason, detail = excluded.detail, created_at = excluded.created_at
  WHERE d.reason = 'unsubscribe' AND excluded.reason IN ('complaint', 'hard_bounce');

-- name: leave-lists!
-- The lists of the mail's brand, or those of no brand. The time of the wish is kept, so that taking back finds exactly what it
-- did. Index (account_id, contact_id).
UPDATE audience_subscription s SET status = 'unsubscribed', since_at = w.at
FROM unnest(:contact_ids::bigint[], :ats::timestamptz[]) AS w(contact_id, at), audience_list l
WHERE s.account_id = :account_id AND s.contact_id = w.contact_id AND s.status = 'subscribed'
  AND l.account_id = :account_id AND l.id = s.list_id AND l.brand_id IS NOT DISTINCT FROM :brand_id;

-- name: return-to-lists!
-- Undo what the unsubscriptions of this recipient did, and nothing else: rows that bear the time of one of them.
UPDATE audience_subscription s SET status = 'subscribed', since_at = :at
FROM event e
WHERE e.account_id = :account_id AND e.contact_id = :contact_id AND e.position < :position AND e.kind = 'unsubscribed'
  AND e.send_id = :send_id AND e.seq = :seq
  AND s.account_id = :account_id AND s.contact_id = :contact_id AND s.status = 'unsubscribed' AND s.since_at = e.at;

-- name: return-to-mail!
DELETE FROM audience_donotmail d USING audience_contact c, event e
WHERE c.account_id = :account_id AND c.id = :contact_id AND d.account_id = :account_id AND d.email_key = c.email_key
  AND d.reason = 'unsubscribe' AND d.created_at = e.at
  AND e.account_id = :account_id AND e.contact_id = :contact_id AND e.position < :position AND e.kind = 'unsubscribed'
  AND e.send_id = :send_id AND e.seq = :seq;

-- name: return-to-mail-of-brand!
DELETE FROM audience_branddonotmail d USING audience_contact c, event e
WHERE c.account_id = :account_id AND c.id = :contact_id AND d.account_id = :account_id AND d.email_key = c.email_key
  AND d.brand_id = :brand_id AND d.reason = 'unsubscribe' AND d.created_at = e.at
  AND e.account_id = :account_id AND e.contact_id = :contact_id AND e.position < :position AND e.kind = 'unsubscribed'
  AND e.send_id = :send_id AND e.seq = :seq;
