-- What the rollups do not know. All blocks of one reading run in one snapshot, on a temporary table of its cursor.

-- name: logged
-- The log, of everybody.
CREATE TEMP TABLE recent AS
SELECT
    epoch(slot)::BIGINT AS moment, account, country, network, mccmnc, price_eur_cents, bucket,
    sum(sent) AS sent, sum(delivered) AS delivered, sum(undelivered) AS undelivered
FROM lake.traffic_log
GROUP BY ALL;

-- name: messages
-- The messages themselves, by the local day's beginning.
CREATE TEMP TABLE recent AS
SELECT
    epoch((sent_at + {offset})::DATE)::BIGINT AS moment, account, country, network, mccmnc, price_eur_cents,
    {bucket} AS bucket,
    count(*) AS sent,
    count(*) FILTER (delivery_status = 'Delivered') AS delivered,
    count(*) FILTER (delivery_status = 'Undelivered') AS undelivered
FROM lake.messages
WHERE {within} AND {accounts}
GROUP BY ALL;

-- name: unknown_routes
-- Those that have no number yet get the next ones.
SELECT ($last + row_number() OVER ())::INTEGER AS route_id, *
FROM (
    SELECT DISTINCT account, country, network, mccmnc FROM recent
    EXCEPT
    SELECT account, country, network, mccmnc FROM known_routes
);

-- name: read_recent
-- Moments as seconds since 1970-01-01; bucket -1: no delay.
SELECT
    moment, route_id, (price_eur_cents * 10000)::BIGINT AS price, coalesce(bucket, -1)::SMALLINT AS bucket,
    sent::BIGINT AS sent, delivered::BIGINT AS delivered, undelivered::BIGINT AS undelivered
FROM recent
JOIN all_routes USING (account, country, network, mccmnc);

-- name: drop_recent
DROP TABLE recent;
