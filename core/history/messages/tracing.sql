-- name: find
-- {where} holds the accounts and the time the message was sent in, so that only few files are opened.
SELECT {columns}
FROM lake.messages
WHERE {where} AND message_id = $message_id::UUID
LIMIT 1;

-- name: receipts
-- In the order they came. A message and its receipts have the same sent_at, which is what files are chosen by.
SELECT gateway, gateway_message_id, receipt_state, error_code, done_at, received_at
FROM lake.receipts
WHERE sent_at = $sent_at::TIMESTAMP AND message_id = $message_id::UUID
ORDER BY received_at, receipt_no;

-- name: frozen_at
SELECT frozen_at FROM lake.frozen_audiences WHERE campaign_id = $campaign_id;
