-- name: render
-- One row per contact of the list. {text} is an expression over fields, built from the message's parts.
-- reason is '' for a row that is kept; position and batch_no count the kept rows, from 1, in file order.
CREATE TABLE {scratch} AS
WITH rendered AS (
    SELECT
        row_no, msisdn, country, network, mccmnc, {text} AS text,
        row_number() OVER (PARTITION BY msisdn ORDER BY row_no) AS occurrence
    FROM lake.contacts
    WHERE list_id = $list_id
),
price AS (
    SELECT country, mccmnc, max(price_eur_cents) AS price_eur_cents FROM prices GROUP BY ALL
),
priced AS (
    SELECT
        r.*,
        sms_encoding(r.text) AS encoding,
        sms_segment_count(r.text) AS segment_count,
        coalesce(
            by_network.price_eur_cents, by_country.price_eur_cents, anywhere.price_eur_cents,
            CASE WHEN NOT EXISTS (FROM price) THEN 0::DECIMAL(12, 4) END
        ) AS segment_price
    FROM rendered AS r
    LEFT JOIN price AS by_network ON by_network.country = r.country AND by_network.mccmnc = r.mccmnc
    LEFT JOIN price AS by_country ON by_country.country = r.country AND by_country.mccmnc = ''
    LEFT JOIN price AS anywhere ON anywhere.country = '' AND anywhere.mccmnc = ''
),
judged AS (
    SELECT
        * EXCLUDE (occurrence),
        CASE
            WHEN occurrence > 1 THEN $duplicate
            WHEN NOT regexp_matches(text, '[^\s\p{{Z}}]') THEN $empty_message
            WHEN segment_count > $most_segments THEN $too_long
            WHEN segment_price IS NULL THEN $no_price
            ELSE ''
        END AS reason
    FROM priced
)
SELECT
    * EXCLUDE (segment_price),
    (segment_price * segment_count)::DECIMAL(12, 4) AS price_eur_cents,
    (row_number() OVER (PARTITION BY reason = '' ORDER BY row_no))::INTEGER AS position,
    ((position - 1) // $batch_size + 1)::INTEGER AS batch_no
FROM judged;

-- name: insert_kept
INSERT INTO lake.audience BY NAME
SELECT
    $campaign_id AS campaign_id, batch_no, position, uuidv7() AS message_id, msisdn, country, network, mccmnc,
    text, encoding, segment_count, price_eur_cents
FROM {scratch}
WHERE reason = ''
ORDER BY position;

-- name: insert_excluded
INSERT INTO lake.unsent BY NAME
SELECT
    $campaign_id AS campaign_id, NULL AS message_id, msisdn, 'excluded' AS outcome, reason, country, network, mccmnc,
    $now::TIMESTAMP AS recorded_at
FROM {scratch}
WHERE reason <> ''
ORDER BY row_no;

-- name: insert_frozen
INSERT INTO lake.frozen_audiences BY NAME
SELECT
    $campaign_id AS campaign_id, $list_id AS list_id, count(*) AS audience_count, $now::TIMESTAMP AS frozen_at
FROM {scratch};

-- name: find_frozen
SELECT audience_count FROM lake.frozen_audiences WHERE campaign_id = $campaign_id;

-- name: excluded
-- What is excluded later, while sending, has a message_id.
SELECT reason, count(*)
FROM lake.unsent
WHERE campaign_id = $campaign_id AND outcome = 'excluded' AND message_id IS NULL
GROUP BY reason
ORDER BY reason;

-- name: batches
SELECT batch_no, count(*), sum(segment_count)
FROM lake.audience
WHERE campaign_id = $campaign_id
GROUP BY batch_no
ORDER BY batch_no;

-- name: batch
SELECT
    position, message_id, msisdn, country, network, mccmnc, text, encoding, segment_count, price_eur_cents
FROM lake.audience
WHERE campaign_id = $campaign_id AND batch_no = $batch_no
ORDER BY position;
