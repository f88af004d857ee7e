-- name: fold-responses!
-- The events after < position <= upto into responses, totals and hours; primary keys of event and of each roll-up. One statement,
-- so that everything called "old" is what stood before it. Every figure depends on the set and order of the events alone, never
-- on where the batches were cut: a total moves by what a recipient counts for now minus what they counted for before.
WITH ev AS MATERIALIZED (
  SELECT position, at, kind, contact_id, send_id, seq, data,
         kind IN ('opened', 'clicked') AND coalesce(data->>'verdict', '') = 'human' AS human
  FROM event
  WHERE account_id = :account_id AND position > :after AND position <= :upto
    AND contact_id > 0 AND send_id IS NOT NULL AND seq IS NOT NULL
    AND kind IN ('delivered', 'deferred', 'bounced', 'uncertain', 'failed', 'skipped',
                 'opened', 'clicked', 'unsubscribed', 'resubscribed', 'complained')
), doubtful AS MATERIALIZED (
  -- whose last outcome is or was unknown: only for them does a later outcome change more than a total
  SELECT send_id, seq FROM tracking_response WHERE account_id = :account_id AND uncertain_at IS NOT NULL
  UNION SELECT send_id, seq FROM ev WHERE kind = 'uncertain'
), outcome AS (
  SELECT DISTINCT ON (e.send_id, e.seq) e.send_id, e.seq, CASE WHEN e.kind = 'uncertain' THEN e.at END AS uncertain_at
  FROM ev e JOIN doubtful d ON d.send_id = e.send_id AND d.seq = e.seq
  WHERE e.kind IN ('delivered', 'deferred', 'bounced', 'uncertain', 'failed', 'skipped')
  ORDER BY e.send_id, e.seq, e.position DESC
), returned AS MATERIALIZED (
  SELECT send_id, seq, max(position) AS position FROM ev WHERE kind = 'resubscribed' GROUP BY send_id, seq
), farewell AS (
  -- the first wish to be left alone that was not taken back
  SELECT DISTINCT ON (e.send_id, e.seq) e.send_id, e.seq, e.at
  FROM ev e LEFT JOIN returned r ON r.send_id = e.send_id AND r.seq = e.seq
  WHERE e.kind = 'unsubscribed' AND (r.position IS NULL OR e.position > r.position)
  ORDER BY e.send_id, e.seq, e.position
), did AS (
  SELECT e.send_id, e.seq, max(contact_id) AS contact_id,
         min(at) FILTER (WHERE kind = 'opened' AND human) AS opened_at,
         min(at) FILTER (WHERE kind = 'opened' AND NOT human) AS machine_opened_at,
         min(at) FILTER (WHERE kind = 'clicked' AND human) AS clicked_at,
         min(at) FILTER (WHERE kind = 'clicked' AND NOT human) AS machine_clicked_at,
         min(at) FILTER (WHERE kind = 'complained') AS complained_at,
         min(position) FILTER (WHERE kind = 'bounced') AS bounce_position,
         count(*) FILTER (WHERE kind = 'opened' AND human) AS opens,
         count(*) FILTER (WHERE kind = 'clicked' AND human) AS clicks
  FROM ev e LEFT JOIN doubtful q ON q.send_id = e.send_id AND q.seq = e.seq
  WHERE kind IN ('bounced', 'uncertain', 'opened', 'clicked', 'unsubscribed', 'resubscribed', 'complained') OR q.seq IS NOT NULL
  GROUP BY e.send_id, e.seq
), new AS MATERIALIZED (
  SELECT d.send_id, d.seq, coalesce(o.contact_id, d.contact_id) AS contact_id,
         least(o.opened_at, d.opened_at, d.clicked_at) AS opened_at, o.opened_at AS old_opened_at,
         least(o.machine_opened_at, d.machine_opened_at) AS machine_opened_at, o.machine_opened_at AS old_machine_opened_at,
         least(o.clicked_at, d.clicked_at) AS clicked_at, o.clicked_at AS old_clicked_at,
         least(o.machine_clicked_at, d.machine_clicked_at) AS machine_clicked_at, o.machine_clicked_at AS old_machine_clicked_at,
         least(o.complained_at, d.complained_at) AS complained_at, o.complained_at AS old_complained_at,
         CASE WHEN r.position IS NOT NULL THEN f.at ELSE coalesce(o.unsubscribed_at, f.at) END AS unsubscribed_at,
         o.unsubscribed_at AS old_unsubscribed_at,
         CASE WHEN u.seq IS NOT NULL THEN u.uncertain_at ELSE o.uncertain_at END AS uncertain_at,
         o.uncertain_at AS old_uncertain_at,
         coalesce(o.bounced_at, b.at) AS bounced_at,
         CASE WHEN o.bounced_at IS NULL THEN b.at END AS bounces_at, b.data AS bounce,
         coalesce(o.opens, 0) + d.opens AS opens, coalesce(o.opens, 0) AS old_opens,
         coalesce(o.clicks, 0) + d.clicks AS clicks
  FROM did d
  LEFT JOIN tracking_response o ON o.account_id = :account_id AND o.send_id = d.send_id AND o.seq = d.seq
  LEFT JOIN ev b ON b.position = d.bounce_position
  LEFT JOIN returned r ON r.send_id = d.send_id AND r.seq = d.seq
  LEFT JOIN farewell f ON f.send_id = d.send_id AND f.seq = d.seq
  LEFT JOIN outcome u ON u.send_id = d.send_id AND u.seq = d.seq
), kept AS (
  INSERT INTO tracking_response (account_id, send_id, seq, contact_id, opened_at, machine_opened_at, clicked_at, machine_clicked_at,
                                 unsubscribed_at, complained_at, bounced_at, uncertain_at, opens, clicks)
  SELECT :account_id, send_id, seq, contact_id, opened_at, machine_opened_at, clicked_at, machine_clicked_at,
         unsubscribed_at, complained_at, bounced_at, uncertain_at, opens, clicks
  FROM new
  ON CONFLICT (account_id, send_id, seq) DO UPDATE SET
    opened_at = excluded.opened_at, machine_opened_at = excluded.machine_opened_at, clicked_at = excluded.clicked_at,
    machine_clicked_at = excluded.machine_clicked_at, unsubscribed_at = excluded.unsubscribed_at,
    complained_at = excluded.complained_at, bounced_at = excluded.bounced_at, uncertain_at = excluded.uncertain_at,
    opens = excluded.opens, clicks = excluded.clicks
), changed AS MATERIALIZED (
  SELECT n.send_id, c.name, c.now_at, c.was_at
  FROM new n CROSS JOIN LATERAL (VALUES
    ('opens_unique', n.opened_at, n.old_opened_at),
    ('clicks_unique', n.clicked_at, n.old_clicked_at),
    ('machine_opens_unique', n.machine_opened_at, n.old_machine_opened_at),
    ('machine_clicks_unique', n.machine_clicked_at, n.old_machine_clicked_at),
    ('all_opens_unique', least(n.opened_at, n.machine_opened_at), least(n.old_opened_at, n.old_machine_opened_at)),
    ('all_clicks_unique', least(n.clicked_at, n.machine_clicked_at), least(n.old_clicked_at, n.old_machine_clicked_at)),
    ('unsubscribed', n.unsubscribed_at, n.old_unsubscribed_at),
    ('complained', n.complained_at, n.old_complained_at),
    ('uncertain', n.uncertain_at, n.old_uncertain_at),
    -- a click proves an opening: it stands for one until the first is seen
    ('opens', CASE WHEN n.opens = 0 THEN n.clicked_at END, CASE WHEN n.old_opens = 0 THEN n.old_clicked_at END)
  ) AS c(name, now_at, was_at)
  WHERE c.now_at IS DISTINCT FROM c.was_at
), moved AS (
  -- every event counts
  SELECT send_id, date_bin('1 hour', at, '2000-01-01 00:00+00') AS hour_at, count(*) AS n,
         CASE kind WHEN 'opened' THEN CASE WHEN human THEN 'opens' ELSE 'machine_opens' END
                   WHEN 'clicked' THEN CASE WHEN human THEN 'clicks' ELSE 'machine_clicks' END ELSE kind END AS name
  FROM ev WHERE kind IN ('delivered', 'deferred', 'failed', 'skipped', 'opened', 'clicked')
  GROUP BY send_id, hour_at, name
  UNION ALL
  SELECT send_id, date_bin('1 hour', at, '2000-01-01 00:00+00'), count(*), left('deferral:' || coalesce(data->>'code', '?'), 32) AS name
  FROM ev WHERE kind = 'deferred' GROUP BY 1, 2, name
  UNION ALL
  -- a recipient counts once, at the time that now stands, and no longer at the one that stood before
  SELECT send_id, date_bin('1 hour', now_at, '2000-01-01 00:00+00') AS hour_at, count(*), name
  FROM changed WHERE now_at IS NOT NULL GROUP BY send_id, hour_at, name
  UNION ALL
  SELECT send_id, date_bin('1 hour', was_at, '2000-01-01 00:00+00') AS hour_at, -count(*), name
  FROM changed WHERE was_at IS NOT NULL GROUP BY send_id, hour_at, name
  UNION ALL
  -- the first bounce of a recipient, with its class; later notices tell the same again
  SELECT n.send_id, date_bin('1 hour', n.bounces_at, '2000-01-01 00:00+00'), count(*), v.name
  FROM new n CROSS JOIN LATERAL (VALUES
    ('bounced'),
    (CASE WHEN n.bounce->>'hard' = 'true' THEN 'bounced_hard' ELSE 'bounced_soft' END),
    (CASE WHEN n.bounce->>'by' = 'report' THEN 'bounced_later' END),
    (left('bounce:' || coalesce(n.bounce->>'class', 'Uncategorized'), 32))
  ) AS v(name)
  WHERE n.bounces_at IS NOT NULL AND v.name IS NOT NULL
  GROUP BY 1, 2, v.name
), hours AS (
  INSERT INTO tracking_sendhour AS t (account_id, send_id, name, hour_at, value)
  SELECT :account_id, send_id, name, hour_at, sum(n) FROM moved WHERE strpos(name, ':') = 0
  GROUP BY send_id, name, hour_at HAVING sum(n) <> 0
  ON CONFLICT (account_id, send_id, name, hour_at) DO UPDATE SET value = t.value + excluded.value
)
INSERT INTO tracking_sendcounter AS t (account_id, send_id, name, value)
SELECT :account_id, send_id, name, sum(n) FROM moved GROUP BY send_id, name HAVING sum(n) <> 0
ON CONFLICT (account_id, send_id, name) DO UPDATE SET value = t.value + excluded.value;

-- name: fold-links!
-- Clicks by link, people and machines apart; a recipient counts once a link. Primary keys of event, linkcontact, linkcounter.
-- What is no link number is left out: the log keeps it, and one odd event must not stop an account.
WITH click AS MATERIALIZED (
  SELECT position, send_id, seq, (data->>'link')::int AS link, coalesce(left(data->>'url', 8192), '') AS url,
         coalesce(data->>'verdict', '') = 'human' AS human
  FROM event
  WHERE account_id = :account_id AND position > :after AND position <= :upto AND kind = 'clicked'
    AND contact_id > 0 AND send_id IS NOT NULL AND seq IS NOT NULL
    AND CASE WHEN data->>'link' ~ '^[0-9]{1,9}$' THEN true ELSE false END
), person AS MATERIALIZED (
  SELECT c.send_id, c.link, c.seq, count(*) AS clicks FROM click c WHERE c.human GROUP BY c.send_id, c.link, c.seq
), fresh AS MATERIALIZED (
  SELECT p.send_id, p.link, count(*) AS contacts FROM person p
  LEFT JOIN tracking_linkcontact o
    ON o.account_id = :account_id AND o.send_id = p.send_id AND o.link = p.link AND o.seq = p.seq
  WHERE o.seq IS NULL
  GROUP BY p.send_id, p.link
), kept AS (
  INSERT INTO tracking_linkcontact AS t (account_id, send_id, link, seq, clicks)
  SELECT :account_id, send_id, link, seq, clicks FROM person
  ON CONFLICT (account_id, send_id, link, seq) DO UPDATE SET clicks = t.clicks + excluded.clicks
)
INSERT INTO tracking_linkcounter AS t (account_id, send_id, link, url, clicks, contacts, machine_clicks)
SELECT :account_id, c.send_id, c.link, (array_agg(c.url ORDER BY c.position))[1], count(*) FILTER (WHERE c.human),
       coalesce(max(f.contacts), 0), count(*) FILTER (WHERE NOT c.human)
FROM click c LEFT JOIN fresh f ON f.send_id = c.send_id AND f.link = c.link
GROUP BY c.send_id, c.link
ON CONFLICT (account_id, send_id, link) DO UPDATE SET
  clicks = t.clicks + excluded.clicks, contacts = t.contacts + excluded.contacts,
  machine_clicks = t.machine_clicks + excluded.machine_clicks;
