-- How far the rollups reach in a snapshot of the lake, and what their numbers mean.

-- name: list_versions
-- A month as it was built (day NULL), and the last patch of each of its days since.
SELECT calendar, month, NULL::DATE AS day, version FROM lake.rollup_months
UNION ALL
SELECT calendar, date_trunc('month', day)::DATE, day, max(version) FROM lake.rollup_patches GROUP BY ALL
ORDER BY ALL;

-- name: list_routes
SELECT route_id, account, country, network, mccmnc FROM lake.routes ORDER BY route_id;

-- name: list_series
SELECT series_id, route_id, (price_eur_cents * 10000)::BIGINT AS price FROM lake.series ORDER BY series_id;
