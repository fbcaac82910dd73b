-- All blocks of one question run in one snapshot, on temporary tables of its own cursor.

-- name: recent
-- What the rollups do not know: the log over what they cover, and the messages themselves over the rest.
CREATE TEMP TABLE recent AS
SELECT
    day, account, country, network, mccmnc, price_eur_cents, bucket,
    sum(sent) AS sent, sum(delivered) AS delivered, sum(undelivered) AS undelivered
FROM ({sources})
GROUP BY ALL;

-- name: logged
SELECT
    (slot + {offset})::DATE AS day, account, country, network, mccmnc, price_eur_cents, bucket,
    sent, delivered, undelivered
FROM lake.traffic_log
WHERE {within} AND {accounts}

-- name: messages
SELECT
    (sent_at + {offset})::DATE AS day, account, country, network, mccmnc, price_eur_cents, {bucket} AS bucket,
    count(*) AS sent,
    count(*) FILTER (delivery_status = 'Delivered') AS delivered,
    count(*) FILTER (delivery_status = 'Undelivered') AS undelivered
FROM lake.messages
WHERE {within} AND {accounts}
GROUP BY ALL

-- name: unknown_routes
-- Those that have no number yet; theirs are below zero.
SELECT -(row_number() OVER ())::INTEGER AS route_id, *
FROM (
    SELECT DISTINCT account, country, network, mccmnc FROM recent
    EXCEPT
    SELECT account, country, network, mccmnc FROM known_routes
);

-- name: all_series
-- Those of the routes that are asked for.
CREATE TEMP TABLE all_series AS
SELECT series_id, route_id, price_eur_cents FROM lake.series
WHERE route_id IN (SELECT route_id FROM asked_routes);

-- name: unknown_series
INSERT INTO all_series BY NAME
SELECT -(row_number() OVER ())::INTEGER AS series_id, *
FROM (
    SELECT DISTINCT route_id, price_eur_cents
    FROM recent
    JOIN asked_routes USING (account, country, network, mccmnc)
    EXCEPT
    SELECT route_id, price_eur_cents FROM all_series
);

-- name: route_groups
-- Which group an id counts in, and whether it is alone there.
CREATE OR REPLACE TEMP TABLE groups AS
SELECT route_id AS id, {group_no} AS group_no, count(*) OVER (PARTITION BY {group_no}) = 1 AS is_alone
FROM asked_routes;

-- name: series_groups
CREATE OR REPLACE TEMP TABLE groups AS
SELECT
    series_id AS id, {group_no} AS group_no, price_eur_cents,
    count(*) OVER (PARTITION BY {group_no}, price_eur_cents) = 1 AS is_alone
FROM all_series
JOIN asked_routes USING (route_id);

-- name: count_recent
SELECT count(*) FROM recent;

-- name: recent_of_route
SELECT {span} AS time, route_id AS id, sent, delivered, undelivered, sent * price_eur_cents AS cost_eur_cents
FROM recent
JOIN asked_routes USING (account, country, network, mccmnc)

-- name: recent_of_series
SELECT {span} AS time, series_id AS id, sent, delivered, undelivered, sent * price_eur_cents AS cost_eur_cents
FROM recent
JOIN asked_routes USING (account, country, network, mccmnc)
JOIN all_series USING (route_id, price_eur_cents)

-- name: rolled_up
SELECT {span} AS time, id, sent, delivered, undelivered, cost_eur_cents FROM lake.{table} WHERE {within}

-- name: nothing
SELECT NULL::DATE AS time, 0 AS id, 0::BIGINT AS sent, 0::BIGINT AS delivered, 0::BIGINT AS undelivered,
    0::DECIMAL(18, 4) AS cost_eur_cents
WHERE false

-- name: list_extra_times
SELECT DISTINCT time FROM ({sources});

-- name: count_alone
SELECT count(*) FILTER (is_alone), count(*) FROM groups;

-- name: merged
-- The groups that several rows make up together.
CREATE OR REPLACE TEMP TABLE merged AS
SELECT
    {keys} sum(sent)::BIGINT AS sent, sum(delivered)::BIGINT AS delivered,
    sum(undelivered)::BIGINT AS undelivered, sum(cost_eur_cents)::DECIMAL(38, 4) AS cost_eur_cents
FROM ({sources})
JOIN groups USING (id)
WHERE {where}
GROUP BY ALL
HAVING sum(sent) <> 0;

-- name: alone
-- The rows of the rollup that are groups as they stand.
SELECT {keys} sent, delivered, undelivered, cost_eur_cents::DECIMAL(38, 4) AS cost_eur_cents
FROM ({rolled_up})
JOIN groups USING (id)
WHERE {alone}

-- name: page
CREATE OR REPLACE TEMP TABLE page AS
SELECT row_number() OVER () AS position, *
FROM (SELECT grouped.* FROM ({grouped}) AS grouped {joined} ORDER BY {order} {limit});

-- name: fetch_page
SELECT * FROM page ORDER BY position;

-- name: sums
SELECT
    {key} AS key, count(*) AS groups, sum(sent)::BIGINT AS sent, sum(delivered)::BIGINT AS delivered,
    sum(undelivered)::BIGINT AS undelivered, sum(cost_eur_cents)::DECIMAL(38, 4) AS cost_eur_cents
FROM ({grouped}) {joined}
GROUP BY ALL
ORDER BY key;

-- name: quantiles
-- The bucket in which a quantile lies: the first up to which its share of the delivered messages is reached.
WITH counted AS (
    SELECT {keys} bucket, sum(messages) AS messages
    FROM ({sources}) AS delays
    JOIN groups USING (id)
    {only}
    GROUP BY ALL
),
running AS (
    SELECT
        *, sum(messages) OVER ({by} ORDER BY bucket) AS so_far, sum(messages) OVER ({by}) AS total
    FROM counted
)
SELECT
    {names}
    min(bucket) FILTER (so_far >= ceil(total * $median)) AS median,
    min(bucket) FILTER (so_far >= ceil(total * $high)) AS high
FROM running
GROUP BY ALL;

-- name: delays
SELECT {span} AS time, id, bucket, messages FROM lake.{table} WHERE {within}

-- name: recent_delays_of_route
SELECT {span} AS time, route_id AS id, bucket, delivered AS messages
FROM recent
JOIN asked_routes USING (account, country, network, mccmnc)
WHERE bucket IS NOT NULL

-- name: recent_delays_of_series
SELECT {span} AS time, series_id AS id, bucket, delivered AS messages
FROM recent
JOIN asked_routes USING (account, country, network, mccmnc)
JOIN all_series USING (route_id, price_eur_cents)
WHERE bucket IS NOT NULL
