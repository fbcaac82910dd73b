-- name: contacts
-- The rows of one list, with the cells of the placeholders.
SELECT
    {number}::UTINYINT AS list_no, row_no, ({number}::BIGINT << 32) + row_no AS place,
    msisdn::BIGINT AS number, msisdn, country, network, mccmnc{cells}
FROM lake.contacts
WHERE list_id = $list_{number}

-- name: is_left_out
number IN (SELECT msisdn::BIGINT FROM lake.contacts WHERE list_id IN ({list_ids}))

-- name: judge
-- recipients.py puts it together and says what comes out. In {{text}}, the only part that joins a whole message, it is
-- evaluated for few rows unless it is wanted for all.
CREATE TABLE {target} AS
WITH contact AS (
    {contacts}
),
again AS (
    -- One number is compared sooner than two columns.
    SELECT number, min(place) AS first FROM contact GROUP BY number HAVING count(*) > 1
),
price AS (
    SELECT country, mccmnc, max(price_eur_cents) AS price_eur_cents FROM prices GROUP BY ALL
),
cell AS (
    SELECT *{cells} FROM contact
),
filled AS (
    SELECT *{values} FROM cell
),
looked_at AS (
    SELECT *{plains} FROM filled
),
picked AS (
    SELECT *{odds} FROM looked_at
),
sized AS (
    SELECT *{sizes} FROM picked
),
summed AS (
    SELECT *,
        {sums}
    FROM sized
),
measured AS (
    SELECT *, ({segments})::INTEGER AS segment_count
    FROM summed
),
priced AS (
    SELECT
        m.*,
        again.first IS NOT NULL AND again.first <> m.place AS is_duplicate,
        coalesce(
            by_network.price_eur_cents, by_country.price_eur_cents, anywhere.price_eur_cents,
            CASE WHEN NOT EXISTS (FROM price) THEN 0::DECIMAL(12, 4) END
        ) AS segment_price
    FROM measured AS m
    LEFT JOIN again USING (number)
    LEFT JOIN price AS by_network ON by_network.country = m.country AND by_network.mccmnc = m.mccmnc
    LEFT JOIN price AS by_country ON by_country.country = m.country AND by_country.mccmnc = ''
    LEFT JOIN price AS anywhere ON anywhere.country = '' AND anywhere.mccmnc = ''
)
SELECT
    list_no, row_no, number, msisdn, country, network, mccmnc,
    CASE WHEN is_gsm7 THEN 'gsm7' ELSE 'ucs2' END AS encoding,
    segment_count,
    CASE WHEN is_gsm7 THEN segment_count ELSE {plain_segments} END::INTEGER AS plain_count,
    segment_price,
    (segment_price * segment_count)::DECIMAL(12, 4) AS price_eur_cents,
    CASE
        WHEN is_duplicate THEN $duplicate
        WHEN {is_left_out} THEN $left_out
        WHEN {is_suppressed} THEN $suppressed
        WHEN {is_suppressed_everywhere} THEN $suppressed_everywhere
        WHEN {is_empty} THEN $empty_message
        WHEN segment_count > $most_segments THEN $too_long
        WHEN segment_price IS NULL THEN $no_price
        ELSE ''
    END AS reason{kept}{text}
FROM priced;
