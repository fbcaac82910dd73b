-- What the rollups do not know. All blocks of one question run in one snapshot, on a temporary table of its cursor.

-- name: recent
-- The log over what the rollups cover, and the messages themselves over the rest.
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
-- Those that have no number yet get the next ones.
SELECT ($last + row_number() OVER ())::INTEGER AS route_id, *
FROM (
    SELECT DISTINCT account, country, network, mccmnc FROM recent
    EXCEPT
    SELECT account, country, network, mccmnc FROM known_routes
);

-- name: read_recent
-- Days as their number since 1970-01-01; bucket -1: no delay.
SELECT
    datediff('day', DATE '1970-01-01', day)::INTEGER AS day, route_id, (price_eur_cents * 10000)::BIGINT AS price,
    coalesce(bucket, -1)::SMALLINT AS bucket, sent::BIGINT AS sent, delivered::BIGINT AS delivered,
    undelivered::BIGINT AS undelivered
FROM recent
JOIN all_routes USING (account, country, network, mccmnc);
