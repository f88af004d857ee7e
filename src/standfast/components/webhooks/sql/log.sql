-- name: health
-- How much waits at each endpoint and how much was given up, counted no further than :most. Index webhooks_delivery_log.
SELECT n.id,
  (SELECT count(*) FROM (SELECT 1 FROM webhooks_delivery d WHERE d.account_id = :account_id AND d.endpoint_id = n.id
                         AND d.state IN ('due', 'trying') LIMIT :most) w) AS waiting,
  (SELECT count(*) FROM (SELECT 1 FROM webhooks_delivery d WHERE d.account_id = :account_id AND d.endpoint_id = n.id
                         AND d.state = 'failed' LIMIT :most) f) AS given_up
FROM webhooks_endpoint n WHERE n.account_id = :account_id;

-- name: events-told
-- The events behind a page of deliveries, or behind one: primary key of the log.
SELECT e.position, e.kind, e.at, e.contact_id, e.send_id, e.seq, e.data, c.email
FROM event e
LEFT JOIN audience_contact_v c ON c.account_id = :account_id AND c.id = e.contact_id
WHERE e.account_id = :account_id AND e.position = ANY(:positions::bigint[]);

-- name: forget-some-attempts-of!
DELETE FROM webhooks_attempt t WHERE t.account_id = :account_id AND t.endpoint_id = :endpoint_id AND t.position <= (
  SELECT max(s.position) FROM (SELECT a.position FROM webhooks_attempt a
                               WHERE a.account_id = :account_id AND a.endpoint_id = :endpoint_id
                               ORDER BY a.position LIMIT :most) s);

-- name: forget-some-deliveries-of!
DELETE FROM webhooks_delivery d WHERE d.account_id = :account_id AND d.endpoint_id = :endpoint_id AND d.position <= (
  SELECT max(s.position) FROM (SELECT o.position FROM webhooks_delivery o
                               WHERE o.account_id = :account_id AND o.endpoint_id = :endpoint_id
                               ORDER BY o.position LIMIT :most) s);
