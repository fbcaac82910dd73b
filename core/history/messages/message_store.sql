-- name: find_appended
SELECT message_count FROM lake.appended_batches WHERE batch_id = $batch_id;

-- name: insert_messages
INSERT INTO lake.messages BY NAME
SELECT {columns} FROM incoming_messages ORDER BY sent_at, message_id;

-- name: insert_unsent
INSERT INTO lake.unsent BY NAME
SELECT
    $campaign_id AS campaign_id, message_id::UUID AS message_id, msisdn, outcome, reason, country, network, mccmnc,
    recorded_at
FROM incoming_unsent;

-- name: insert_known_receipts
INSERT INTO lake.receipts BY NAME
SELECT * REPLACE (message_id::UUID AS message_id) FROM known_receipts ORDER BY sent_at, message_id;

-- name: find_unanswered
-- The audience still has what a message needs that the unsent row has not.
SELECT
    u.campaign_id, u.message_id::VARCHAR AS message_id, u.msisdn, u.country, u.network, u.mccmnc, a.encoding,
    a.segment_count, a.price_eur_cents
FROM lake.unsent AS u
JOIN lake.audience AS a ON a.campaign_id = u.campaign_id AND a.message_id = u.message_id
WHERE u.outcome = 'unknown' AND u.message_id IN (SELECT unnest($message_ids::UUID[]))
ORDER BY u.campaign_id, a.position;

-- name: still_unanswered
SELECT message_id::VARCHAR
FROM lake.unsent
WHERE campaign_id = $campaign_id AND outcome = 'unknown' AND message_id IN (SELECT unnest($message_ids::UUID[]));

-- name: delete_unanswered
DELETE FROM lake.unsent
WHERE campaign_id = $campaign_id AND outcome = 'unknown' AND message_id IN (SELECT unnest($message_ids::UUID[]));

-- name: find_sent
-- By the time, too: one that was sent as its batch says has another.
SELECT message_id::VARCHAR, campaign_id
FROM lake.messages
JOIN (
    SELECT unnest($message_ids::UUID[]) AS message_id, unnest($answered_at::TIMESTAMP[]) AS sent_at
) USING (message_id, sent_at)
WHERE sent_at BETWEEN $first::TIMESTAMP AND $last::TIMESTAMP;

-- name: insert_tag
INSERT INTO lake.appended_batches BY NAME
SELECT
    $batch_id AS batch_id, $campaign_id AS campaign_id, $message_count AS message_count,
    $now::TIMESTAMP AS appended_at;

-- name: fold
-- What the receipts of each message say together, since an update must not meet the same row twice: the join of
-- core.domain.messages.receipts.merge, of all of them at once. Only an end has a time; min() passes over NULLs.
CREATE TEMP TABLE folded AS
SELECT
    gateway, gateway_message_id,
    CASE max(rank) WHEN 2 THEN 'Delivered' WHEN 1 THEN 'Undelivered' ELSE 'Submitted' END AS delivery_status,
    coalesce(
        CASE max(rank)
            WHEN 2 THEN min(code) FILTER (rank = 2)
            WHEN 1 THEN min(code) FILTER (rank = 1)
            ELSE min(code) FILTER (rank = 0)
        END, ''
    ) AS error_code,
    CASE max(rank)
        WHEN 2 THEN min(done_at) FILTER (rank = 2)
        WHEN 1 THEN min(done_at) FILTER (rank = 1)
    END AS delivered_at
FROM (
    SELECT
        gateway, gateway_message_id, nullif(error_code, '') AS code, done_at::TIMESTAMP AS done_at,
        CASE delivery_status WHEN 'Delivered' THEN 2 WHEN 'Undelivered' THEN 1 ELSE 0 END AS rank
    FROM incoming_receipts
    JOIN receipt_states USING (receipt_state)
)
GROUP BY ALL;

-- name: drop_folded
DROP TABLE folded;

-- name: matched_receipts
SELECT
    m.message_id, m.sent_at, m.account, m.country, m.network, m.mccmnc, m.price_eur_cents,
    m.delivery_status, m.error_code, m.delivered_at, r.gateway, r.gateway_message_id,
    r.delivery_status AS came_status, r.error_code AS came_code, r.delivered_at AS came_at
FROM lake.messages AS m
JOIN folded AS r USING (gateway, gateway_message_id)
WHERE m.sent_at >= $earliest::TIMESTAMP

-- name: settle
-- The join of core.domain.messages.receipts.merge, of what is stored with what came. least() passes over NULLs.
CREATE TEMP TABLE settled AS
WITH matched AS (
    SELECT
        *,
        CASE delivery_status WHEN 'Delivered' THEN 2 WHEN 'Undelivered' THEN 1 ELSE 0 END AS stored_rank,
        CASE came_status WHEN 'Delivered' THEN 2 WHEN 'Undelivered' THEN 1 ELSE 0 END AS came_rank
    FROM ({matched})
),
joined AS (
    SELECT
        *,
        CASE WHEN came_rank > stored_rank THEN came_status ELSE delivery_status END AS new_status,
        CASE
            WHEN came_rank > stored_rank THEN came_code
            WHEN came_rank < stored_rank THEN error_code
            ELSE coalesce(least(nullif(error_code, ''), nullif(came_code, '')), '')
        END AS new_code,
        CASE
            WHEN came_rank > stored_rank THEN came_at
            WHEN came_rank < stored_rank THEN delivered_at
            ELSE least(delivered_at, came_at)
        END AS new_at
    FROM matched
)
SELECT
    message_id, sent_at, account, country, network, mccmnc, price_eur_cents, delivery_status, delivered_at,
    gateway, gateway_message_id, new_status, new_code, new_at,
    (new_status, new_code) IS DISTINCT FROM (delivery_status, error_code)
        OR new_at IS DISTINCT FROM delivered_at AS changed
FROM joined;

-- name: changed_range
SELECT min(sent_at), max(sent_at), count(*) FROM settled WHERE changed;

-- name: update_changed
-- The range leaves out the files that hold none of the messages.
UPDATE lake.messages AS m
SET delivery_status = s.new_status, error_code = s.new_code, delivered_at = s.new_at
FROM (FROM settled WHERE changed) AS s
WHERE m.message_id = s.message_id AND m.sent_at BETWEEN $first AND $last;

-- name: missed
SELECT receipt_no FROM incoming_receipts ANTI JOIN settled USING (gateway, gateway_message_id);

-- name: reported_range
SELECT min(done_at)::TIMESTAMP, max(done_at)::TIMESTAMP
FROM incoming_receipts
SEMI JOIN settled USING (gateway, gateway_message_id);

-- name: new_receipts
-- A receipt is what it says and when that was: one that is kept is not kept again, however often it comes. The range
-- leaves out the files of earlier merges.
CREATE TEMP TABLE new_receipts AS
SELECT
    s.message_id, s.sent_at,
    r.* REPLACE (r.done_at::TIMESTAMP AS done_at, r.received_at::TIMESTAMP AS received_at)
FROM incoming_receipts AS r
JOIN settled AS s USING (gateway, gateway_message_id)
ANTI JOIN (
    SELECT gateway, gateway_message_id, receipt_state, error_code, done_at
    FROM lake.receipts
    WHERE done_at BETWEEN $first::TIMESTAMP AND $last::TIMESTAMP
) AS k ON (r.gateway, r.gateway_message_id, r.receipt_state, r.error_code)
        = (k.gateway, k.gateway_message_id, k.receipt_state, k.error_code)
    AND r.done_at::TIMESTAMP = k.done_at
QUALIFY row_number() OVER (
    PARTITION BY s.message_id, r.gateway, r.gateway_message_id, r.receipt_state, r.error_code, r.done_at
    ORDER BY r.received_at, r.receipt_no
) = 1;

-- name: insert_receipts
INSERT INTO lake.receipts BY NAME FROM new_receipts ORDER BY sent_at, message_id;

-- name: drop_new_receipts
DROP TABLE new_receipts;

-- name: settled_before
CREATE TEMP VIEW settled_before AS FROM settled WHERE changed;

-- name: settled_after
CREATE TEMP VIEW settled_after AS
SELECT * REPLACE (new_status AS delivery_status, new_at AS delivered_at) FROM settled WHERE changed;

-- name: drop_after
DROP VIEW settled_after;

-- name: drop_before
DROP VIEW settled_before;

-- name: drop_settled
DROP TABLE settled;
