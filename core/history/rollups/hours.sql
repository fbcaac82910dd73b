-- Messages by the hour.

-- name: sent_by_hour
-- An hour begins where the local clock shows a full one; taking the offset off again tells the two apart that a
-- clock shows twice when it is put back. In seconds since 1970-01-01.
SELECT epoch(date_trunc('hour', sent_at + {offset}) - {offset})::BIGINT AS hour, account, count(*) AS sent
FROM lake.messages
WHERE {where}
GROUP BY ALL;
