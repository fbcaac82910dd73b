-- name: sent
SELECT coalesce(sum(price_eur_cents), 0) FROM lake.messages WHERE account = $account AND sent_at >= $since::TIMESTAMP;

-- name: sent_of_campaign
SELECT coalesce(sum(price_eur_cents), 0)
FROM lake.messages
WHERE campaign_id = $campaign_id AND sent_at >= $since::TIMESTAMP;

-- name: unknown
-- What was handed over and never answered may have been sent.
SELECT coalesce(sum(audience.price_eur_cents), 0)
FROM lake.unsent AS unsent
JOIN lake.audience AS audience
    ON audience.campaign_id = unsent.campaign_id AND audience.message_id = unsent.message_id
WHERE unsent.outcome = 'unknown'
    AND unsent.campaign_id IN (SELECT unnest($campaign_ids::VARCHAR[]))
    AND unsent.recorded_at >= $since::TIMESTAMP;

-- name: open
-- What the batches that are not settled cost.
SELECT coalesce(sum(price_eur_cents), 0)
FROM lake.audience
WHERE campaign_id = $campaign_id AND batch_no IN (SELECT unnest($batch_nos::INTEGER[]));

-- name: unclaimed
-- The same without the messages that have been claimed.
SELECT coalesce(sum(price_eur_cents), 0)
FROM lake.audience
WHERE campaign_id = $campaign_id
    AND batch_no IN (SELECT unnest($batch_nos::INTEGER[]))
    AND message_id NOT IN (SELECT unnest($message_ids::UUID[]));

-- name: in_ledger
-- What these messages cost, but for those whose batch is in history meanwhile.
SELECT coalesce(sum(price_eur_cents), 0)
FROM lake.audience
WHERE campaign_id = $campaign_id
    AND message_id IN (SELECT unnest($message_ids::UUID[]))
    AND (campaign_id || '-' || batch_no) NOT IN (
        SELECT batch_id FROM lake.appended_batches WHERE campaign_id = $campaign_id
    );
