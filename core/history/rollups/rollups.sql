-- name: insert_months
-- {relation} has the columns of lake.messages that are named here.
INSERT INTO lake.message_months
SELECT DISTINCT date_trunc('month', sent_at)::DATE AS month FROM {relation}
EXCEPT
SELECT month FROM lake.message_months;

-- name: log
-- Months that no rollup can hold are counted when theirs are built.
INSERT INTO lake.traffic_log BY NAME
SELECT
    time_bucket(INTERVAL '15 minutes', sent_at::TIMESTAMP) AS slot, account, country, network, mccmnc,
    price_eur_cents, {bucket} AS bucket,
    count(*) AS sent,
    count(*) FILTER (delivery_status = 'Delivered') AS delivered,
    count(*) FILTER (delivery_status = 'Undelivered') AS undelivered
FROM {relation}
WHERE date_trunc('month', sent_at::TIMESTAMP)::DATE IN ({counted_months})
GROUP BY ALL;

-- name: log_changes
-- What a change takes away and what it brings, added up, so that nothing is logged for what stays as it was.
INSERT INTO lake.traffic_log BY NAME
SELECT
    time_bucket(INTERVAL '15 minutes', sent_at::TIMESTAMP) AS slot, account, country, network, mccmnc,
    price_eur_cents, {bucket} AS bucket,
    sum(weight) AS sent,
    coalesce(sum(weight) FILTER (delivery_status = 'Delivered'), 0) AS delivered,
    coalesce(sum(weight) FILTER (delivery_status = 'Undelivered'), 0) AS undelivered
FROM (
    SELECT {columns}, -1 AS weight FROM {before}
    UNION ALL
    SELECT {columns}, 1 AS weight FROM {after}
)
WHERE date_trunc('month', sent_at::TIMESTAMP)::DATE IN ({counted_months})
GROUP BY ALL
HAVING sum(weight) <> 0
    OR coalesce(sum(weight) FILTER (delivery_status = 'Delivered'), 0) <> 0
    OR coalesce(sum(weight) FILTER (delivery_status = 'Undelivered'), 0) <> 0
ORDER BY slot;

-- name: counted_months
-- The months of UTC that lie in a calendar's month whose rollups are there, wholly or in part.
SELECT unnest([month - INTERVAL 1 MONTH, month, month + INTERVAL 1 MONTH])::DATE FROM lake.rollup_months

-- name: count_log
SELECT count(*) FROM lake.traffic_log;

-- name: insert_routes
-- {relation} has the columns that are named here, of lake.messages or of the log.
INSERT INTO lake.routes BY NAME
SELECT
    coalesce((SELECT max(route_id) FROM lake.routes), 0)
        + row_number() OVER (ORDER BY account, country, network, mccmnc) AS route_id,
    account, country, network, mccmnc
FROM (
    SELECT DISTINCT account, country, network, mccmnc FROM {relation}
    EXCEPT
    SELECT account, country, network, mccmnc FROM lake.routes
);

-- name: insert_series
INSERT INTO lake.series BY NAME
SELECT
    coalesce((SELECT max(series_id) FROM lake.series), 0)
        + row_number() OVER (ORDER BY route_id, price_eur_cents) AS series_id,
    route_id, price_eur_cents
FROM (
    SELECT DISTINCT route_id, price_eur_cents
    FROM {relation}
    JOIN lake.routes USING (account, country, network, mccmnc)
    EXCEPT
    SELECT route_id, price_eur_cents FROM lake.series
);

-- name: list_months
SELECT month FROM lake.message_months ORDER BY month;

-- name: list_built
SELECT calendar, month FROM lake.rollup_months ORDER BY calendar, month;

-- name: fold
-- The log by day of one calendar, as far as its months are there.
CREATE TEMP TABLE folding AS
SELECT
    (slot + {offset})::DATE AS day, series_id, price_eur_cents, bucket,
    sum(sent) AS sent, sum(delivered) AS delivered, sum(undelivered) AS undelivered
FROM lake.traffic_log
JOIN lake.routes USING (account, country, network, mccmnc)
JOIN lake.series USING (route_id, price_eur_cents)
WHERE slot >= $since
    AND date_trunc('month', slot + {offset})::DATE IN (
        SELECT month FROM lake.rollup_months WHERE calendar = $calendar
    )
GROUP BY ALL
HAVING sum(sent) <> 0 OR sum(delivered) <> 0 OR sum(undelivered) <> 0;

-- name: touch
-- The days to be written: those of folding, and of months that were patched often enough all there are.
CREATE TEMP TABLE touched AS
SELECT DISTINCT day, date_trunc('month', day)::DATE AS month FROM folding
UNION
SELECT unnest(generate_series(month, last_day(month), INTERVAL 1 DAY))::DATE AS day, month
FROM lake.rollup_months
WHERE calendar = $calendar AND patch_count >= $most
    AND month IN (SELECT date_trunc('month', day)::DATE FROM folding);

-- name: touch_nothing
CREATE TEMP TABLE touched (day DATE, month DATE);

-- name: list_touched
SELECT min(day), max(day) FROM touched;

-- name: drop_old_patches
-- Of a month that is just written anew only the last patch of each day counts.
DELETE FROM lake.rollup_patches AS p
USING (SELECT day, max(version) AS version FROM lake.rollup_patches WHERE calendar = $calendar GROUP BY day) AS newest
WHERE p.calendar = $calendar AND p.day = newest.day AND p.version < newest.version
    AND date_trunc('month', p.day)::DATE IN (
        SELECT month FROM lake.rollup_months WHERE calendar = $calendar AND patch_count >= $most
        INTERSECT
        SELECT month FROM touched
    );

-- name: insert_patches
-- The lake has one writer at a time: the snapshot that a writer starts from is no other's.
INSERT INTO lake.rollup_patches BY NAME
SELECT $calendar AS calendar, day, (SELECT id FROM ducklake_current_snapshot('lake')) AS version
FROM (SELECT DISTINCT day FROM folding);

-- name: count_patches
UPDATE lake.rollup_months
SET patch_count = CASE WHEN patch_count >= $most THEN 0 ELSE patch_count + 1 END
WHERE calendar = $calendar AND month IN (SELECT month FROM touched);

-- name: drop_touched
DROP TABLE touched;

-- name: add_up_traffic
-- What is kept, with what folding has of it on top.
CREATE TEMP TABLE added_up AS
SELECT
    day, id, sum(sent)::BIGINT AS sent, sum(delivered)::BIGINT AS delivered,
    sum(undelivered)::BIGINT AS undelivered, sum(cost_eur_cents)::DECIMAL(18, 4) AS cost_eur_cents
FROM (
    SELECT day, id, sent, delivered, undelivered, cost_eur_cents
    FROM lake.{table}
    WHERE calendar = $calendar AND day BETWEEN $first AND $last AND day IN (SELECT day FROM touched)
    UNION ALL
    SELECT day, series_id, sent, delivered, undelivered, sent * price_eur_cents FROM folding
)
GROUP BY ALL
HAVING sum(sent) <> 0;

-- name: add_up_delays
CREATE TEMP TABLE added_up AS
SELECT day, id, bucket, sum(messages)::BIGINT AS messages
FROM (
    SELECT day, id, bucket, messages
    FROM lake.{table}
    WHERE calendar = $calendar AND day BETWEEN $first AND $last AND day IN (SELECT day FROM touched)
    UNION ALL
    SELECT day, series_id, bucket, delivered FROM folding WHERE bucket IS NOT NULL
)
GROUP BY ALL
HAVING sum(messages) <> 0;

-- name: replace_delete
-- The bounds leave out the files of other months.
DELETE FROM lake.{table}
WHERE calendar = $calendar AND day BETWEEN $first AND $last AND day IN (SELECT day FROM touched);

-- name: replace_insert
INSERT INTO lake.{table} BY NAME SELECT $calendar AS calendar, * FROM added_up ORDER BY ALL;

-- name: drop_added_up
DROP TABLE added_up;

-- name: drop_folding
DROP TABLE folding;

-- name: clear_log
DELETE FROM lake.traffic_log;

-- name: count_month
-- The month's messages by day, as a table: DuckLake would sort while it counts.
CREATE TEMP TABLE folding AS
SELECT day, series_id, price_eur_cents, bucket, sent, delivered, undelivered
FROM (
    SELECT
        (sent_at + {offset})::DATE AS day, account, country, network, mccmnc, price_eur_cents, {bucket} AS bucket,
        count(*) AS sent,
        count(*) FILTER (delivery_status = 'Delivered') AS delivered,
        count(*) FILTER (delivery_status = 'Undelivered') AS undelivered
    FROM lake.messages
    WHERE sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP
    GROUP BY ALL
)
JOIN lake.routes USING (account, country, network, mccmnc)
JOIN lake.series USING (route_id, price_eur_cents);

-- name: list_unknown
-- What the month's messages go by. As a table: what is inserted is read several times.
CREATE TEMP TABLE unknown AS
SELECT DISTINCT account, country, network, mccmnc, price_eur_cents
FROM lake.messages
WHERE sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP;

-- name: drop_unknown
DROP TABLE unknown;

-- name: delete_month
DELETE FROM lake.{table} WHERE calendar = $calendar AND day BETWEEN $first AND $last;

-- name: forget_patches
DELETE FROM lake.rollup_patches WHERE calendar = $calendar AND day BETWEEN $first AND $last;

-- name: forget_month
DELETE FROM lake.rollup_months WHERE calendar = $calendar AND month = $month;

-- name: mark_month
INSERT INTO lake.rollup_months BY NAME
SELECT
    $calendar AS calendar, $month AS month, 0 AS patch_count,
    (SELECT id FROM ducklake_current_snapshot('lake')) AS version;

-- name: compare_traffic
-- Rows in which a rollup and the messages differ, both ways round.
WITH kept AS (
    SELECT day, id, sent, delivered, undelivered, cost_eur_cents
    FROM lake.{table}
    WHERE calendar = $calendar AND day BETWEEN $first AND $last
),
counted AS (
    SELECT
        day, series_id AS id, sum(sent)::BIGINT AS sent, sum(delivered)::BIGINT AS delivered,
        sum(undelivered)::BIGINT AS undelivered, sum(sent * price_eur_cents)::DECIMAL(18, 4) AS cost_eur_cents
    FROM folding
    GROUP BY ALL
)
SELECT count(*) FROM ((FROM kept EXCEPT ALL FROM counted) UNION ALL (FROM counted EXCEPT ALL FROM kept));

-- name: compare_delays
WITH kept AS (
    SELECT day, id, bucket, messages
    FROM lake.{table}
    WHERE calendar = $calendar AND day BETWEEN $first AND $last
),
counted AS (
    SELECT day, series_id AS id, bucket, sum(delivered)::BIGINT AS messages
    FROM folding
    WHERE bucket IS NOT NULL
    GROUP BY ALL
)
SELECT count(*) FROM ((FROM kept EXCEPT ALL FROM counted) UNION ALL (FROM counted EXCEPT ALL FROM kept));
