-- name: sent_by_hour
-- An hour begins where the local clock shows a full one; taking the offset off again tells the two apart that a
-- clock shows twice when it is put back.
SELECT date_trunc('hour', sent_at + {offset}) - {offset} AS bucket, account, count(*) AS sent
FROM lake.messages
WHERE {where}
GROUP BY ALL;
