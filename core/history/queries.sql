-- Every block takes {where}: the accounts, the period and the filters, with their bound values.

-- name: page
SELECT {columns}
FROM lake.messages
WHERE {where}
ORDER BY sent_at DESC, message_id DESC
LIMIT $limit OFFSET $offset;

-- name: count
SELECT count(*) FROM lake.messages WHERE {where};

-- name: statistics
-- Transmitted is whatever has no final receipt, so that the three always add up to what was sent.
SELECT
    {groups}
    count(*) AS sent,
    count(*) FILTER (delivery_status = 'Delivered') AS delivered,
    count(*) FILTER (delivery_status = 'Undelivered') AS undelivered,
    count(*) FILTER (delivery_status NOT IN ('Delivered', 'Undelivered')) AS transmitted,
    coalesce(sum(price_eur_cents), 0)::DECIMAL(38, 4) AS cost_eur_cents
FROM lake.messages
WHERE {where}
GROUP BY ALL
ORDER BY ALL;

-- name: totals_by_country
SELECT
    country,
    count(*) AS sent,
    count(*) FILTER (delivery_status = 'Delivered') AS delivered,
    count(*) FILTER (delivery_status = 'Undelivered') AS undelivered,
    coalesce(sum(price_eur_cents), 0)::DECIMAL(38, 4) AS cost_eur_cents
FROM lake.messages
WHERE {where}
GROUP BY country
ORDER BY sent DESC, country;

-- name: sent_by_day
SELECT date_trunc('day', {local})::DATE AS bucket, count(*) AS sent
FROM lake.messages
WHERE {where}
GROUP BY bucket;

-- name: sent_by_hour
-- An hour begins where the local clock shows a full one; taking the offset off again tells the two apart that a
-- clock shows twice when it is put back.
SELECT date_trunc('hour', {local}) - {offset} AS bucket, count(*) AS sent
FROM lake.messages
WHERE {where}
GROUP BY bucket;
