-- Reading blocks of a CDR file, making messages of their rows, and merging those into lake.messages.
-- A block has row_no and a column of text for each field.

-- name: create_rows
CREATE {kind} TABLE {rows} (
    row_no BIGINT NOT NULL,
    key UUID NOT NULL,
    gateway_message_id VARCHAR NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    receiver VARCHAR NOT NULL,
    sender VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL,
    delivery_status VARCHAR NOT NULL,
    word VARCHAR NOT NULL,
    error_code VARCHAR NOT NULL,
    delivered_at TIMESTAMP,
    price_eur_cents DECIMAL(12, 4) NOT NULL,
    segment_count INTEGER NOT NULL,
    unicode BOOLEAN NOT NULL
);

-- name: read_cells
CREATE OR REPLACE TEMP TABLE cdr_cells AS
SELECT
    *,
    {sent_local} AS sent_local, {sent_offset_s} AS sent_offset_s,
    {delivery_local} AS delivery_local, {delivery_offset_s} AS delivery_offset_s
FROM (SELECT {cells} FROM block);

-- name: local_range
-- What has no offset of its own is in the file's zone.
SELECT min(moment), max(moment)
FROM (
    SELECT unnest([
        CASE WHEN sent_offset_s IS NULL THEN sent_local END,
        CASE WHEN delivery_offset_s IS NULL THEN delivery_local END
    ]) AS moment
    FROM cdr_cells
)
WHERE moment BETWEEN $earliest::TIMESTAMP AND $latest::TIMESTAMP;

-- name: parse
CREATE OR REPLACE TEMP TABLE cdr_parsed AS
WITH timed AS (
    SELECT
        *,
        CASE WHEN sent_offset_s IS NULL THEN sent_local - {sent_zone}
            ELSE sent_local - to_seconds(sent_offset_s) END AS sent_at,
        CASE WHEN delivery_offset_s IS NULL THEN delivery_local - {delivery_zone}
            ELSE delivery_local - to_seconds(delivery_offset_s) END AS delivery_first,
        CASE WHEN delivery_offset_s IS NULL THEN delivery_local - {delivery_again}
            ELSE delivery_local - to_seconds(delivery_offset_s) END AS delivery_second
    FROM cdr_cells
),
-- Of a time that the clock shows twice, the one that lies behind the Sent Date; that one is always the first, so that it
-- does not depend on what becomes known later. Clocks that differ, and seconds cut off, make no negative delay.
fitted AS (
    SELECT
        * EXCLUDE (delivery_first, delivery_second),
        CASE
            WHEN coalesce(delivery_first >= sent_at - INTERVAL 1 MINUTE, true) THEN delivery_first
            ELSE delivery_second
        END AS delivery_at
    FROM timed
),
found AS (
    SELECT
        t.*, r.msisdn, r.country AS msisdn_country, r.network AS msisdn_network, r.mccmnc AS msisdn_mccmnc,
        s.value AS status_value, p.value AS price_value, p.fault AS price_fault, g.value AS segments_value, u.value AS unicode_value,
        c.value AS country_value, n.value AS mccmnc_value, coalesce(n.value, '') AS code, n.name AS mccmnc_name,
        w.value AS network_code, w.name AS network_code_name
    FROM fitted AS t
    JOIN cdr_receivers AS r USING (row_no)
    JOIN cdr_statuses AS s ON s.cell = t.delivery_status
    JOIN cdr_prices AS p ON p.price = t.price AND p.currency = t.currency
    JOIN cdr_segments AS g ON g.cell = t.segments
    JOIN cdr_unicodes AS u ON u.cell = t.unicode
    JOIN cdr_countries AS c ON c.cell = t.country
    JOIN cdr_networks AS n ON n.cell = t.mccmnc
    JOIN cdr_network_codes AS w ON w.cell = t.network
)
SELECT
    -- Its beginning names nobody.
    * REPLACE (
        CASE WHEN length(sender) <= $max_cell THEN sender ELSE '' END AS sender,
        CASE WHEN length(message_id) <= $max_cell THEN message_id ELSE '' END AS message_id,
        CASE WHEN length(error_code) <= $max_cell THEN error_code ELSE '' END AS error_code,
        CASE WHEN length(network) <= $max_cell THEN network ELSE '' END AS network
    ),
    CASE
        WHEN length(sender) > $max_cell THEN sender
        WHEN length(message_id) > $max_cell THEN message_id
        WHEN length(error_code) > $max_cell THEN error_code
        WHEN length(network) > $max_cell THEN network
    END AS long_cell,
    CASE
        WHEN sent_date = '' THEN 'no_sent_date'
        WHEN sent_at IS NULL THEN 'sent_date'
        WHEN sent_at < $earliest::TIMESTAMP THEN 'too_old'
        WHEN sent_at > $latest::TIMESTAMP THEN 'in_future'
        WHEN receiver = '' THEN 'no_receiver'
        WHEN msisdn = '' THEN 'receiver'
        WHEN delivery_status = '' THEN 'no_status'
        WHEN status_value IS NULL THEN 'status'
    END AS fault,
    CASE
        WHEN delivery_date <> '' AND delivery_at IS NULL THEN 'delivery_date'
        WHEN status_value <> 'Submitted' AND delivery_at < sent_at - INTERVAL 1 HOUR THEN 'delivered_before_sent'
        WHEN status_value <> 'Submitted' AND delivery_at > $latest::TIMESTAMP THEN 'delivered_in_future'
    END AS delivery_fault
FROM found;

-- name: rejected
SELECT
    row_no, fault,
    CASE fault WHEN 'receiver' THEN receiver WHEN 'status' THEN delivery_status ELSE sent_date END AS cell
FROM cdr_parsed
WHERE fault IS NOT NULL
ORDER BY row_no;

-- name: kept
-- Few rows have anything to say: the others are passed over before a list is made of them.
WITH remarked AS (
    SELECT * FROM cdr_parsed
    WHERE fault IS NULL AND (
        delivery_fault IS NOT NULL OR price_fault IS NOT NULL OR segments_value IS NULL OR unicode_value IS NULL
        OR (country <> '' AND country_value IS NULL) OR (mccmnc <> '' AND mccmnc_value IS NULL)
        OR long_cell IS NOT NULL
    )
),
listed AS (
    SELECT row_no, unnest([
        {'fault': delivery_fault, 'cell': delivery_date},
        {
            'fault': price_fault,
            'cell': CASE price_fault WHEN 'currency' THEN concat_ws(' ', price, currency) ELSE price END
        },
        {'fault': CASE WHEN segments_value IS NULL THEN 'segments' END, 'cell': segments},
        {'fault': CASE WHEN unicode_value IS NULL THEN 'unicode' END, 'cell': unicode},
        {'fault': CASE WHEN country <> '' AND country_value IS NULL THEN 'country' END, 'cell': country},
        {'fault': CASE WHEN mccmnc <> '' AND mccmnc_value IS NULL THEN 'mccmnc' END, 'cell': mccmnc},
        {'fault': CASE WHEN long_cell IS NOT NULL THEN 'too_long' END, 'cell': long_cell}
    ]) AS remark
    FROM remarked
)
SELECT row_no, remark.fault AS fault, remark.cell AS cell
FROM listed
WHERE remark.fault IS NOT NULL
ORDER BY row_no;

-- name: understood
-- What the file says about network or MCCMNC overrules the number's range as a whole: one half of each would contradict.
CREATE OR REPLACE TEMP VIEW cdr_understood AS
SELECT
    row_no, message_id AS gateway_message_id, sent_at, msisdn AS receiver, sender,
    CASE WHEN country <> '' THEN coalesce(country_value, msisdn_country) ELSE msisdn_country END AS country,
    CASE
        WHEN network_code IS NOT NULL AND code = '' THEN network_code_name
        WHEN network_code IS NOT NULL THEN mccmnc_name
        WHEN network <> '' THEN network
        WHEN code <> '' THEN mccmnc_name
        ELSE msisdn_network
    END AS network,
    CASE
        WHEN code <> '' THEN code
        WHEN network_code IS NOT NULL THEN network_code
        WHEN network <> '' AND lower(network) <> lower(msisdn_network) THEN ''
        ELSE msisdn_mccmnc
    END AS mccmnc,
    status_value AS delivery_status, upper(delivery_status) AS word, error_code,
    CASE WHEN status_value <> 'Submitted' AND delivery_fault IS NULL
        THEN greatest(delivery_at, CASE WHEN delivery_at IS NOT NULL THEN sent_at END) END AS delivered_at,
    price_value AS price_eur_cents, coalesce(segments_value, 1) AS segment_count,
    coalesce(unicode_value, false) AS unicode
FROM cdr_parsed
WHERE fault IS NULL;

-- name: keep_rows
-- The key names the message: by the id it has elsewhere and its receiver, else by when it was sent, to whom and from
-- whom. It holds nothing that may differ the next time the file comes.
INSERT INTO {rows} BY NAME
SELECT
    *,
    md5(concat_ws(chr(31), $account, receiver, CASE
        WHEN gateway_message_id <> '' THEN 'id' || chr(31) || gateway_message_id
        ELSE 'row' || chr(31) || epoch_us(sent_at) || chr(31) || sender END))::UUID AS key
FROM cdr_understood;

-- name: show_understood
SELECT
    row_no, gateway_message_id, sent_at, receiver, sender, country, network, mccmnc, delivery_status, error_code,
    delivered_at, price_eur_cents, segment_count, unicode
FROM cdr_understood
ORDER BY row_no;

-- name: find_doubtful
-- Ids that stand for messages of different moments: to one receiver they come with more of them than with words for the
-- status, or twice with a final one. A list of events has one row for each word. Such a column names a route, say.
CREATE OR REPLACE TEMP TABLE cdr_doubtful AS
WITH gaps AS (
    SELECT
        gateway_message_id AS id, receiver, sent_at, delivery_status, word,
        sent_at - lag(sent_at) OVER (PARTITION BY gateway_message_id, receiver ORDER BY sent_at) > 2 * $within AS starts
    FROM {rows}
    WHERE gateway_message_id <> ''
),
clustered AS (
    SELECT
        *,
        count(*) FILTER (starts) OVER (
            PARTITION BY id, receiver ORDER BY sent_at ROWS UNBOUNDED PRECEDING
        ) AS cluster
    FROM gaps
)
SELECT DISTINCT id FROM (
    SELECT id
    FROM clustered
    GROUP BY id, receiver, cluster
    HAVING count(DISTINCT sent_at) > count(DISTINCT word)
        OR count(DISTINCT sent_at) FILTER (delivery_status <> 'Submitted') > 1
);

-- name: list_doubtful
SELECT id FROM cdr_doubtful ORDER BY id LIMIT 100;

-- name: count_doubtful
SELECT count(*) FROM {rows} WHERE gateway_message_id IN (SELECT id FROM cdr_doubtful);

-- name: drop_doubtful_ids
-- Their rows are told apart as those without an id.
UPDATE {rows}
SET
    gateway_message_id = '',
    key = md5(concat_ws(chr(31), $account, receiver, 'row' || chr(31) || epoch_us(sent_at) || chr(31) || sender))::UUID
WHERE gateway_message_id IN (SELECT id FROM cdr_doubtful);

-- name: find_repeated
CREATE TEMP TABLE cdr_repeated AS SELECT key FROM {rows} GROUP BY key HAVING count(*) > 1;

-- name: fold
-- One row per message. Rows with the same id are the same message as long as no gap of more than twice the time within
-- which two files may disagree lies between them. Rows without id that are all the same are told apart by counting: in
-- an order that does not change when more of them become final.
CREATE TEMP TABLE cdr_folded AS
WITH ranked AS (
    SELECT
        *,
        CASE delivery_status WHEN 'Delivered' THEN 2 WHEN 'Undelivered' THEN 1 ELSE 0 END AS rank
    FROM {rows} SEMI JOIN cdr_repeated USING (key)
),
alike AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY key ORDER BY rank DESC, delivered_at NULLS LAST, error_code, row_no
        ) AS occurrence
    FROM ranked
    WHERE gateway_message_id = ''
),
gaps AS (
    SELECT *, sent_at - lag(sent_at) OVER (PARTITION BY key ORDER BY sent_at, row_no) > 2 * $within AS starts
    FROM ranked
    WHERE gateway_message_id <> ''
),
clustered AS (
    SELECT
        *,
        count(*) FILTER (starts) OVER (
            PARTITION BY key ORDER BY sent_at, row_no ROWS UNBOUNDED PRECEDING
        ) AS cluster
    FROM gaps
),
topped AS (
    SELECT *, max(rank) OVER (PARTITION BY key, cluster) AS top FROM clustered
),
same AS (
    SELECT
        key, any_value(gateway_message_id) AS gateway_message_id, min(sent_at) AS sent_at,
        any_value(receiver) AS receiver, arg_min(sender, row_no) AS sender, arg_min(country, row_no) AS country,
        arg_min(network, row_no) AS network, arg_min(mccmnc, row_no) AS mccmnc,
        arg_max(delivery_status, rank) AS delivery_status,
        coalesce(min(nullif(error_code, '')) FILTER (rank = top), '') AS error_code,
        min(delivered_at) FILTER (rank = top) AS delivered_at,
        arg_min(price_eur_cents, row_no) AS price_eur_cents, arg_min(segment_count, row_no) AS segment_count,
        arg_min(unicode, row_no) AS unicode
    FROM topped
    GROUP BY key, cluster
)
SELECT * EXCLUDE (row_no, word), 1 AS occurrence FROM {rows} ANTI JOIN cdr_repeated USING (key)
UNION ALL BY NAME
SELECT * EXCLUDE (row_no, rank, word) FROM alike
UNION ALL BY NAME
SELECT *, 1 AS occurrence FROM same;

-- name: create_messages
-- The id is a UUIDv7 as to its shape: 48 bits of milliseconds, the version, and of the hash of what names the message
-- what fits. So the same message gets the same id, and ids sort by time.
CREATE TABLE {messages} AS
WITH hashed AS (
    SELECT *, md5(key || ':' || occurrence) AS hash, printf('%012x', epoch_ms(sent_at)) AS millis
    FROM cdr_folded
),
named AS (
    SELECT
        * EXCLUDE (key, occurrence, hash, millis),
        (millis || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::UUID AS message_id
    FROM hashed
)
SELECT *, ((row_number() OVER (ORDER BY sent_at, message_id) - 1) // $size)::INTEGER AS chunk_no
FROM named
ORDER BY sent_at, message_id;

-- name: drop_folding
DROP TABLE cdr_folded;
DROP TABLE cdr_repeated;

-- name: drop_rows
DROP TABLE IF EXISTS {rows};

-- name: count_rows
SELECT count(*) FROM {rows};

-- name: count_messages
SELECT count(*), count(DISTINCT chunk_no) FROM {messages};

-- name: find_chunk
SELECT added, updated, unchanged FROM lake.imported_chunks WHERE import_id = $import_id AND chunk_no = $chunk_no;

-- name: take_chunk
CREATE OR REPLACE TEMP TABLE cdr_chunk AS SELECT * EXCLUDE (chunk_no) FROM {messages} WHERE chunk_no = $chunk_no;

-- name: chunk_range
SELECT min(sent_at), max(sent_at) FROM cdr_chunk;

-- name: find_known
-- The messages of the chunk that are there already. The range leaves out the files that cannot hold any of them.
CREATE OR REPLACE TEMP TABLE cdr_known AS
WITH near AS (
    SELECT
        message_id, sent_at, account, country, network, mccmnc, price_eur_cents, delivery_status, error_code,
        delivered_at, gateway, gateway_message_id, receiver
    FROM lake.messages
    WHERE sent_at BETWEEN $first::TIMESTAMP AND $last::TIMESTAMP AND account = $account AND gateway = $gateway
),
pairs AS (
    SELECT near.*, c.message_id AS came_id, c.sent_at AS came_sent_at, c.delivery_status AS came_status,
        c.error_code AS came_code, c.delivered_at AS came_at
    FROM near JOIN cdr_chunk AS c USING (gateway_message_id, receiver)
    WHERE gateway_message_id <> '' AND near.sent_at BETWEEN c.sent_at - $within AND c.sent_at + $within
    UNION ALL
    SELECT near.*, c.message_id AS came_id, c.sent_at AS came_sent_at, c.delivery_status AS came_status,
        c.error_code AS came_code, c.delivered_at AS came_at
    FROM near JOIN cdr_chunk AS c USING (message_id)
    WHERE c.gateway_message_id = ''
)
SELECT * FROM pairs
QUALIFY row_number() OVER (
    PARTITION BY came_id ORDER BY abs(epoch_us(sent_at) - epoch_us(came_sent_at)), message_id
) = 1;

-- name: matched_known
SELECT * EXCLUDE (receiver, came_id, came_sent_at) FROM cdr_known

-- name: find_new
CREATE OR REPLACE TEMP TABLE cdr_new AS
SELECT
    c.*, $account AS account, '' AS campaign_id, $source AS source, $gateway AS gateway
FROM cdr_chunk AS c ANTI JOIN cdr_known AS k ON k.came_id = c.message_id;

-- name: insert_new
INSERT INTO lake.messages BY NAME SELECT * FROM cdr_new ORDER BY sent_at, message_id;

-- name: count_merged
SELECT (SELECT count(*) FROM cdr_new), (SELECT count(*) FROM cdr_known);

-- name: insert_chunk
INSERT INTO lake.imported_chunks BY NAME
SELECT
    $import_id AS import_id, $chunk_no AS chunk_no, $added AS added, $updated AS updated, $unchanged AS unchanged;

-- name: drop_chunk
DROP TABLE settled;
DROP TABLE cdr_new;
DROP TABLE cdr_known;
DROP TABLE cdr_chunk;
