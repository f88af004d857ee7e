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
