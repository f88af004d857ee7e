-- name: upsert-few
-- Some people in one statement, without the temporary tables that an import fills: a single call of a program is answered by it.
-- NULL means "not given"; a field set to JSON null goes. Unique index (account_id, email_key), partial one (account_id, uid).
-- The people are locked before (see locking), so what is read here cannot be made by another meanwhile.
WITH incoming AS (
  SELECT n, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields::jsonb AS fields,
         coalesce(tag_ids, '{}')::bigint[] AS tag_ids, coalesce(drop_tag_ids, '{}')::bigint[] AS drop_tag_ids
  FROM unnest(:n::int[], :email::text[], :email_key::text[], :uid::text[], :first_name::text[], :last_name::text[], :phone::text[],
              :fax::text[], :time_zone::text[], :fields::text[], :tag_ids::text[], :drop_tag_ids::text[])
    AS i(n, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids, drop_tag_ids)
), taken AS (
  SELECT i.n FROM incoming i CROSS JOIN LATERAL (
    SELECT c.email_key FROM audience_contact c WHERE c.account_id = :account_id AND c.uid = i.uid LIMIT 1
  ) c
  WHERE c.email_key <> i.email_key
  UNION
  SELECT n FROM (
    SELECT n, row_number() OVER (PARTITION BY uid ORDER BY n DESC) AS place FROM incoming WHERE uid IS NOT NULL
  ) twice WHERE place > 1
), known AS (
  SELECT i.n, k.id, i.email, i.email_key, k.created_at, coalesce(i.uid, k.uid) AS uid, coalesce(i.first_name, k.first_name) AS first_name,
         coalesce(i.last_name, k.last_name) AS last_name, coalesce(i.phone, k.phone) AS phone, coalesce(i.fax, k.fax) AS fax,
         coalesce(i.time_zone, k.time_zone) AS time_zone,
         CASE WHEN i.fields IS NULL THEN k.fields ELSE jsonb_strip_nulls(k.fields || i.fields) END AS fields,
         CASE WHEN k.tag_ids @> i.tag_ids AND NOT k.tag_ids && i.drop_tag_ids THEN k.tag_ids
              ELSE ARRAY(SELECT DISTINCT t FROM unnest(k.tag_ids || i.tag_ids) t WHERE t <> ALL(i.drop_tag_ids) ORDER BY t) END AS tag_ids,
         k.email AS was_email, k.uid AS was_uid, k.first_name AS was_first_name, k.last_name AS was_last_name, k.phone AS was_phone,
         k.fax AS was_fax, k.time_zone AS was_time_zone, k.fields AS was_fields, k.tag_ids AS was_tag_ids
  FROM incoming i CROSS JOIN LATERAL (
    SELECT * FROM audience_contact c WHERE c.account_id = :account_id AND c.email_key = i.email_key LIMIT 1
  ) k
  WHERE NOT EXISTS (SELECT FROM taken t WHERE t.n = i.n)
), changed AS (
  -- An INSERT that always conflicts, for its look-up cannot be planned wrongly (a table that grew a moment ago has no statistics).
  INSERT INTO audience_contact AS c (account_id, id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids,
                                     created_at, updated_at)
  SELECT :account_id, id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids, created_at, :at
  FROM known k
  WHERE (email, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids) IS DISTINCT FROM
    (was_email, was_uid, was_first_name, was_last_name, was_phone, was_fax, was_time_zone, was_fields, was_tag_ids)
  ON CONFLICT (account_id, email_key) DO UPDATE SET
    email = excluded.email, uid = excluded.uid, first_name = excluded.first_name, last_name = excluded.last_name,
    phone = excluded.phone, fax = excluded.fax, time_zone = excluded.time_zone, fields = excluded.fields, tag_ids = excluded.tag_ids,
    updated_at = excluded.updated_at
  RETURNING email_key
), made AS (
  INSERT INTO audience_contact (account_id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids,
                                created_at, updated_at)
  SELECT :account_id, i.email, i.email_key, i.uid, coalesce(i.first_name, ''), coalesce(i.last_name, ''), coalesce(i.phone, ''),
         coalesce(i.fax, ''), coalesce(i.time_zone, ''), coalesce(jsonb_strip_nulls(i.fields), '{}'), i.tag_ids, :at, :at
  FROM incoming i
  WHERE NOT EXISTS (SELECT FROM known k WHERE k.n = i.n) AND NOT EXISTS (SELECT FROM taken t WHERE t.n = i.n)
  RETURNING id, email_key
)
SELECT i.n, coalesce(k.id, m.id),
       CASE WHEN t.n IS NOT NULL THEN 'taken' WHEN m.id IS NOT NULL THEN 'created' WHEN d.email_key IS NOT NULL THEN 'updated'
            ELSE 'unchanged' END
FROM incoming i LEFT JOIN taken t ON t.n = i.n LEFT JOIN known k ON k.n = i.n LEFT JOIN changed d ON d.email_key = i.email_key
LEFT JOIN made m ON m.email_key = i.email_key;
