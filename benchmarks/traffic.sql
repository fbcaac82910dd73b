-- A year of messages of a made-up company, the same for the same seed. Every block takes bound values.

-- name: insert_hours
-- rows_of_hours: start TIMESTAMP, first BIGINT, messages BIGINT. choices: slot (0..65535) -> series_no;
-- series: what a message's account, destination, price and delays follow from.
INSERT INTO {target} BY NAME
WITH numbered AS (
    SELECT start, messages, first + unnest(range(messages)) AS number, unnest(range(messages)) AS position
    FROM rows_of_hours
),
drawn AS (
    SELECT
        number, start, position, messages,
        hash(number, $seed) AS a, hash(number, $seed + 1) AS b, hash(number, $seed + 2) AS c
    FROM numbered
),
timed AS (
    SELECT
        *,
        start + to_microseconds(((position + (a & 1023) / 1024.0) * 3600000000 / messages)::BIGINT) AS sent_at,
        (b & 1048575) / 1048576.0 AS fate,
        CASE WHEN (c >> 8) & 127 < 109 THEN 1 WHEN (c >> 8) & 127 < 124 THEN 2 ELSE 3 END AS segment_count,
        -- Two uniform numbers make a normal one (Box and Muller).
        sqrt(-2 * ln(((b >> 20) & 65535 | 1) / 65536.0)) * cos(2 * pi() * ((b >> 36) & 65535) / 65536.0) AS z
    FROM drawn
)
SELECT
    (format('{{:012x}}', epoch_ms(t.sent_at)) || '7' || right(format('{{:016x}}', a), 3)
        || 'a' || right(format('{{:016x}}', hash(number)), 15))::UUID AS message_id,
    t.sent_at,
    s.account,
    CASE WHEN c & 255 < 102 THEN md5(s.account || ((number // 40000)::VARCHAR))::UUID::VARCHAR ELSE '' END AS campaign_id,
    CASE WHEN c & 255 < 102 THEN 'campaign' ELSE 'api' END AS source,
    s.prefix || lpad(((c >> 20) % s.receivers)::VARCHAR, s.digits, '0') AS receiver,
    s.senders[(1 + ((c >> 16) & 3))::INTEGER] AS sender,
    s.country, s.network, s.mccmnc,
    CASE WHEN fate < $lost THEN 'Submitted' WHEN fate < $lost + s.failing THEN 'Undelivered' ELSE 'Delivered' END
        AS delivery_status,
    CASE WHEN fate >= $lost AND fate < $lost + s.failing THEN s.errors[(1 + (c >> 30) % len(s.errors))::INTEGER] ELSE '' END
        AS error_code,
    CASE WHEN fate >= $lost THEN
        t.sent_at + to_milliseconds(least(exp(s.delay_mu + 0.9 * z), 172800) * 1000)
    END AS delivered_at,
    (s.prices[1 + datediff('month', $first_month::DATE, t.sent_at::DATE)] * segment_count)::DECIMAL(12, 4)
        AS price_eur_cents,
    segment_count::INTEGER AS segment_count,
    (c >> 17) & 7 = 0 AS unicode,
    'smpp' AS gateway,
    format('{{:016x}}', a) AS gateway_message_id
FROM timed AS t
JOIN choices ON choices.slot = (a >> 20) & 65535
JOIN series AS s USING (series_no)
ORDER BY t.sent_at;

-- name: insert_months
-- What is inserted past the store that logs what it writes.
INSERT INTO lake.message_months
SELECT DISTINCT date_trunc('month', start)::DATE FROM rows_of_hours
EXCEPT
SELECT month FROM lake.message_months;
