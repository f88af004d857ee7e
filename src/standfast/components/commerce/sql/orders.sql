-- name: take-ids
-- Ids for new orders, so that their items and events can be written with them.
SELECT nextval('commerce_order_id') FROM generate_series(1, :count::int);

-- name: add-orders!
-- Primary key (account_id, id). The people are locked before, so that no contact goes meanwhile.
INSERT INTO commerce_order (account_id, id, contact_id, original_order_id, order_date, status, grand_total, campaign_id, send_id,
                            coupon_code, source_name, source_type, created_at, updated_at)
SELECT :account_id, id, contact_id, original_order_id, order_date, status, grand_total, campaign_id, send_id, coupon_code, source_name,
       source_type, :at, :at
FROM unnest(:id::bigint[], :contact_id::bigint[], :original_order_id::text[], :order_date::timestamptz[], :status::text[],
            :grand_total::numeric[], :campaign_id::bigint[], :send_id::bigint[], :coupon_code::text[], :source_name::text[],
            :source_type::text[])
  AS o(id, contact_id, original_order_id, order_date, status, grand_total, campaign_id, send_id, coupon_code, source_name, source_type);

-- name: change-orders!
-- Primary key (account_id, id).
UPDATE commerce_order o SET order_date = n.order_date, status = n.status, grand_total = n.grand_total, campaign_id = n.campaign_id,
  send_id = n.send_id, coupon_code = n.coupon_code, source_name = n.source_name, source_type = n.source_type, updated_at = :at
FROM unnest(:id::bigint[], :order_date::timestamptz[], :status::text[], :grand_total::numeric[], :campaign_id::bigint[],
            :send_id::bigint[], :coupon_code::text[], :source_name::text[], :source_type::text[])
  AS n(id, order_date, status, grand_total, campaign_id, send_id, coupon_code, source_name, source_type)
WHERE o.account_id = :account_id AND o.id = n.id;

-- name: known-orders
-- The newest order of each contact under each of the shop's numbers. Index (account_id, original_order_id, contact_id).
SELECT DISTINCT ON (o.contact_id, o.original_order_id) o.contact_id, o.original_order_id, o.id
FROM unnest(:contact_id::bigint[], :original_order_id::text[]) AS w(contact_id, original_order_id)
JOIN commerce_order o ON o.account_id = :account_id AND o.original_order_id = w.original_order_id AND o.contact_id = w.contact_id
ORDER BY o.contact_id, o.original_order_id, o.id DESC;

-- name: drop-items!
DELETE FROM commerce_orderitem WHERE account_id = :account_id AND order_id = ANY(:ids);

-- name: add-items!
INSERT INTO commerce_orderitem (account_id, order_id, line, item_id, price, quantity, description, adcode, category)
SELECT :account_id, order_id, line, item_id, price, quantity, description, adcode, category
FROM unnest(:order_id::bigint[], :line::int[], :item_id::text[], :price::numeric[], :quantity::numeric[], :description::text[],
            :adcode::text[], :category::text[]) AS i(order_id, line, item_id, price, quantity, description, adcode, category);

-- name: meet-products!
-- Products of orders that nobody has described yet; those that are known stay as they are. Unique index (account_id, item_id).
INSERT INTO commerce_product (account_id, item_id, description, adcode, category, created_at, updated_at)
SELECT DISTINCT ON (item_id) :account_id, item_id, description, adcode, category, :at, :at
FROM unnest(:item_id::text[], :description::text[], :adcode::text[], :category::text[]) AS i(item_id, description, adcode, category)
ORDER BY item_id
ON CONFLICT (account_id, item_id) DO NOTHING;

-- name: delete-order!
DELETE FROM commerce_order WHERE account_id = :account_id AND id = :id;

-- name: add-product
-- Unique index (account_id, item_id); no row where the shop's number is known.
INSERT INTO commerce_product (account_id, item_id, description, category, brand, adcode, price, created_at, updated_at)
VALUES (:account_id, :item_id, :description, :category, :brand, :adcode, :price, :at, :at)
ON CONFLICT (account_id, item_id) DO NOTHING RETURNING id;

-- name: erased
-- Who was erased in the span. Primary key of the log.
SELECT DISTINCT e.contact_id FROM event e
WHERE e.account_id = :account_id AND e.position > :after AND e.position <= :upto AND e.kind = 'contact_deleted';

-- name: forget-people!
-- What leads to people in the shop's books. Index (account_id, contact_id, id).
UPDATE commerce_order SET original_order_id = '', coupon_code = '' WHERE account_id = :account_id AND contact_id = ANY(:contact_ids);

-- name: forget-in-log!
-- The same in what the log tells of their orders. The log's index (account_id, contact_id).
UPDATE event SET data = data - 'original_order_id'
WHERE account_id = :account_id AND contact_id = ANY(:contact_ids) AND kind IN ('order_placed', 'order_updated', 'order_deleted');

-- name: orders-of
-- The newest orders of a person, newest first. Index (account_id, contact_id, id).
SELECT o.id, o.original_order_id, o.order_date, o.status, o.grand_total, o.campaign_id, o.coupon_code, o.source_name, o.source_type,
       o.created_at, o.updated_at
FROM commerce_order o WHERE o.account_id = :account_id AND o.contact_id = :contact_id ORDER BY o.id DESC LIMIT :most;
