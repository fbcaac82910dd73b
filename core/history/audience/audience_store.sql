-- {scratch} is what recipients.sql makes, with texts.

-- name: insert_kept
INSERT INTO lake.audience BY NAME
SELECT
    $campaign_id AS campaign_id, ((position - 1) // $batch_size + 1)::INTEGER AS batch_no, position,
    uuidv7() AS message_id, msisdn, country, network, mccmnc, text, encoding, segment_count, price_eur_cents
FROM (
    SELECT *, (row_number() OVER (ORDER BY list_no, row_no))::INTEGER AS position FROM {scratch} WHERE reason = ''
)
ORDER BY position;

-- name: insert_excluded
INSERT INTO lake.unsent BY NAME
SELECT
    $campaign_id AS campaign_id, NULL AS message_id, msisdn, 'excluded' AS outcome, reason, country, network, mccmnc,
    $now::TIMESTAMP AS recorded_at
FROM {scratch}
WHERE reason <> ''
ORDER BY list_no, row_no;

-- name: insert_frozen
INSERT INTO lake.frozen_audiences BY NAME
SELECT
    $campaign_id AS campaign_id, $list_ids AS list_id, count(*) AS audience_count, $now::TIMESTAMP AS frozen_at
FROM {scratch};

-- name: find_frozen
SELECT audience_count FROM lake.frozen_audiences WHERE campaign_id = $campaign_id;

-- name: excluded
-- What is excluded later, while sending, has a message_id.
SELECT reason, count(*)
FROM lake.unsent
WHERE campaign_id = $campaign_id AND outcome = 'excluded' AND message_id IS NULL
GROUP BY reason
ORDER BY reason;

-- name: batches
SELECT batch_no, count(*), sum(segment_count), sum(price_eur_cents)
FROM lake.audience
WHERE campaign_id = $campaign_id
GROUP BY batch_no
ORDER BY batch_no;

-- name: batch
SELECT
    position, message_id, msisdn, country, network, mccmnc, text, encoding, segment_count, price_eur_cents
FROM lake.audience
WHERE campaign_id = $campaign_id AND batch_no = $batch_no
ORDER BY position;

-- name: forget_kept
DELETE FROM lake.audience WHERE campaign_id IN (SELECT unnest($campaign_ids::VARCHAR[]));

-- name: forget_unsent
DELETE FROM lake.unsent WHERE campaign_id IN (SELECT unnest($campaign_ids::VARCHAR[]));
