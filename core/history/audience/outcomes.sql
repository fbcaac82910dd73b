-- name: rows
-- What became of an audience, row by row: what is settled, and what is not, as batches and ledger have it. A batch that
-- is settled while this is asked may be in both: then the ledger's word counts.
WITH ledger AS (
    SELECT
        unnest($ids::VARCHAR[]) AS message_id, unnest($outcomes::VARCHAR[]) AS outcome,
        unnest($reasons::VARCHAR[]) AS reason
),
open AS (
    SELECT
        a.message_id::VARCHAR AS message_id, a.msisdn, a.country, a.network, a.mccmnc,
        coalesce(ledger.outcome, 'pending') AS outcome, coalesce(ledger.reason, '') AS reason
    FROM lake.audience AS a
    LEFT JOIN ledger ON ledger.message_id = a.message_id::VARCHAR
    WHERE a.campaign_id = $campaign_id AND a.batch_no IN (SELECT unnest($batch_nos::INTEGER[]))
),
settled AS (
    SELECT message_id::VARCHAR AS message_id, receiver AS msisdn, country, network, mccmnc, 'sent' AS outcome, '' AS reason
    FROM lake.messages
    WHERE campaign_id = $campaign_id AND sent_at >= $since::TIMESTAMP
    UNION ALL
    SELECT message_id::VARCHAR, msisdn, country, network, mccmnc, outcome, reason
    FROM lake.unsent
    WHERE campaign_id = $campaign_id
),
found AS MATERIALIZED (
    SELECT msisdn, country, network, mccmnc, reason
    FROM (
        FROM open
        UNION ALL
        SELECT * FROM settled WHERE message_id IS NULL OR message_id NOT IN (SELECT message_id FROM open)
    )
    WHERE outcome = $outcome AND ($reason IS NULL OR reason = $reason)
)
-- Not count(*) OVER (): over few rows that sometimes ends DuckDB 1.5.5 (its issue 25713).
SELECT *, (SELECT count(*) FROM found) AS total
FROM found
ORDER BY msisdn
LIMIT $limit OFFSET $offset;
