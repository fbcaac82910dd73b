-- name: create_scratch
CREATE TABLE {scratch} AS
SELECT row_no, msisdn, country, network, mccmnc, fields FROM lake.contacts LIMIT 0;

-- name: fill_scratch
INSERT INTO {scratch} SELECT row_no, msisdn, country, network, mccmnc, fields FROM incoming;

-- name: delete
DELETE FROM lake.contacts WHERE list_id = $list_id;

-- name: insert
INSERT INTO lake.contacts
SELECT $list_id, row_no, msisdn, country, network, mccmnc, fields FROM {scratch} ORDER BY row_no;

-- name: page
-- First which rows, then what is in them: the cells of a million rows are not sorted along.
SELECT row_no, msisdn, country, network, mccmnc, fields
FROM lake.contacts
WHERE list_id = $list_id AND row_no IN (
    SELECT row_no FROM lake.contacts WHERE list_id = $list_id AND {condition}
    ORDER BY {order}row_no LIMIT $limit OFFSET $offset
)
ORDER BY {order}row_no;

-- name: count
SELECT count(*) FROM lake.contacts WHERE list_id = $list_id AND {condition};

-- name: numbers
SELECT DISTINCT msisdn::BIGINT AS number FROM lake.contacts WHERE list_id IN (SELECT unnest($list_ids::VARCHAR[]));

-- name: ids
SELECT DISTINCT list_id FROM lake.contacts;
