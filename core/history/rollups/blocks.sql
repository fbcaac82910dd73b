-- Months of the rollups as they go into memory, and single days of them. Money is in ten thousandths of an EUR cent.

-- name: traffic
SELECT
    (day - $month::DATE)::SMALLINT AS day, id, sent, delivered, undelivered, (cost_eur_cents * 10000)::BIGINT AS cost
FROM lake.series_days
WHERE calendar = $calendar AND day BETWEEN $first AND $last AND ($days IS NULL OR list_contains($days, day))
ORDER BY day, id;

-- name: delays
SELECT (day - $month::DATE)::SMALLINT AS day, id, bucket, messages
FROM lake.series_delay_days
WHERE calendar = $calendar AND day BETWEEN $first AND $last AND ($days IS NULL OR list_contains($days, day))
ORDER BY day, id, bucket;
