-- name: owners
-- The rows of some entries. Primary key: each array stands alone on an index, so that it is looked up, whatever the statistics.
SELECT e.entry, e.number FROM tables_indexentry e
WHERE e.account_id = :account_id AND e.store_id = :store_id AND e.entry = ANY(:entries::bytea[]);

-- name: rows-numbered
SELECT r.number, r.data::text FROM tables_row r
WHERE r.account_id = :account_id AND r.store_id = :store_id AND r.number = ANY(:numbers::bigint[]);

-- name: write-rows!
-- New and changed rows, their data complete: they were read under the table's lock.
INSERT INTO tables_row (account_id, store_id, number, data, created_at, updated_at)
SELECT :account_id, :store_id, i.number, i.data::jsonb, :at, :at FROM unnest(:numbers::bigint[], :data::text[]) AS i(number, data)
ON CONFLICT (account_id, store_id, number) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at;

-- name: drop-rows!
DELETE FROM tables_row r WHERE r.account_id = :account_id AND r.store_id = :store_id AND r.number = ANY(:numbers::bigint[]);

-- name: add-entries!
-- No ON CONFLICT: a value that somebody else has is an error, never swallowed.
INSERT INTO tables_indexentry (account_id, store_id, entry, number)
SELECT :account_id, :store_id, i.entry, i.number FROM unnest(:entries::bytea[], :numbers::bigint[]) AS i(entry, number);

-- name: drop-entries!
DELETE FROM tables_indexentry e
WHERE e.account_id = :account_id AND e.store_id = :store_id AND e.entry = ANY(:entries::bytea[]);

-- name: page
-- Rows in the order they came, as many as fit into some bytes, one at least; `there` is how many the page would have without that
-- limit. Primary key.
SELECT p.number, p.data::text, p.created_at, p.updated_at, p.there FROM (
  SELECT r.*, count(*) OVER () AS there,
         sum(octet_length(r.data::text)) OVER (ORDER BY r.number ROWS UNBOUNDED PRECEDING) - octet_length(r.data::text) AS bytes_before
  FROM (
    SELECT x.* FROM tables_row x WHERE x.account_id = :account_id AND x.store_id = :store_id AND x.number > :after
    ORDER BY x.number LIMIT :size OFFSET :skip
  ) r
) p WHERE p.bytes_before < :bytes_max ORDER BY p.number;

-- name: page-found
-- The same of rows whose entries lie in a span, and that contain some data. Primary keys of both.
SELECT p.number, p.data::text, p.created_at, p.updated_at, p.there FROM (
  SELECT r.*, count(*) OVER () AS there,
         sum(octet_length(r.data::text)) OVER (ORDER BY r.number ROWS UNBOUNDED PRECEDING) - octet_length(r.data::text) AS bytes_before
  FROM (
    SELECT x.* FROM tables_indexentry e CROSS JOIN LATERAL (
      SELECT y.* FROM tables_row y WHERE y.account_id = :account_id AND y.store_id = :store_id AND y.number = e.number LIMIT 1
    ) x
    WHERE e.account_id = :account_id AND e.store_id = :store_id AND e.entry >= :first AND e.entry <= :last
      AND x.data @> :contains::jsonb
    ORDER BY e.entry LIMIT :size
  ) r
) p WHERE p.bytes_before < :bytes_max ORDER BY p.number;

-- name: build-entries!
-- Entries of a column that gets a key while there are rows, as entries.entry_of makes them. A value twice in a column that is to be
-- unique is left out: fewer entries than values tell of it. Reads the store's rows, by the primary key.
INSERT INTO tables_indexentry (account_id, store_id, entry, number)
SELECT :account_id, :store_id,
       int4send(:column_id::int)
       || substr(sha256(convert_to(CASE WHEN :folded::bool THEN lower(r.data ->> :name::text) ELSE r.data ->> :name::text END, 'UTF8')), 1, 16)
       || CASE WHEN :is_unique::bool THEN ''::bytea ELSE int8send(r.number) END,
       r.number
FROM tables_row r WHERE r.account_id = :account_id AND r.store_id = :store_id AND r.data ->> :name::text IS NOT NULL
ON CONFLICT (account_id, store_id, entry) DO NOTHING;

-- name: drop-column!
DELETE FROM tables_indexentry e
WHERE e.account_id = :account_id AND e.store_id = :store_id AND e.entry >= :first AND e.entry < :ended;

-- name: filled
-- How many rows have a value in a column. Reads the store's rows, by the primary key.
SELECT count(*) FROM tables_row r WHERE r.account_id = :account_id AND r.store_id = :store_id AND r.data ->> :name::text IS NOT NULL;

-- name: clear-entries!
-- A batch of a store that has ended. Primary key.
DELETE FROM tables_indexentry e WHERE e.account_id = :account_id AND e.store_id = :store_id AND e.entry = ANY(ARRAY(
  SELECT x.entry FROM tables_indexentry x WHERE x.account_id = :account_id AND x.store_id = :store_id LIMIT :size
));

-- name: clear-rows!
-- A batch of a store that has ended. Primary key.
DELETE FROM tables_row r WHERE r.account_id = :account_id AND r.store_id = :store_id AND r.number = ANY(ARRAY(
  SELECT x.number FROM tables_row x WHERE x.account_id = :account_id AND x.store_id = :store_id LIMIT :size
));
