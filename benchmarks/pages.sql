-- An account with very many people and events: one statement a table, in the order of what each reads.
-- %(a)s the account, %(n)s people, %(events)s events, %(big)s the sends that went to everybody, %(first)s the first contact.
-- Remainders stand for chance: the same data every time.

INSERT INTO audience_contact (account_id, email, email_key, first_name, last_name, phone, fields, tag_ids, created_at, updated_at)
SELECT %(a)s, 'p' || n || '@mail' || n %% 40 || '.example', 'p' || n || '@mail' || n %% 40 || '.example',
       (ARRAY['Ada','Ben','Chiara','Deniz','Emil','Fatima','Goran','Hana'])[1 + n %% 8], 'Name' || n * 7919 %% 50000, '+49 30 ' || n,
       jsonb_build_object('city', 'Town ' || n %% 900, 'orders', n %% 30, 'since', '2024-01-01'), ARRAY[1 + n %% 20]::bigint[],
       now() - make_interval(secs => (%(n)s - n) * %(life)s * 86400.0 / %(n)s), now()
FROM generate_series(1::bigint, %(n)s) n;

INSERT INTO audience_subscription (account_id, list_id, contact_id, status, since_at)
SELECT %(a)s, l.id, c.id, CASE WHEN c.id %% 11 = 0 THEN 'unsubscribed' ELSE 'subscribed' END, now()
FROM audience_contact c JOIN (SELECT id, row_number() OVER (ORDER BY id) AS r FROM audience_list WHERE account_id = %(a)s) l
  ON l.r = 1 OR c.id %% (l.r * 7) = 0 WHERE c.account_id = %(a)s;

INSERT INTO audience_donotmail (account_id, email_key, email, reason, created_at)
SELECT %(a)s, email_key, email, (ARRAY['hard_bounce','complaint','unsubscribe'])[1 + id %% 3], now()
FROM audience_contact WHERE account_id = %(a)s AND id %% 9 = 0;

INSERT INTO audience_contactsummary (account_id, contact_id, delivered, opened, clicked, last_delivered_at, last_opened_at)
SELECT %(a)s, id, 5, 2, 1, now(), now() FROM audience_contact WHERE account_id = %(a)s;

INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email, status, attempts, updated_at, code, reply, next_attempt_at)
SELECT %(a)s, s.id, row_number() OVER (PARTITION BY s.id ORDER BY c.id), c.id, c.email,
       CASE WHEN c.id %% 50 = 0 THEN 3 WHEN c.id %% 997 = 0 THEN 4 WHEN c.id %% 3001 = 0 THEN 2 ELSE 1 END, 1, now(), 250, '250 ok',
       CASE WHEN c.id %% 3001 = 0 THEN now() END
FROM unnest(%(big)s::bigint[]) AS s(id) JOIN audience_contact c ON c.account_id = %(a)s;

INSERT INTO tracking_response (account_id, send_id, seq, contact_id, opened_at, clicked_at, machine_opened_at, bounced_at,
                               unsubscribed_at, complained_at, uncertain_at, opens, clicks)
SELECT account_id, send_id, seq, contact_id, CASE WHEN seq %% 3 = 0 THEN now() END, CASE WHEN seq %% 20 = 0 THEN now() END,
       CASE WHEN seq %% 4 = 0 THEN now() END, CASE WHEN status = 3 THEN now() END, CASE WHEN seq %% 400 = 0 THEN now() END,
       CASE WHEN seq %% 90000 = 0 THEN now() END, CASE WHEN status = 4 THEN now() END, 2, 1
FROM delivery_recipient WHERE account_id = %(a)s AND (seq %% 3 = 0 OR seq %% 4 = 0 OR seq %% 20 = 0 OR status IN (3, 4));

INSERT INTO tracking_sendcounter (account_id, send_id, name, value)
SELECT %(a)s, s.id, c.name, s.total * c.share FROM delivery_send s, (VALUES ('delivered', .97), ('bounced', .02), ('bounced_hard', .01),
  ('bounced_soft', .01), ('opens', .6), ('opens_unique', .33), ('clicks', .1), ('clicks_unique', .05), ('machine_opens', .25),
  ('machine_opens_unique', .25), ('unsubscribed', .0025), ('complained', .0001), ('uncertain', .001), ('deferred', .02),
  ('bounce:InvalidRecipient', .01), ('bounce:QuotaIssues', .01), ('deferral:421', .02)) AS c(name, share) WHERE s.account_id = %(a)s;

INSERT INTO tracking_sendhour (account_id, send_id, name, hour_at, value)
SELECT %(a)s, s.id, k.name, date_trunc('hour', s.created_at) + make_interval(hours => h), 1 + 5000 / (h + 1)
FROM delivery_send s, generate_series(0, %(hours)s) h, (VALUES ('opens'), ('clicks'), ('machine_opens'), ('delivered')) AS k(name)
WHERE s.account_id = %(a)s;

INSERT INTO tracking_linkcounter (account_id, send_id, link, url, clicks, contacts, machine_clicks)
SELECT %(a)s, s.id, n, 'https://shop.example/offer/' || n, 100000 / n, 60000 / n, n
FROM delivery_send s, generate_series(1, %(links)s) n WHERE s.account_id = %(a)s;

INSERT INTO tracking_linkcontact (account_id, send_id, link, seq, clicks)
SELECT account_id, send_id, 1 + seq %% %(links)s, seq, 1 FROM delivery_recipient WHERE account_id = %(a)s AND seq %% 20 = 0;

INSERT INTO event (account_id, position, at, kind, contact_id, send_id, seq, data)
SELECT %(a)s, n, now() - make_interval(secs => (%(events)s - n) * %(life)s * 86400.0 / %(events)s),
       CASE WHEN n %% 2 = 0 THEN 'delivered' WHEN n %% 9 = 0 THEN 'clicked' WHEN n %% 50000 = 1 THEN 'campaign_moved' ELSE 'opened' END,
       CASE WHEN n %% 2 = 1 AND n %% 9 <> 0 AND n %% 50000 = 1 THEN NULL ELSE %(first)s + n * 7919 %% %(n)s END,
       %(big)s[1 + n * cardinality(%(big)s) / (%(events)s + 1)], 1 + n %% %(n)s,
       CASE WHEN n %% 50000 = 1 THEN jsonb_build_object('campaign_id', 1 + n %% 200, 'from', 'sending', 'to', 'sent')
            WHEN n %% 2 = 0 THEN NULL
            ELSE jsonb_build_object('verdict', 'human', 'ip', '192.0.2.1', 'ua', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'link', n %% 40,
                                    'url', 'https://shop.example/offer/' || n %% 40) END
FROM generate_series(1::bigint, %(events)s) n;

INSERT INTO event_head (account_id, position) VALUES (%(a)s, %(events)s)
ON CONFLICT (account_id) DO UPDATE SET position = excluded.position;
