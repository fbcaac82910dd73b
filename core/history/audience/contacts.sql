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
SELECT row_no, msisdn, country, network, mccmnc, fields
FROM lake.contacts WHERE list_id = $list_id ORDER BY row_no LIMIT $limit OFFSET $offset;

-- name: count
SELECT count(*) FROM lake.contacts WHERE list_id = $list_id;

-- name: numbers
SELECT DISTINCT msisdn::BIGINT AS number FROM lake.contacts WHERE list_id IN (SELECT unnest($list_ids::VARCHAR[]));

-- name: ids
SELECT DISTINCT list_id FROM lake.contacts;
