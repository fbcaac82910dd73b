-- name: sent
SELECT coalesce(sum(price_eur_cents), 0) FROM lake.messages WHERE account = $account AND sent_at >= $since::TIMESTAMP;

-- name: open
-- What the batches that are not settled cost.
SELECT coalesce(sum(price_eur_cents), 0)
FROM lake.audience
WHERE campaign_id = $campaign_id AND batch_no IN (SELECT unnest($batch_nos::INTEGER[]));
