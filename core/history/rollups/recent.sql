-- What the rollups do not know: counts by route, price and bucket of the delay.

-- name: logged
-- The log, of everybody: moments of the slots in seconds since 1970-01-01; bucket -1: no delay.
SELECT
    epoch(slot)::BIGINT AS moment, account, country, network, mccmnc, (price_eur_cents * 10000)::BIGINT AS price,
    coalesce(bucket, -1)::SMALLINT AS bucket,
    sum(sent)::BIGINT AS sent, sum(delivered)::BIGINT AS delivered, sum(undelivered)::BIGINT AS undelivered
FROM lake.traffic_log
GROUP BY ALL;

-- name: messages
-- The messages themselves, by the local day's beginning.
SELECT
    epoch((sent_at + {offset})::DATE)::BIGINT AS moment, account, country, network, mccmnc,
    (price_eur_cents * 10000)::BIGINT AS price, coalesce({bucket}, -1)::SMALLINT AS bucket,
    count(*) AS sent,
    count(*) FILTER (delivery_status = 'Delivered') AS delivered,
    count(*) FILTER (delivery_status = 'Undelivered') AS undelivered
FROM lake.messages
WHERE {within} AND {accounts}
GROUP BY ALL;
