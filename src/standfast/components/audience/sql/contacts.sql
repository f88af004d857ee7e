-- name: contacts-shown
-- People as /api/v1 shows them (ContactOut), in the order of their ids, as JSON that is sent as it is. What is NULL narrows
-- nothing; parameters are in the text, so the planner sees which. Primary key (account_id, id); unique indexes on email_key, uid.
SELECT r.id, row_to_json(r)::text FROM (
  SELECT c.id, c.email, c.first_name, c.last_name, c.phone, c.fax, c.uid, c.time_zone, c.fields, c.tag_ids,
         to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
         to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at
  FROM audience_contact c
  WHERE c.account_id = :account_id AND c.id > :after AND (:contact_id::bigint IS NULL OR c.id = :contact_id::bigint)
    AND (:email_key::text IS NULL OR c.email_key = :email_key::text) AND (:uid::text IS NULL OR c.uid = :uid::text)
    AND (:updated_after::timestamptz IS NULL OR c.updated_at > :updated_after::timestamptz)
  ORDER BY c.id LIMIT :most
) r;

-- name: whole-person
-- A person by id, address or uid, and what the look-up by address tells besides: lists, tags, and the account's custom fields.
-- Unique indexes of the contact; audience_sub_contact; primary keys.
SELECT c.id, c.email, c.uid, c.first_name, c.last_name, c.phone, c.fax, c.created_at, c.updated_at, c.fields,
  (SELECT json_agg(json_build_object('list_id', p.list_id, 'name', p.name, 'status', p.status, 'at', p.since_at) ORDER BY p.list_id)
   FROM (SELECT s.list_id, l.name, s.status, s.since_at FROM audience_subscription s
         JOIN audience_list l ON l.account_id = s.account_id AND l.id = s.list_id
         WHERE s.account_id = :account_id AND s.contact_id = c.id ORDER BY s.list_id LIMIT 5000) p)::text,
  (SELECT json_agg(json_build_object('name', t.name, 'at', t.created_at) ORDER BY t.name)
   FROM audience_tag t WHERE t.account_id = :account_id AND t.id = ANY(c.tag_ids))::text,
  (SELECT json_agg(json_build_array(f.key, f.label, f.field_type, f.default_value) ORDER BY f.id)
   FROM audience_customfield f WHERE f.account_id = :account_id)::text
FROM audience_contact c
WHERE c.account_id = :account_id AND (:contact_id::bigint IS NULL OR c.id = :contact_id::bigint)
  AND (:email_key::text IS NULL OR c.email_key = :email_key::text) AND (:uid::text IS NULL OR c.uid = :uid::text)
LIMIT 1;

-- name: custom-fields
SELECT key, label, field_type, default_value FROM audience_customfield WHERE account_id = :account_id ORDER BY id;
